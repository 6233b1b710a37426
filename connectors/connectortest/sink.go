package connectortest

import (
	"context"
	"testing"

	"github.com/datong-dx/datong/connectors"
)

// SinkSystem is one outside system of one sub-test of [RunSink].
type SinkSystem struct {
	// Open opens a sink. Every call is a new sink on the same outside system.
	Open func(context.Context) (connectors.Sink, error)
	// Rows returns what the table `people` of the outside system holds, in order of the ids; nothing while there is
	// no such table.
	Rows func(t testing.TB) []Row
	// Refuse makes the outside system refuse, for its content, the row of that id in the table `people`, which exists.
	Refuse func(t testing.TB, id int)
}

// SinkHarness describes a connector's sink.
type SinkHarness struct {
	// New prepares an empty outside system. It is called for each sub-test, and cleans up through t.Cleanup.
	New func(t testing.TB) *SinkSystem
}

// RunSink runs the suite for sinks against the harness's connector, one sub-test for each promise of [connectors.Sink].
func RunSink(t *testing.T, h SinkHarness) {
	t.Helper()
	for _, c := range sinkChecks {
		t.Run(c.name, func(t *testing.T) { c.run(t, &h) })
	}
}

type sinkCheck struct {
	name string
	run  func(t testing.TB, h *SinkHarness)
}

var sinkChecks = []sinkCheck{
	{"a partition never seen has no offset", knowsNoOffsetAtFirst},
	{"ensuring again keeps rows and adds columns", ensuresAgain},
	{"rows, deletes and offsets are written together", writesRowsAndOffsets},
	{"many rows are written at once", writesManyRows},
	{"offsets move without rows", movesOffsetsAlone},
	{"rows of a table that was not ensured are not written", refusesUnknownTables},
	{"offsets that were written already are fenced", fencesAReplay},
	{"an older writer is fenced", fencesAnOlderWriter},
	{"one moved partition fences all of a write", fencesTheWhole},
	{"a refused row is named once and the rest lands", namesRefusedRows},
	{"a refusal that cannot be kept undoes the write", undoesWhenRefusalsAreLost},
	{"a cancelled write leaves nothing", undoesACancelledWrite},
	{"a rewind empties the tables and forgets the partitions", rewinds},
	{"a writer from before a rewind is fenced", fencesAcrossARewind},
	{"no goroutine is left behind", sinkLeavesNoGoroutine},
}

// people is the table that the suite writes to, with further columns of text.
func people(more ...string) *connectors.Table {
	t := &connectors.Table{Name: "people", Key: []int{0}, Unique: true, Columns: []connectors.Column{
		{Name: "id", Kind: connectors.KindInt, NotNull: true}, {Name: "text", Kind: connectors.KindText, Length: 200},
	}}
	for _, name := range more {
		t.Columns = append(t.Columns, connectors.Column{Name: name, Kind: connectors.KindText, Length: 200})
	}
	return t
}

// upserts makes changes that write rows.
func upserts(t *connectors.Table, rows ...Row) []connectors.Row {
	list := make([]connectors.Row, len(rows))
	for i, r := range rows {
		values := make([]connectors.Value, len(t.Columns))
		values[0], values[1] = connectors.Int(int64(r.ID)), connectors.String([]byte(r.Text))
		list[i] = connectors.Row{Table: t, Op: connectors.OpUpsert, Values: values}
	}
	return list
}

// deletes makes changes that remove rows.
func deletes(t *connectors.Table, ids ...int) []connectors.Row {
	list := make([]connectors.Row, len(ids))
	for i, id := range ids {
		values := make([]connectors.Value, len(t.Columns))
		values[0] = connectors.Int(int64(id))
		list[i] = connectors.Row{Table: t, Op: connectors.OpDelete, Values: values}
	}
	return list
}

func partition(id int32) connectors.Partition {
	return connectors.Partition{Cluster: "the-cluster", Topic: "dt.department.people", ID: id}
}

// advance moves a partition, storing what stateAt says.
func advance(id int32, from, next int64) connectors.Advance {
	return connectors.Advance{Partition: partition(id), From: from, Next: next, State: stateAt(next)}
}

// stateAt is bytes that are no text and differ at each offset.
func stateAt(next int64) []byte { return []byte{0, 0xff, '\'', '\\', '"', byte(next)} }

// sinkTest is a sub-test with its outside system.
type sinkTest struct {
	testing.TB
	system *SinkSystem
}

func newSinkTest(t testing.TB, h *SinkHarness) *sinkTest { return &sinkTest{t, h.New(t)} }

func (t *sinkTest) open() connectors.Sink {
	t.Helper()
	s, err := t.system.Open(t.Context())
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// ready opens a sink with the table people.
func (t *sinkTest) ready() connectors.Sink {
	t.Helper()
	s := t.open()
	t.ensure(s, people())
	return s
}

func (t *sinkTest) ensure(s connectors.Sink, table *connectors.Table) {
	t.Helper()
	if err := s.Ensure(t.Context(), []*connectors.Table{table}); err != nil {
		t.Fatalf("ensure: %v", err)
	}
}

// write writes what must be accepted.
func (t *sinkTest) write(s connectors.Sink, move connectors.Advance, rows ...connectors.Row) {
	t.Helper()
	changes := &connectors.Changes{Rows: rows, Offsets: []connectors.Advance{move}}
	if err := s.Write(t.Context(), changes, t.noRefusals); err != nil {
		t.Fatalf("write offset %d to %d: %v", move.From, move.Next, err)
	}
}

func (t *sinkTest) noRefusals(_ context.Context, list []connectors.Refusal) error {
	t.Errorf("%d rows were refused, row %d because %v", len(list), list[0].Row, list[0].Reason)
	return nil
}

func (t *sinkTest) wantRows(want ...Row) {
	t.Helper()
	got := t.system.Rows(t)
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(want):
			t.Errorf("the system holds %+v, which was not written or was removed", got[i])
		case i >= len(got):
			t.Errorf("the system lacks %+v", want[i])
		case got[i] != want[i]:
			t.Errorf("the system holds %+v, want %+v", got[i], want[i])
		default:
			continue
		}
		return
	}
}

// wantOffsets asks a new sink how far partitions 0, 1, … were taken in.
func (t *sinkTest) wantOffsets(want ...int64) {
	t.Helper()
	partitions := make([]connectors.Partition, len(want))
	for i := range want {
		partitions[i] = partition(int32(i))
	}
	got, err := t.open().Offsets(t.Context(), partitions)
	if err != nil {
		t.Fatalf("read offsets: %v", err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d offsets for %d partitions", len(got), len(want))
	}
	for i, next := range want {
		if got[i].Next != next {
			t.Errorf("partition %d stands at %d, want %d", i, got[i].Next, next)
		} else if next >= 0 && string(got[i].State) != string(stateAt(next)) {
			t.Errorf("partition %d has the state %x, want %x", i, got[i].State, stateAt(next))
		}
	}
}
