package connectortest_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/connectortest"
	"github.com/datong-dx/datong/connectors/memory"
)

// sinkHarness is the memory connector's, with a fault built into every sink that it opens.
func sinkHarness(breakIt func(connectors.Sink) connectors.Sink) connectortest.SinkHarness {
	return connectortest.SinkHarness{New: func(testing.TB) *connectortest.SinkSystem {
		store := memory.NewStore()
		return &connectortest.SinkSystem{
			Open: func(context.Context) (connectors.Sink, error) { return breakIt(memory.NewSink(store)), nil },
			Rows: func(t testing.TB) []connectortest.Row { return rowsOf(t, store) },
			Refuse: func(_ testing.TB, id int) {
				store.Refuse(func(row *connectors.Row) error {
					if row.Values[0].Int() == int64(id) {
						return errors.New("refused")
					}
					return nil
				})
			},
		}
	}}
}

func rowsOf(t testing.TB, store *memory.Store) []connectortest.Row {
	var rows []connectortest.Row
	for _, values := range store.Rows("people") {
		id, err := strconv.Atoi(values[0])
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, connectortest.Row{ID: id, Text: values[1]})
	}
	slices.SortFunc(rows, func(a, b connectortest.Row) int { return a.ID - b.ID })
	return rows
}

// brokenSink is a sink with one method replaced.
type brokenSink struct {
	connectors.Sink
	ensure func(context.Context, connectors.Sink, []*connectors.Table) error
	write  func(context.Context, connectors.Sink, *connectors.Changes, tell) error
	rewind func(context.Context, connectors.Sink, []*connectors.Table, []connectors.Partition) error
}

type tell = func(context.Context, []connectors.Refusal) error

func (b *brokenSink) Ensure(ctx context.Context, tables []*connectors.Table) error {
	if b.ensure != nil {
		return b.ensure(ctx, b.Sink, tables)
	}
	return b.Sink.Ensure(ctx, tables)
}

func (b *brokenSink) Write(ctx context.Context, c *connectors.Changes, refused func(context.Context, []connectors.Refusal) error) error {
	if b.write != nil {
		return b.write(ctx, b.Sink, c, refused)
	}
	return b.Sink.Write(ctx, c, refused)
}

func (b *brokenSink) Rewind(ctx context.Context, tables []*connectors.Table, partitions []connectors.Partition) error {
	if b.rewind != nil {
		return b.rewind(ctx, b.Sink, tables, partitions)
	}
	return b.Sink.Rewind(ctx, tables, partitions)
}

func writing(write func(context.Context, connectors.Sink, *connectors.Changes, tell) error) func(connectors.Sink) connectors.Sink {
	return func(s connectors.Sink) connectors.Sink { return &brokenSink{Sink: s, write: write} }
}

func rewinding(rewind func(context.Context, connectors.Sink, []*connectors.Table, []connectors.Partition) error) func(connectors.Sink) connectors.Sink {
	return func(s connectors.Sink) connectors.Sink { return &brokenSink{Sink: s, rewind: rewind} }
}

// unfenced takes every offset for the one that the system stands at.
func unfenced(ctx context.Context, s connectors.Sink, c *connectors.Changes, refused tell) error {
	moves := slices.Clone(c.Offsets)
	for i := range moves {
		at, err := s.Offsets(ctx, []connectors.Partition{moves[i].Partition})
		if err != nil {
			return err
		}
		moves[i].From = at[0].Next
	}
	return s.Write(ctx, &connectors.Changes{Rows: c.Rows, Offsets: moves}, refused)
}

func TestSuiteAcceptsAGoodSink(t *testing.T) {
	if failed := sinkFailures(t, sinkHarness(func(s connectors.Sink) connectors.Sink { return s })); len(failed) != 0 {
		t.Errorf("failed: %q", failed)
	}
}

