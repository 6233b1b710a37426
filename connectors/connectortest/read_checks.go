package connectortest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/connectors"
)

func readsNothingFromAnEmptySystem(t testing.TB, h *Harness) {
	for _, e := range eventsOf(readFrom(t, h, h.New(t), nil)) {
		if e.row {
			t.Errorf("an empty system gave a row: %s", e.text)
		}
	}
}

func readsEverythingOnce(t testing.TB, h *Harness) {
	s := h.New(t)
	first, second := someRows(1, 11, 1), someRows(12, 7, 1)
	s.Insert(t, first...)
	s.Insert(t, second...)
	checkOnce(t, eventsOf(readFrom(t, h, s, nil)), contentOf(first, second))
}

// checkOnce checks that the rows of want came, each once, and no others.
func checkOnce(t testing.TB, events []event, want content) {
	t.Helper()
	seen := map[int]int{}
	for _, e := range events {
		if e.err {
			t.Errorf("a good row was refused: %s", e.text)
		} else if e.row {
			seen[e.id]++
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("row %d was read %d times, want once", id, n)
		}
	}
	if diff := cmp.Diff(want, content{}.after(events)); diff != "" {
		t.Errorf("what was read differs from what was written (-want +got):\n%s", diff)
	}
}

func keepsTheOrderOfAKey(t testing.TB, h *Harness) {
	const rows, versions = 2, 6 // fewer rows than a batch has, so that one batch holds several versions of a row
	s := h.New(t)
	s.Insert(t, someRows(1, rows, 1)...)
	steps := readFrom(t, h, s, nil)
	for v := 2; v <= versions; v++ {
		s.Update(t, someRows(1, rows, v)...)
	}
	steps = append(steps, readFrom(t, h, s, last(steps))...)
	seen := map[int][]int{}
	for _, e := range eventsOf(steps) {
		if e.row {
			seen[e.id] = append(seen[e.id], versionOf(t, e, versions))
		}
	}
	for id := 1; id <= rows; id++ {
		vs := seen[id]
		if len(vs) == 0 || vs[len(vs)-1] != versions || !slices.IsSorted(vs) {
			t.Errorf("row %d was read in versions %v, want them rising and %d last", id, vs, versions)
		}
	}
}

func versionOf(t testing.TB, e event, versions int) int {
	t.Helper()
	for v := 1; v <= versions; v++ {
		if someRows(e.id, 1, v)[0].Text == e.body {
			return v
		}
	}
	t.Errorf("row %d has a text that was never written: %q", e.id, e.body)
	return 0
}

