//go:build services

package crash

import (
	"syscall"
	"testing"
	"time"
)

// TestTerminatedUnderLoad asks a program to stop that is in the middle of a long reading while several people write: it
// ends soon and in order, everything that it has read is published, and the next run goes on from there.
func TestTerminatedUnderLoad(t *testing.T) {
	t.Parallel()
	const rows = 40_000
	postgres := need(t, "DATONG_TEST_POSTGRES")
	w := newWorld(t, need(t, "DATONG_TEST_KAFKA"), postgres,
		newSilo(t, postgres, "polled", watermark), newSilo(t, postgres, "compared", difference))
	var stops []func()
	for _, s := range w.silos {
		s.fill(t, rows)
	}
	p := w.serve("")
	for _, s := range w.silos {
		stops = append(stops, s.write(t, rows))
	}
	w.busy(1000)
	p.signal(syscall.SIGTERM)
	asked := time.Now()
	p.wantExit(0)
	took := time.Since(asked)
	for _, stop := range stops {
		stop()
	}
	f := p.figures()
	t.Logf("drained in %s with %d of %d rows read", took.Round(time.Millisecond), f.Total.Read, 2*rows)
	if limit := 10 * time.Second; took > limit {
		t.Errorf("the program took %s to end, want at most %s", took, limit)
	}
	for _, one := range f.Pipelines {
		// An error would say that what had been read was dropped, to be read again.
		if one.Unaccounted != 0 || one.State != "stopped" || one.Error != "" {
			t.Errorf("%s ended %s with %d rows unaccounted and the error %q", one.Department, one.State, one.Unaccounted, one.Error)
		}
	}
	if f.Total.Read >= 2*rows {
		t.Error("everything was read before the program was asked to stop, so nothing was shown")
	}
	w.check(w.settle())
}
