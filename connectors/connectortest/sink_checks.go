package connectortest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/datong-dx/datong/connectors"
)

func knowsNoOffsetAtFirst(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	t.wantOffsets(-1, -1)
	t.ready()
	t.wantOffsets(-1)
	t.wantRows()
}

func ensuresAgain(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	s := t.ready()
	rows := someRows(1, 4, 1)
	t.write(s, advance(0, -1, 4), upserts(people(), rows...)...)
	t.ensure(s, people())
	wide := people("nickname")
	t.ensure(s, wide)
	t.ensure(t.open(), people()) // an older program, which knows fewer columns
	t.wantRows(rows...)
	more := Row{5, "in the wider table"}
	change := upserts(wide, more)
	change[0].Values[2] = connectors.String([]byte("five"))
	t.write(s, advance(0, 4, 5), change...)
	t.wantRows(append(rows, more)...)
}

func writesRowsAndOffsets(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	s, table := t.ready(), people()
	rows := someRows(1, 9, 1)
	t.write(s, advance(0, -1, 9), upserts(table, rows...)...)
	t.wantRows(rows...)
	t.wantOffsets(9, -1)

	rows[3].Text, rows[6].Text = "a second version", ""
	change := append(upserts(table, rows[3], rows[6]), deletes(table, 1, 99)...)
	t.write(s, advance(0, 9, 13), change...)
	t.wantRows(rows[1:]...)
	t.wantOffsets(13, -1)

	t.write(s, advance(1, -1, 1), upserts(table, Row{1, "is there again"})...)
	t.wantRows(append([]Row{{1, "is there again"}}, rows[1:]...)...)
	t.wantOffsets(13, 1)
}

func writesManyRows(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	s := t.ready()
	const n = 2500
	rows := someRows(1, n, 1)
	t.write(s, advance(0, -1, n), upserts(people(), rows...)...)
	t.wantRows(rows...)
	ids := make([]int, n-1)
	for i := range ids {
		ids[i] = i + 1
	}
	t.write(s, advance(0, n, 2*n), deletes(people(), ids...)...)
	t.wantRows(rows[n-1])
}

func movesOffsetsAlone(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	s := t.ready()
	t.write(s, advance(0, -1, 0))
	t.write(s, advance(0, 0, 7))
	stays := advance(0, 7, 7)
	t.write(s, stays)
	t.wantOffsets(7, -1)
}

func refusesUnknownTables(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	s := t.ready()
	unknown := people()
	unknown.Name = "strangers"
	rows := append(upserts(people(), Row{1, "one"}), upserts(unknown, Row{2, "two"})...)
	changes := &connectors.Changes{Rows: rows, Offsets: []connectors.Advance{advance(0, -1, 2)}}
	if err := s.Write(t.Context(), changes, t.noRefusals); err == nil {
		t.Error("a row of a table that was not ensured was written")
	}
	t.wantRows()
	t.wantOffsets(-1)
}

// wantFenced writes what must be refused as a whole because another writer has been there.
func (t *sinkTest) wantFenced(s connectors.Sink, changes *connectors.Changes) {
	t.Helper()
	if err := s.Write(t.Context(), changes, t.noRefusals); !errors.Is(err, connectors.ErrFenced) {
		t.Errorf("write = %v, want ErrFenced", err)
	}
}

func fencesAReplay(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	s := t.ready()
	first := &connectors.Changes{Rows: upserts(people(), Row{1, "first"}), Offsets: []connectors.Advance{advance(0, -1, 1)}}
	if err := s.Write(t.Context(), first, t.noRefusals); err != nil {
		t.Fatalf("write: %v", err)
	}
	t.write(s, advance(0, 1, 2), upserts(people(), Row{1, "second"})...)
	t.wantFenced(s, first) // what a writer does that was killed before it heard of its commit
	t.wantFenced(t.ready(), first)
	t.wantRows(Row{1, "second"})
	t.wantOffsets(2)
}

func fencesAnOlderWriter(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	zombie, successor := t.ready(), t.ready()
	t.write(zombie, advance(0, -1, 5), upserts(people(), Row{1, "old"})...)
	t.write(successor, advance(0, 5, 9), upserts(people(), Row{1, "new"})...)
	t.wantFenced(zombie, &connectors.Changes{
		Rows: append(upserts(people(), Row{2, "late"}), deletes(people(), 1)...), Offsets: []connectors.Advance{advance(0, 5, 12)}})
	t.wantRows(Row{1, "new"})
	t.wantOffsets(9)
	t.write(successor, advance(0, 9, 10)) // the zombie holds no lock
}

