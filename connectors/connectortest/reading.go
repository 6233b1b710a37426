package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/datong-dx/datong/connectors"
)

// event is one thing that a source told: a row, or the begin or end of a scan.
type event struct {
	text string // all of it, rendered so that two readings can be compared
	row  bool
	err  bool
	op   connectors.Op
	id   int
	body string // the row's text column

	begin, end *connectors.Scan
}

// step is one batch as it was read: what it told and the position after it.
type step struct {
	events    []event
	pos       connectors.Position
	canCommit bool
	caughtUp  bool
}

// render copies all that a batch tells. Times are left out: a scan may put the time of reading there.
func render(t testing.TB, b *connectors.Batch) step {
	t.Helper()
	st := step{pos: slices.Clone(b.Position), canCommit: b.CanCommit, caughtUp: b.CaughtUp}
	if b.Begin != nil {
		st.events = append(st.events, event{text: scanText("begin", b.Begin), begin: b.Begin})
	}
	for i := range b.Rows {
		st.events = append(st.events, renderRow(t, b, &b.Rows[i]))
	}
	if b.End != nil {
		st.events = append(st.events, event{text: scanText("end", b.End), end: b.End})
	}
	return st
}

func scanText(what string, s *connectors.Scan) string {
	return fmt.Sprintf("%s of scan %d of %q, complete: %v", what, s.ID, s.Set, s.Complete)
}

func renderRow(t testing.TB, b *connectors.Batch, r *connectors.Row) event {
	t.Helper()
	if r.Table == nil || r.Op == 0 {
		t.Fatalf("a row has no table or no operation: %+v", r)
	}
	text := fmt.Sprintf("%s %s order %d/%d.%d line %d of %q", r.Op, r.Table.Name, r.Order.Generation, r.Order.Sequence, r.Ordinal, r.Line, b.Origin)
	if r.Err != nil {
		return event{text: fmt.Sprintf("%s error %v raw %q", text, r.Err, r.Raw), row: true, err: true, op: r.Op, id: -1}
	}
	if len(r.Values) != len(r.Table.Columns) {
		t.Fatalf("a row has %d values for %d columns", len(r.Values), len(r.Table.Columns))
	}
	return event{
		text: text + renderValues(r), row: true, op: r.Op,
		id: idOf(t, r), body: column(r, "text"),
	}
}

// renderValues leaves out absent values and sorts by name: a source may learn of columns as it goes.
func renderValues(r *connectors.Row) string {
	var parts []string
	for i, v := range r.Values {
		if v.Kind() != connectors.KindAbsent {
			parts = append(parts, fmt.Sprintf(" %s=%s:%q", r.Table.Columns[i].Name, v.Kind(), v.AppendText(nil)))
		}
	}
	slices.Sort(parts)
	for _, v := range r.Old {
		parts = append(parts, fmt.Sprintf(" was %s:%q", v.Kind(), v.AppendText(nil)))
	}
	return strings.Join(parts, "")
}

func column(r *connectors.Row, name string) string {
	if i := r.Table.Index(name); i >= 0 {
		return string(r.Values[i].AppendText(nil))
	}
	return ""
}

func idOf(t testing.TB, r *connectors.Row) int {
	t.Helper()
	id, err := strconv.Atoi(strings.TrimSpace(column(r, "id")))
	if err != nil {
		t.Fatalf("the id column of a row of %s: %v", r.Table.Name, err)
	}
	return id
}

// open opens a source that is closed with the test, and fails the test when it cannot.
func open(t testing.TB, s *System, pos connectors.Position) connectors.Source {
	t.Helper()
	src, err := s.Open(t.Context(), pos)
	if err != nil {
		t.Fatalf("open at %q: %v", pos, err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

// next reads one batch; ok is false when there is none, because the source is done.
func next(t testing.TB, h *Harness, src connectors.Source) (b *connectors.Batch, ok bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), h.Patience)
	defer cancel()
	b, err := src.Read(ctx)
	switch {
	case err == nil:
		return b, true
	case errors.Is(err, io.EOF) && h.Finite:
		return nil, false
	}
	t.Fatalf("read: %v", err)
	return nil, false
}

// drain reads until the source is done or has caught up. visit may be nil; drain stops when it returns false.
func drain(t testing.TB, h *Harness, src connectors.Source, visit func(step) bool) []step {
	t.Helper()
	var steps []step
	for {
		b, ok := next(t, h, src)
		if !ok {
			return steps
		}
		st := render(t, b)
		b.Release()
		steps = append(steps, st)
		if visit != nil && !visit(st) || st.caughtUp && !h.Finite {
			return steps
		}
	}
}

// readFrom opens a source at a position, reads all there is and closes it.
func readFrom(t testing.TB, h *Harness, s *System, pos connectors.Position) []step {
	t.Helper()
	src := open(t, s, pos)
	steps := drain(t, h, src, nil)
	if err := src.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	return steps
}

func eventsOf(steps []step) []event {
	var all []event
	for _, st := range steps {
		all = append(all, st.events...)
	}
	return all
}

func texts(events []event) []string {
	all := make([]string, len(events))
	for i, e := range events {
		all[i] = e.text
	}
	return all
}

// content is what an observer knows after the events: the text of each id.
type content map[int]string

// after returns the content once the events have happened to c: a complete scan removes what it does not show.
func (c content) after(events []event) content {
	now := maps.Clone(c)
	if now == nil {
		now = content{}
	}
	var shown content
	for _, e := range events {
		switch {
		case e.begin != nil && e.begin.Complete:
			shown = content{}
		case e.end != nil && shown != nil:
			maps.DeleteFunc(now, func(id int, _ string) bool { _, ok := shown[id]; return !ok })
			shown = nil
		case !e.row || e.err:
		case e.op == connectors.OpDelete:
			delete(now, e.id)
		default:
			now[e.id] = e.body
			if shown != nil {
				shown[e.id] = e.body
			}
		}
	}
	return now
}

func contentOf(lists ...[]Row) content {
	c := content{}
	for _, rows := range lists {
		for _, r := range rows {
			c[r.ID] = r.Text
		}
	}
	return c
}
