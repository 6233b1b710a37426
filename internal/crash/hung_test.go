//go:build services

package crash

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/datong-dx/datong/broker"
)

// few rows come from the pipelines that are started beside the hung one.
const few = 5

// TestAHungTaskDelaysAnotherNoLongerThanItsTimeout freezes a pipeline in the middle of its transaction and starts two
// others of the same department. The position of one lies in the same partition: it can only read that once the broker
// has aborted the transaction. The other one is not held up and shows how long a start takes. The hung pipeline goes on
// afterwards: nobody has taken its place.
func TestAHungTaskDelaysAnotherNoLongerThanItsTimeout(t *testing.T) {
	t.Parallel()
	postgres := need(t, "DATONG_TEST_POSTGRES")
	w := newWorld(t, need(t, "DATONG_TEST_KAFKA"), postgres, newSilo(t, postgres, "permits", watermark))
	w.begin(300)
	w.silos[0].churn(t, round)
	hung := w.serve(fault("txn-produced", 200) + ":stop")
	hung.wantFrozen()
	frozen := time.Now()

	neighbour, stranger := w.beside(true), w.beside(false)
	stranger.wantExit(0)
	free := time.Since(frozen)
	neighbour.wantExit(0)
	held := time.Since(frozen)
	t.Logf("done %s after the freeze where nothing held it up, %s in the same partition; the transaction timeout is %s",
		free.Round(time.Millisecond), held.Round(time.Millisecond), w.timeout)
	const sweep = 2 * time.Second // the broker looks once a second
	if limit := w.timeout + sweep; held-free > limit {
		t.Errorf("the hung task delayed another by %s, want at most %s", held-free, limit)
	}
	if held < w.timeout/2 {
		t.Errorf("the other task took only %s: the hung one did not hold it up, so nothing was shown", held)
	}

	hung.signal(syscall.SIGCONT)
	w.extra = 2 * few
	w.caughtUp()
	hung.signal(syscall.SIGTERM)
	hung.wantExit(0)
}

// beside runs another pipeline of the same department to its end, whose position lies in the same partition or not.
func (w *world) beside(same bool) *process {
	w.t.Helper()
	other := &world{t: w.t, dir: w.t.TempDir(), prefix: w.prefix, site: fmt.Sprint("beside-", same), kafka: w.kafka, timeout: w.timeout}
	name, rows := "", permitRows(few, 1)
	for i := 0; name == ""; i++ {
		candidate := fmt.Sprint("other", i)
		if same == (place(candidate) == place("permits")) {
			name = candidate
		}
	}
	if same {
		rows = permitRowsFrom(1000, few, 1)
	}
	other.writeSite()
	other.pipelineOfFiles("departments/permits/"+name+".yaml", "few.csv", "changes", "none")
	other.write("few.csv", rows)
	return other.run("")
}

// place returns the partition in which a pipeline's position lies.
func place(pipeline string) int32 {
	return broker.Partition([]byte(pipeline), broker.PositionsPartitions)
}
