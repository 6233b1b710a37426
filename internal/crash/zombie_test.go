//go:build services

package crash

import (
	"syscall"
	"testing"
	"time"
)

// TestAZombieChangesNothing freezes a program, lets a twin take over and do the work, and continues the frozen one: it
// publishes nothing, says that it is fenced and stays so, and its delivery writes nothing. It is frozen where it can do
// most harm: before and in the middle of a transaction, with a batch in hand for the platform, and in the platform's own
// transaction.
func TestAZombieChangesNothing(t *testing.T) {
	t.Parallel()
	for _, k := range []kill{{"read", 200}, {"txn-produced", 200}, {"delivery-collected", 200}, {"sink-before-commit", 200}} {
		t.Run(k.mark, func(t *testing.T) {
			t.Parallel()
			postgres := need(t, "DATONG_TEST_POSTGRES")
			w := newWorld(t, need(t, "DATONG_TEST_KAFKA"), postgres, newSilo(t, postgres, "permits", watermark))
			w.begin(300)
			w.silos[0].churn(t, round)
			w.writeAll("zombie")
			zombie := w.serve(fault(k.mark, k.records) + ":stop")
			zombie.wantFrozen()

			twin := w.twin("twin")
			worker := twin.serve("")
			w.silos[0].churn(t, round)
			twin.caughtUp()
			if twin.platform.noted(t, "twin") == 0 {
				t.Error("the twin has written nothing")
			}
			before, events := w.platform.noted(t, "zombie"), twin.events()

			zombie.signal(syscall.SIGCONT)
			w.fenced()
			// Time enough to do harm: for a heartbeat, a rebalance, and a batch.
			time.Sleep(5 * time.Second)
			w.fenced()
			if got := w.platform.noted(t, "zombie"); got != before {
				t.Errorf("the zombie wrote %d times to the platform", got-before)
			}
			if got := twin.events(); got != events {
				t.Errorf("%d events on the topic, %d before the zombie awoke", got, events)
			}
			// The twin is the rightful one and does not mind.
			w.silos[0].churn(t, round/3)
			twin.caughtUp()
			zombie.signal(syscall.SIGTERM)
			zombie.await(patience)
			worker.signal(syscall.SIGTERM)
			worker.wantExit(0)
			w.check(w.settle())
		})
	}
}

// fenced waits until the program says that its pipeline is fenced.
func (w *world) fenced() {
	w.t.Helper()
	var last figures
	defer func() {
		if w.t.Failed() {
			w.t.Logf("last status: %+v", last)
		}
	}()
	eventually(w.t, "the zombie says that it is fenced", patience, func() bool {
		f, ok := w.status()
		last = f
		return ok && f.of(w.silos[0].department).State == "fenced"
	})
}

// events returns how many events a read-committed consumer sees.
func (w *world) events() int {
	w.t.Helper()
	n := 0
	for _, s := range w.silos {
		_, of := w.consume(s.department)
		n += of
	}
	return n
}
