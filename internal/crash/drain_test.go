//go:build services

package crash

import (
	"syscall"
	"testing"
	"time"
)

// TestTerminatedUnderLoad asks a busy program to stop: it ends soon and in order, and what it had read is published.
func TestTerminatedUnderLoad(t *testing.T) {
	t.Parallel()
	postgres := need(t, "DATONG_TEST_POSTGRES")
	w := newWorld(t, need(t, "DATONG_TEST_KAFKA"), postgres,
		newSilo(t, postgres, "polled", watermark), newSilo(t, postgres, "compared", difference))
	w.begin(300)
	p := w.serve("")
	stopFirst, stopSecond := w.silos[0].write(t, 100_000), w.silos[1].write(t, 100_000)
	w.busy(600)
	p.signal(syscall.SIGTERM)
	asked := time.Now()
	p.wantExit(0)
	took := time.Since(asked)
	stopFirst()
	stopSecond()
	t.Logf("drained in %s", took.Round(time.Millisecond))
	if took > 10*time.Second {
		t.Errorf("the program took %s to end", took)
	}
	f := p.figures()
	for _, one := range f.Pipelines {
		if one.Unaccounted != 0 || one.State != "stopped" {
			t.Errorf("%s ended %s with %d rows unaccounted", one.Department, one.State, one.Unaccounted)
		}
	}
	w.check(w.settle())
}
