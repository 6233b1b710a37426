//go:build services

package crash

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/datong-dx/datong/broker"
)

// TestAHungTaskDelaysAnotherNoLongerThanItsTimeout freezes a pipeline in the middle of its transaction and starts another
// one of the same department, whose position lies in the same partition: it can only read that once the broker has
// aborted the transaction. The hung one goes on afterwards: nobody has taken its place.
func TestAHungTaskDelaysAnotherNoLongerThanItsTimeout(t *testing.T) {
	t.Parallel()
	const few = 5
	postgres := need(t, "DATONG_TEST_POSTGRES")
	w := newWorld(t, need(t, "DATONG_TEST_KAFKA"), postgres, newSilo(t, postgres, "permits", watermark))
	w.begin(300)
	w.silos[0].churn(t, round)
	hung := w.serve(fault("txn-produced", 200) + ":stop")
	hung.wantFrozen()
	frozen := time.Now()

	other := &world{t: t, dir: t.TempDir(), prefix: w.prefix, kafka: w.kafka, platform: w.platform, client: w.client, timeout: w.timeout}
	other.writeSite()
	other.pipelineOfFiles("departments/permits/"+neighbour("permits")+".yaml", "few.csv", "changes", "none")
	other.write("few.csv", permitRows(few, 1))
	other.run("").wantExit(0)
	took := time.Since(frozen)
	t.Logf("the other task was done %s after the freeze; the transaction timeout is %s", took.Round(time.Millisecond), w.timeout)
	// Beside the timeout: the broker looks once a second, and a program has to start and to work.
	if limit := w.timeout + 5*time.Second; took > limit {
		t.Errorf("the other task took %s, want at most %s", took, limit)
	}
	if took < w.timeout/2 {
		t.Errorf("the other task took only %s: the hung one did not hold it up, so nothing was shown", took)
	}

	hung.signal(syscall.SIGCONT)
	w.extra = few
	w.caughtUp()
	hung.signal(syscall.SIGTERM)
	hung.wantExit(0)
}

// neighbour returns the name of a pipeline whose position lies in the same partition as another's.
func neighbour(pipeline string) string {
	want := broker.Partition([]byte(pipeline), broker.PositionsPartitions)
	for i := 0; ; i++ {
		if name := fmt.Sprint("other", i); broker.Partition([]byte(name), broker.PositionsPartitions) == want {
			return name
		}
	}
}
