package pipeline

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/quarantine"
	"github.com/datong-dx/datong/mapping"
)

const tooLong = "a name of more than ten characters"

// items returns what waits in quarantine, by row key.
func (w *world) items() map[string]*quarantine.Item {
	w.t.Helper()
	items := map[string]*quarantine.Item{}
	err := quarantine.Scan(w.t.Context(), w.client, quarantine.Topic("test", "dept"), nil, func(it *quarantine.Item) error {
		items[it.RowKey] = it
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return items
}

func (w *world) expectItems(want ...string) {
	w.t.Helper()
	items := w.items()
	if len(items) != len(want) {
		w.t.Errorf("%d items in quarantine, want %v", len(items), want)
	}
	for _, key := range want {
		if items[key] == nil {
			w.t.Errorf("row %s does not wait in quarantine", key)
		}
	}
}

func TestANewerStateOfARefusedRowClosesItsItem(t *testing.T) {
	for name, newer := range map[string]func(w *world){
		"published": func(w *world) { w.put("a", "good", "") },
		"deleted":   func(w *world) { w.remove("a") },
		"filtered":  func(w *world) { w.put("a", "good", "skip") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.put("a", tooLong, "")
			w.put("b", tooLong, "")
			w.run()
			w.expectItems("a", "b")
			newer(w)
			s := w.run()
			w.expectItems("b")
			if s.Superseded != 1 || s.Quarantined != 1 || s.Waiting != 1 {
				t.Errorf("counts = %+v, want one superseded, one quarantined", s.Counts)
			}
		})
	}
}

func TestANewerRefusedStateReplacesTheItem(t *testing.T) {
	w := newWorld(t)
	w.put("a", tooLong, "")
	w.run()
	before := w.items()["a"]
	w.put("a", tooLong+" still", "")
	s := w.run()
	after := w.items()["a"]
	if after == nil || before.Offset == after.Offset {
		t.Fatalf("the item was not replaced: %+v", after)
	}
	if s.Superseded != 1 || s.Quarantined != 1 {
		t.Errorf("counts = %+v, want one superseded, one quarantined", s.Counts)
	}
}

func TestWhileAnUpdateWaitsTheLastGoodVersionStays(t *testing.T) {
	w := newWorld(t)
	w.put("a", "good", "")
	w.run()
	w.put("a", tooLong, "")
	w.run()
	if diff := cmp.Diff(map[string]string{"a": `{"id":"a","name":"good"}`}, w.topic()); diff != "" {
		t.Error(diff)
	}
}

// lenient is the mapping after its engineer has shortened the names.
const lenient = `
entity: thing
fields:
  id: id
  name: {expr: 'len(name) > 10 ? name[0:10] : name'}
`

func TestRetryPublishesWhatConformsAfterTheMappingWasMended(t *testing.T) {
	w := newWorld(t)
	w.put("a", tooLong, "")
	w.put("b", "good", "")
	w.run()
	w.opt.Plans = []*mapping.Plan{plan(t, lenient)}
	answer, err := Once(t.Context(), w.opt, Retry, quarantine.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Answer{Chosen: 1, Published: 1}); answer != want {
		t.Errorf("answer = %+v, want %+v", answer, want)
	}
	w.expectItems()
	if got := w.topic()["a"]; got != `{"id":"a","name":"a name of"}` {
		t.Errorf("a = %s", got)
	}
	if s := w.run(); s.Published != 2 || s.Quarantined != 0 || s.Read != 2 {
		t.Errorf("counts = %+v, want both rows published", s.Counts)
	}
}

func TestRetryKeepsWhatStillDoesNotConform(t *testing.T) {
	w := newWorld(t)
	w.put("a", tooLong, "")
	w.run()
	answer, err := Once(t.Context(), w.opt, Retry, quarantine.Filter{})
	if err != nil || answer != (Answer{Chosen: 1, Refused: 1}) {
		t.Errorf("answer = %+v, %v", answer, err)
	}
	w.expectItems("a")
}

func TestDiscardGivesARowUp(t *testing.T) {
	w := newWorld(t)
	w.put("a", tooLong, "")
	w.put("b", tooLong, "")
	w.run()
	answer, err := Once(t.Context(), w.opt, Discard, quarantine.Filter{RowKey: "b"})
	if err != nil || answer != (Answer{Chosen: 1, Discarded: 1}) {
		t.Errorf("answer = %+v, %v", answer, err)
	}
	w.expectItems("a")
}

func TestARowThatWaitsUnchangedIsNotRefusedAgain(t *testing.T) {
	w := newWorld(t)
	w.put("a", tooLong, "")
	w.put("b", "good", "")
	w.run()
	offset := w.items()["a"].Offset
	w.opt.Connector = w.connector("other") // a new scan shows the same rows
	s := w.run()
	if got := w.items()["a"]; got == nil || got.Offset != offset {
		t.Errorf("the item was written again")
	}
	if s.Unchanged != 2 || s.Quarantined != 1 {
		t.Errorf("counts = %+v, want both rows unchanged", s.Counts)
	}
}

func TestAScanClosesItemsOfRowsThatAreGone(t *testing.T) {
	w := newWorld(t)
	w.put("a", tooLong, "")
	w.put("b", "good", "")
	w.run()
	w.remove("a")
	w.opt.Connector = w.connector("other")
	s := w.run()
	w.expectItems()
	if s.Superseded != 1 || s.Quarantined != 0 {
		t.Errorf("counts = %+v, want the gone row superseded", s.Counts)
	}
}

func TestARefusedRowIsPresentForTheComparison(t *testing.T) {
	w := newWorld(t)
	w.put("a", "good", "")
	w.run()
	w.put("a", tooLong, "")
	w.opt.Connector = w.connector("other")
	w.run()
	if _, there := w.topic()["a"]; !there {
		t.Error("the last good version was withdrawn though its row is there, refused")
	}
}

func TestTooManyDeletesAreHeldUntilApproved(t *testing.T) {
	w := newWorld(t)
	for i := range 200 {
		w.put(fmt.Sprintf("k%03d", i), "n", "")
	}
	w.run()
	for i := range 150 {
		w.remove(fmt.Sprintf("k%03d", i))
	}
	w.put("k199", "changed", "")
	w.opt.Connector = w.connector("other")
	p := New(w.opt)
	err := p.Run(t.Context())
	if !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "150 of 200") {
		t.Fatalf("Run = %v, want a stop that names 150 of 200", err)
	}
	s := p.Status()
	if s.State != Halted || s.HeldDeletes == nil || s.HeldDeletes.Deletes != 150 {
		t.Fatalf("status = %+v", s)
	}
	if got := len(w.topic()); got != 200 {
		t.Fatalf("%d keys on the topic, want all 200", got)
	}
	if !p.Approve() {
		t.Fatal("nothing to approve")
	}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(w.topic()); got != 50 {
		t.Errorf("%d keys on the topic, want 50", got)
	}
}