func TestSuiteFindsBrokenSinks(t *testing.T) {
	for _, c := range []struct {
		fault, caught string
		breakIt       func(connectors.Sink) connectors.Sink
	}{
		{"takes a replay", "offsets that were written already are fenced", writing(unfenced)},
		{"takes what a zombie writes", "an older writer is fenced", writing(unfenced)},
		{"takes what a zombie writes", "a writer from before a rewind is fenced", writing(unfenced)},
		{"moves one partition after the other", "one moved partition fences all of a write", writing(
			func(ctx context.Context, s connectors.Sink, c *connectors.Changes, refused tell) error {
				for _, move := range c.Offsets {
					if err := s.Write(ctx, &connectors.Changes{Rows: c.Rows, Offsets: []connectors.Advance{move}}, refused); err != nil {
						return err
					}
				}
				return nil
			})},
		{"keeps deleted rows", "rows, deletes and offsets are written together", writing(
			func(ctx context.Context, s connectors.Sink, c *connectors.Changes, refused tell) error {
				rows := slices.DeleteFunc(slices.Clone(c.Rows), func(r connectors.Row) bool { return r.Op == connectors.OpDelete })
				return s.Write(ctx, &connectors.Changes{Rows: rows, Offsets: c.Offsets}, refused)
			})},
		{"loses what is kept with an offset", "rows, deletes and offsets are written together", writing(
			func(ctx context.Context, s connectors.Sink, c *connectors.Changes, refused tell) error {
				moves := slices.Clone(c.Offsets)
				for i := range moves {
					moves[i].State = nil
				}
				return s.Write(ctx, &connectors.Changes{Rows: c.Rows, Offsets: moves}, refused)
			})},
		{"writes a thousand rows at most", "many rows are written at once", writing(
			func(ctx context.Context, s connectors.Sink, c *connectors.Changes, refused tell) error {
				return s.Write(ctx, &connectors.Changes{Rows: c.Rows[:min(1000, len(c.Rows))], Offsets: c.Offsets}, refused)
			})},
		{"does nothing without rows", "offsets move without rows", writing(
			func(ctx context.Context, s connectors.Sink, c *connectors.Changes, refused tell) error {
				if len(c.Rows) == 0 {
					return nil
				}
				return s.Write(ctx, c, refused)
			})},
		{"makes any table", "rows of a table that was not ensured are not written", writing(
			func(ctx context.Context, s connectors.Sink, c *connectors.Changes, refused tell) error {
				for _, r := range c.Rows {
					if err := s.Ensure(ctx, []*connectors.Table{r.Table}); err != nil {
						return err
					}
				}
				return s.Write(ctx, c, refused)
			})},
		{"tells no refusals", "a refused row is named once and the rest lands", writing(
			func(ctx context.Context, s connectors.Sink, c *connectors.Changes, _ tell) error {
				return s.Write(ctx, c, func(context.Context, []connectors.Refusal) error { return nil })
			})},
		{"commits although refusals are lost", "a refusal that cannot be kept undoes the write", writing(committingAnyhow)},
		{"commits although it was cancelled", "a cancelled write leaves nothing", writing(committingAnyhow)},
		{"empties a table that is ensured", "ensuring again keeps rows and adds columns", func(s connectors.Sink) connectors.Sink {
			return &brokenSink{Sink: s, ensure: func(ctx context.Context, s connectors.Sink, tables []*connectors.Table) error {
				return errors.Join(s.Ensure(ctx, tables), s.Rewind(ctx, tables, nil))
			}}
		}},
		{"keeps rows", "a rewind empties the tables and forgets the partitions", rewinding(
			func(ctx context.Context, s connectors.Sink, _ []*connectors.Table, p []connectors.Partition) error {
				return s.Rewind(ctx, nil, p)
			})},
		{"keeps offsets", "a rewind empties the tables and forgets the partitions", rewinding(
			func(ctx context.Context, s connectors.Sink, tables []*connectors.Table, _ []connectors.Partition) error {
				return s.Rewind(ctx, tables, nil)
			})},
		{"leaks a goroutine", "no goroutine is left behind", leakingSink(t)},
	} {
		t.Run(c.fault+": "+c.caught, func(t *testing.T) {
			if failed := sinkFailures(t, sinkHarness(c.breakIt)); !slices.Contains(failed, c.caught) {
				t.Errorf("a sink that %s did not fail %q; failed: %q", c.fault, c.caught, failed)
			}
		})
	}
}

func committingAnyhow(ctx context.Context, s connectors.Sink, c *connectors.Changes, refused tell) error {
	var lost error
	err := s.Write(ctx, c, func(ctx context.Context, list []connectors.Refusal) error {
		lost = refused(ctx, list)
		return nil
	})
	return errors.Join(err, lost)
}

// leakingSink starts a goroutine at each opening that ends only with the test t.
func leakingSink(t *testing.T) func(connectors.Sink) connectors.Sink {
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	return func(s connectors.Sink) connectors.Sink {
		go func() { <-stop }()
		return s
	}
}

// sinkFailures is [failures] for the suite for sinks.
func sinkFailures(t *testing.T, h connectortest.SinkHarness) []string {
	t.Helper()
	return failed(t, func(each func(string, func(testing.TB)) bool) { connectortest.EachSink(&h, each) })
}