func readsDeletes(t testing.TB, h *Harness) {
	s := h.New(t)
	rows := someRows(1, 6, 1)
	s.Insert(t, rows...)
	steps := readFrom(t, h, s, nil)
	s.Delete(t, 2, 5)
	events := eventsOf(readFrom(t, h, s, last(steps)))
	want := contentOf(rows)
	delete(want, 2)
	delete(want, 5)
	if diff := cmp.Diff(want, content{}.after(append(eventsOf(steps), events...))); diff != "" {
		t.Errorf("content after a delete (-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(events, func(e event) bool { return e.op == connectors.OpDelete }) {
		t.Error("no row came with OpDelete")
	}
}

// last returns the position after the last step, nil when there was none.
func last(steps []step) connectors.Position {
	if len(steps) == 0 {
		return nil
	}
	return steps[len(steps)-1].pos
}

func readsWhatIsWrittenLater(t testing.TB, h *Harness) {
	s := h.New(t)
	first, second := someRows(1, 5, 1), someRows(6, 9, 1)
	s.Insert(t, first...)
	src := open(t, s, nil)
	events := eventsOf(drain(t, h, src, nil))
	checkOnce(t, events, contentOf(first))
	s.Insert(t, second...)
	for rowsIn(events) < len(first)+len(second) {
		b, _ := next(t, h, src)
		events = append(events, render(t, b).events...)
		b.Release()
	}
	checkOnce(t, events, contentOf(first, second))
}

func rowsIn(events []event) (n int) {
	for _, e := range events {
		if e.row {
			n++
		}
	}
	return n
}

func goesOnAfterPoison(t testing.TB, h *Harness) {
	s := h.New(t)
	before, after := someRows(1, 3, 1), someRows(4, 3, 1)
	s.Insert(t, before...)
	s.Poison(t)
	s.Insert(t, after...)

	var good []event
	poisoned := 0
	src := open(t, s, nil)
	for {
		b, ok := next(t, h, src)
		if !ok {
			break
		}
		for _, r := range b.Rows {
			if r.Err != nil {
				poisoned++
				checkPoison(t, &r)
			}
		}
		st := render(t, b)
		b.Release()
		good = append(good, slices.DeleteFunc(st.events, func(e event) bool { return e.err })...)
		if st.caughtUp && !h.Finite {
			break
		}
	}
	if poisoned != 1 {
		t.Errorf("%d rows came with Err, want the poisoned one", poisoned)
	}
	checkOnce(t, good, contentOf(before, after))
}

func checkPoison(t testing.TB, r *connectors.Row) {
	t.Helper()
	if r.Table == nil {
		t.Error("the poisoned row has no table")
	}
	if len(r.Raw) == 0 || len(r.Raw) > 64<<10 {
		t.Errorf("the poisoned row has %d bytes of Raw, want 1 to 64 Ki", len(r.Raw))
	}
	if r.Err.What.En == "" || r.Err.What.Zh == "" {
		t.Errorf("the poisoned row's problem is not told in both languages: %+v", r.Err)
	}
}

func ownsItsBatches(t testing.TB, h *Harness) {
	s := h.New(t)
	s.Insert(t, someRows(1, 40, 1)...)
	want := texts(eventsOf(readFrom(t, h, s, nil)))

	// Each batch is looked at only after the next one has been read, and the one before it released.
	var got []string
	var held *connectors.Batch
	look := func() {
		if held != nil {
			got = append(got, texts(render(t, held).events)...)
			held.Release()
		}
	}
	src := open(t, s, nil)
	for {
		b, ok := next(t, h, src)
		look()
		if !ok {
			break
		}
		held = b
		if b.CaughtUp && !h.Finite {
			look()
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("batches that were kept changed (-at once +kept):\n%s", diff)
	}
}

func announcesScansInPairs(t testing.TB, h *Harness) {
	s := h.New(t)
	s.Insert(t, someRows(1, 12, 1)...)
	var current *connectors.Scan
	scans := 0
	for _, e := range eventsOf(readFrom(t, h, s, nil)) {
		switch {
		case e.begin != nil && current != nil:
			t.Errorf("%s inside scan %d", e.text, current.ID)
		case e.begin != nil:
			current = e.begin
			scans++
		case e.end != nil && (current == nil || e.end.ID != current.ID || e.end.Set != current.Set):
			t.Errorf("%s does not end the scan begun before: %+v", e.text, current)
			current = nil
		case e.end != nil:
			current = nil
		case e.row && e.op == connectors.OpSnapshot && current == nil:
			t.Errorf("a snapshot row outside a scan: %s", e.text)
		}
	}
	if current != nil {
		t.Errorf("scan %d of %q never ended", current.ID, current.Set)
	}
	if scans == 0 {
		t.Error("no scan was announced")
	}
}

func repeatsTheScanID(t testing.TB, h *Harness) {
	s := h.New(t)
	s.Insert(t, someRows(1, 8, 1)...)
	firstScan := func() string {
		for _, e := range eventsOf(readFrom(t, h, s, nil)) {
			if e.begin != nil {
				return e.text
			}
		}
		return "none"
	}
	if first, again := firstScan(), firstScan(); first != again {
		t.Errorf("begun twice at the start: %s, then %s", first, again)
	}
}

func readsTiesOnce(t testing.TB, h *Harness) {
	s := h.New(t)
	lists := [][]Row{someRows(1, 5, 1), someRows(6, 9, 1), someRows(15, 2, 1)}
	var events []event
	var pos connectors.Position
	for _, rows := range lists {
		s.InsertTied(t, rows...)
		steps := readFrom(t, h, s, pos)
		events = append(events, eventsOf(steps)...)
		if p := last(steps); p != nil {
			pos = p
		}
	}
	if h.Rescans {
		if diff := cmp.Diff(contentOf(lists...), content{}.after(events)); diff != "" {
			t.Errorf("content (-want +got):\n%s", diff)
		}
		return
	}
	checkOnce(t, events, contentOf(lists...))
}