func TestTooManyRefusedRowsStopThePipelineAndShowWhy(t *testing.T) {
	w := newWorld(t)
	for i := range 3000 {
		w.put(fmt.Sprintf("k%04d", i), tooLong, "")
	}
	p := New(w.opt)
	if err := p.Run(t.Context()); !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "max_refused") {
		t.Fatalf("Run = %v, want a stop by max_refused", err)
	}
	if got := len(w.items()); got < 1000 || got > 1100 {
		t.Errorf("%d items in quarantine, want about 1000 to look at", got)
	}
}

func TestTwoRowsOfOneKeyInAScanRefuseTheSecond(t *testing.T) {
	w := newWorld(t)
	if err := w.store.Create(&connectors.Table{
		Name: "things", Columns: []connectors.Column{{Name: "row"}, {Name: "id"}, {Name: "name"}, {Name: "kind"}}, Key: []int{0}, Unique: true,
	}); err != nil {
		t.Fatal(err)
	}
	put := func(row, id, name string) {
		if err := w.store.Put("things", 1, text(row), text(id), text(name), text("")); err != nil {
			t.Fatal(err)
		}
	}
	put("1", "same", "first")
	put("2", "same", "second")
	put("3", "other", "third")
	s := w.run()
	if s.Published != 2 || s.Quarantined != 1 {
		t.Errorf("counts = %+v, want the second row of the key quarantined", s.Counts)
	}
	if got := w.topic()["same"]; !strings.Contains(got, "first") {
		t.Errorf("same = %s, want the first row", got)
	}
	put("4", "other", "fourth") // a change, seen after the scan
	put("1", "same", "first b")
	if s = w.run(); s.Quarantined != 2 {
		t.Errorf("counts = %+v, want the row that takes another row's key quarantined", s.Counts)
	}
	if got := w.topic()["same"]; !strings.Contains(got, "first b") {
		t.Errorf("same = %s, want the update of its own row", got)
	}
}

func TestASourceThatBreaksAtAnyReadLosesAndRepeatsNothing(t *testing.T) {
	w := newWorld(t)
	reads := 0
	w.store.Inject(func(op string) error {
		if op != "read" {
			return nil
		}
		if reads++; reads%3 == 0 {
			return errors.New("connection reset")
		}
		return nil
	})
	for i := range 40 {
		w.put(fmt.Sprintf("k%02d", i), "n", "")
	}
	s := w.run()
	if s.Published != 40 || len(w.topic()) != 40 {
		t.Errorf("published %d, %d keys, want 40: %+v", s.Published, len(w.topic()), s.Counts)
	}
}
