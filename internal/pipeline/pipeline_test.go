package pipeline

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryRowEndsAsExactlyOneOutcome(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		w.put(fmt.Sprintf("k%02d", i), fmt.Sprintf("n%d", i), "")
	}
	w.put("long", "a name of more than ten characters", "")
	w.put("skip", "n", "skip")
	s := w.run()
	if got, want := s.Counts, (Counts{Read: 22, Published: 20, Filtered: 1, Quarantined: 1, Records: 20, Waiting: 1}); got != want {
		t.Errorf("counts = %+v, want %+v", got, want)
	}
	if got := len(w.topic()); got != 20 {
		t.Errorf("%d keys on the topic, want 20", got)
	}
}

func TestAnotherRunGoesOnWhereTheLastOneStopped(t *testing.T) {
	w := newWorld(t)
	w.put("a", "1", "")
	w.run()
	w.put("b", "2", "x")
	w.put("a", "3", "")
	w.remove("b")
	s := w.run()
	if s.Read != 4 || s.Published != 4 || s.Deletes != 1 {
		t.Errorf("counts = %+v, want 4 read and published, 1 delete", s.Counts)
	}
	if diff := cmp.Diff(map[string]string{"a": `{"id":"a","name":"3"}`}, w.topic()); diff != "" {
		t.Error(diff)
	}
}

func TestAnotherConnectorComparesWithWhatWasPublished(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		w.put(fmt.Sprintf("k%02d", i), "n", "")
	}
	w.run()
	w.remove("k03")
	w.put("k04", "changed", "")
	w.put("new", "n", "")
	w.opt.Connector = w.connector("other") // starts from nothing
	s := w.run()
	want := Counts{Read: 60, Published: 32, Unchanged: 28, Records: 33, Deletes: 1}
	if s.Counts != want {
		t.Errorf("counts = %+v, want %+v", s.Counts, want)
	}
	state := w.topic()
	if _, there := state["k03"]; there || len(state) != 30 {
		t.Errorf("%d keys, k03 there: %v; want 30 without k03", len(state), there)
	}
}