func fencesTheWhole(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	s := t.ready()
	t.write(s, advance(1, -1, 5))
	for _, from := range []int64{-1, 4, 6} {
		t.wantFenced(s, &connectors.Changes{Rows: upserts(people(), Row{1, "one"}),
			Offsets: []connectors.Advance{advance(0, -1, 3), advance(1, from, 8), advance(2, -1, 3)}})
	}
	t.wantRows()
	t.wantOffsets(-1, 5, -1)
}

func namesRefusedRows(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	s := t.ready()
	t.write(s, advance(0, -1, 1), upserts(people(), Row{1, "before"})...)
	t.system.Refuse(t, 7)
	rows := someRows(2, 10, 1)
	changes := &connectors.Changes{Rows: append(deletes(people(), 1), upserts(people(), rows...)...), Offsets: []connectors.Advance{advance(0, 1, 12)}}
	calls := 0
	err := s.Write(t.Context(), changes, func(_ context.Context, list []connectors.Refusal) error {
		calls++
		if len(list) != 1 || list[0].Row != 6 || list[0].Reason == nil {
			t.Errorf("refused %+v, want row 6 with a reason", list)
		}
		return nil
	})
	if err != nil || calls != 1 {
		t.Fatalf("write = %v, refusals told %d times, want once", err, calls)
	}
	t.wantRows(append(rows[:5:5], rows[6:]...)...)
	t.wantOffsets(12)
}

func undoesWhenRefusalsAreLost(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	s := t.ready()
	t.system.Refuse(t, 2)
	lost := errors.New("nobody keeps the refused row")
	changes := &connectors.Changes{Rows: upserts(people(), someRows(1, 3, 1)...), Offsets: []connectors.Advance{advance(0, -1, 3)}}
	err := s.Write(t.Context(), changes, func(context.Context, []connectors.Refusal) error { return lost })
	if !errors.Is(err, lost) {
		t.Errorf("write = %v, want %v", err, lost)
	}
	t.wantRows()
	t.wantOffsets(-1)
	t.write(s, advance(0, -1, 1), upserts(people(), Row{1, "afterwards"})...)
	t.wantRows(Row{1, "afterwards"})
}

func undoesACancelledWrite(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	s := t.ready()
	t.system.Refuse(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	changes := &connectors.Changes{Rows: upserts(people(), someRows(1, 3, 1)...), Offsets: []connectors.Advance{advance(0, -1, 3)}}
	err := s.Write(ctx, changes, func(context.Context, []connectors.Refusal) error { // in the middle of the write
		cancel()
		return ctx.Err()
	})
	if err == nil {
		t.Error("a write went on after it was cancelled")
	}
	t.wantRows()
	t.wantOffsets(-1)
	t.write(s, advance(0, -1, 1), upserts(people(), Row{1, "afterwards"})...)
	t.wantRows(Row{1, "afterwards"})
}

func rewinds(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	s := t.ready()
	for id := range int32(3) {
		t.write(s, advance(id, -1, 5), upserts(people(), Row{int(id), fmt.Sprint("of partition ", id)})...)
	}
	err := s.Rewind(t.Context(), []*connectors.Table{people()}, []connectors.Partition{partition(0), partition(1), partition(9)})
	if err != nil {
		t.Fatalf("rewind: %v", err)
	}
	t.wantRows()
	t.wantOffsets(-1, -1, 5)
	t.write(s, advance(0, -1, 5), upserts(people(), Row{0, "again"})...)
	t.wantRows(Row{0, "again"})
}

func fencesAcrossARewind(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	zombie, s := t.ready(), t.ready()
	t.write(zombie, advance(0, -1, 5))
	if err := s.Rewind(t.Context(), []*connectors.Table{people()}, []connectors.Partition{partition(0)}); err != nil {
		t.Fatalf("rewind: %v", err)
	}
	t.wantFenced(zombie, &connectors.Changes{Rows: upserts(people(), Row{1, "late"}), Offsets: []connectors.Advance{advance(0, 5, 6)}})
	t.wantRows()
}

func sinkLeavesNoGoroutine(tb testing.TB, h *SinkHarness) {
	t := newSinkTest(tb, h)
	t.ready().Close()
	before := goleak.IgnoreCurrent()
	s, err := t.system.Open(t.Context())
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.ensure(s, people())
	t.write(s, advance(0, -1, 1), upserts(people(), Row{1, "one"})...)
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := goleak.Find(before); err != nil {
		t.Errorf("after Close: %v", err)
	}
}
