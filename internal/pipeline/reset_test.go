package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// moved gives the world another source that holds the rows k01 … k19 of the former k00 … k19, one of them changed.
func (w *world) moved() {
	w.t.Helper()
	for i := range 20 {
		w.put(fmt.Sprintf("k%02d", i), "n", "")
	}
	w.run()
	w.newStore()
	for i := 1; i < 20; i++ {
		w.put(fmt.Sprintf("k%02d", i), "n", "")
	}
	w.put("k01", "changed", "")
}

// expectCompared checks that only what differs was published again.
func (w *world) expectCompared(s Counts) {
	w.t.Helper()
	if want := (Counts{Read: 39, Published: 21, Unchanged: 18, Records: 22, Deletes: 1}); s != want {
		w.t.Errorf("counts = %+v, want %+v", s, want)
	}
	state := w.topic()
	if _, there := state["k00"]; there || len(state) != 19 || state["k01"] != `{"id":"k01","name":"changed"}` {
		w.t.Errorf("%d keys, k00 there: %v, k01 %s; want 19 without k00, k01 changed", len(state), there, state["k01"])
	}
}

func TestAResetPipelineComparesAnotherSourceWithWhatWasPublished(t *testing.T) {
	w := newWorld(t)
	w.moved()
	if err := New(w.opt).Run(t.Context()); !errors.Is(err, connectors.ErrPosition) {
		t.Fatalf("a position of another source ended in %v, want ErrPosition", err)
	}
	if err := ResetIdle(t.Context(), w.opt); err != nil {
		t.Fatal(err)
	}
	w.expectCompared(w.run().Counts)
}

func TestAHaltedPipelineIsResetWhereItRuns(t *testing.T) {
	w := newWorld(t)
	w.moved()
	w.opt.UntilIdle = false
	p := New(w.opt)
	if p.Reset() {
		t.Error("a pipeline that has not halted was reset")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	w.await(p, Halted)
	if !p.Reset() {
		t.Error("a halted pipeline was not reset")
	}
	w.await(p, Idle)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	w.expectCompared(p.Status().Counts)
}

// A reset source tells anew, in its first places, what it has told there before; in between it was otherwise.
func TestWhatAResetPipelinePublishesIsNotTakenForWhatItPublishedBefore(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"one", "two", "one"} {
		w.newStore()
		w.put("a", name, "")
		if err := ResetIdle(t.Context(), w.opt); err != nil {
			t.Fatal(err)
		}
		w.run()
	}
	if got, want := w.topic()["a"], `{"id":"a","name":"one"}`; got != want { // fails too when an id comes twice
		t.Errorf("a = %s, want %s", got, want)
	}
}

// await polls until the pipeline is in a state.
func (w *world) await(p *Pipeline, want State) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); p.Status().State != want; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("state = %s, want %s: %+v", p.Status().State, want, p.Status())
		}
	}
}

func TestARecordThatTheTopicCannotTakeIsRefused(t *testing.T) {
	w := newWorld(t)
	w.put("a", "n", "")
	w.put("b", "n", strings.Repeat("长", 400_000))
	w.put("c", "n", "")
	s := w.run()
	if s.Published != 2 || s.Quarantined != 1 {
		t.Errorf("counts = %+v, want 2 published, 1 quarantined", s.Counts)
	}
	w.expectItems("b")
	if got := w.items()["b"].Violations[0].Rule; got != ruleTooLarge {
		t.Errorf("rule = %s, want %s", got, ruleTooLarge)
	}
}
