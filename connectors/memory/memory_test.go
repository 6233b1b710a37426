package memory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/connectortest"
)

func people() *connectors.Table {
	return &connectors.Table{
		Name: "people", Key: []int{0}, Unique: true,
		Columns: []connectors.Column{{Name: "id", Kind: connectors.KindInt}, {Name: "text", Kind: connectors.KindText}},
	}
}

func values(id int, text string) []connectors.Value {
	return []connectors.Value{connectors.Int(int64(id)), connectors.String([]byte(text))}
}

func newStore(t testing.TB) *Store {
	t.Helper()
	s := NewStore()
	if err := s.Create(people()); err != nil {
		t.Fatal(err)
	}
	return s
}

// system seeds a store; stream reads the seeded rows through the log instead of a scan.
func system(t testing.TB, stream bool) *connectortest.System {
	s := newStore(t)
	put := func(t testing.TB, rows ...connectortest.Row) {
		for _, r := range rows {
			if err := s.Put("people", 0, values(r.ID, r.Text)...); err != nil {
				t.Fatal(err)
			}
		}
	}
	var start connectors.Position
	if stream {
		src, err := NewSource(s, nil, 3)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the scan of the empty table, then the caught-up log
			b, err := src.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			start = b.Position
			b.Release()
		}
	}
	return &connectortest.System{
		Open: func(_ context.Context, pos connectors.Position) (connectors.Source, error) {
			if pos == nil {
				pos = start
			}
			return open(NewSource(s, pos, 3))
		},
		OpenElsewhere: func(_ context.Context, pos connectors.Position) (connectors.Source, error) {
			return open(NewSource(newStore(t), pos, 3))
		},
		Insert: put,
		Update: put,
		Delete: func(t testing.TB, ids ...int) {
			for _, id := range ids {
				if err := s.Delete("people", 0, values(id, "")...); err != nil {
					t.Fatal(err)
				}
			}
		},
		Poison: func(t testing.TB) {
			if err := s.Poison("people", 0, []byte("???")); err != nil {
				t.Fatal(err)
			}
		},
		Released: func(testing.TB) int { return s.Held() },
	}
}

// open keeps a nil *Source from becoming an interface that is not nil.
func open(src *Source, err error) (connectors.Source, error) {
	if err != nil {
		return nil, err
	}
	return src, nil
}

func TestScanConforms(t *testing.T) {
	connectortest.Run(t, connectortest.Harness{
		New:   func(t testing.TB) *connectortest.System { return system(t, false) },
		Scans: true, Incremental: true, Updates: true, Poison: true, Identity: true, Acks: true, Deletes: true,
	})
}

func TestLogConforms(t *testing.T) {
	connectortest.Run(t, connectortest.Harness{
		New:         func(t testing.TB) *connectortest.System { return system(t, true) },
		Incremental: true, Updates: true, Poison: true, Identity: true, Acks: true, Deletes: true,
	})
}

// TestPositionGolden guards the stored form: a change of it needs a new version that still reads this one.
func TestPositionGolden(t *testing.T) {
	golden, err := os.ReadFile("testdata/position.golden")
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	s.id = "STORE"
	src, err := NewSource(s, golden, 3)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(src.finish(connectors.NewBatch()).Position); got != string(golden) {
		t.Errorf("got %s, want %s", got, golden)
	}
}

func TestSinkWritesRowsAndOffsetsTogether(t *testing.T) {
	s := newStore(t)
	k := NewSink(s)
	p := connectors.Partition{Cluster: "c", Topic: "t", ID: 3}
	table := people()
	write := func(from, next int64, refused func(context.Context, []connectors.Refusal) error, rows ...connectors.Row) error {
		return k.Write(t.Context(), &connectors.Changes{Rows: rows, Offsets: []connectors.Advance{{Partition: p, From: from, Next: next, State: fmt.Appendf(nil, "at %d", next)}}}, refused)
	}
	row := func(id int, text string, op connectors.Op) connectors.Row {
		return connectors.Row{Table: table, Op: op, Values: values(id, text)}
	}
	s.Refuse(func(r *connectors.Row) error {
		if r.Values[0].Int() == 13 {
			return errors.New("unlucky")
		}
		return nil
	})
	boom := errors.New("quarantine is down")

	if err := write(-1, 10, func(context.Context, []connectors.Refusal) error { return boom }, row(1, "a", connectors.OpInsert), row(13, "b", connectors.OpInsert)); !errors.Is(err, boom) {
		t.Errorf("a refusal that cannot be kept: %v, want %v", err, boom)
	}
	if got := s.Rows("people"); len(got) != 0 {
		t.Errorf("rows after a failed write: %v", got)
	}
	var refused []int
	keep := func(_ context.Context, rs []connectors.Refusal) error {
		for _, r := range rs {
			refused = append(refused, r.Row)
		}
		return nil
	}
	if err := write(-1, 10, keep, row(1, "a", connectors.OpInsert), row(13, "b", connectors.OpInsert), row(2, "c", connectors.OpInsert)); err != nil {
		t.Fatal(err)
	}
	if err := write(-1, 10, keep); !errors.Is(err, connectors.ErrFenced) {
		t.Errorf("a write from an old offset: %v, want ErrFenced", err)
	}
	if err := write(10, 11, keep, row(2, "", connectors.OpDelete)); err != nil {
		t.Fatal(err)
	}
	offsets, err := k.Offsets(t.Context(), []connectors.Partition{p, {Topic: "other"}})
	if diff := cmp.Diff([]connectors.Offset{{Next: 11, State: []byte("at 11")}, {Next: -1}}, offsets); diff != "" || err != nil {
		t.Errorf("offsets: %v %s", err, diff)
	}
	if diff := cmp.Diff([][]string{{"1", "a"}}, s.Rows("people")); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{1}, refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if err := k.Rewind(t.Context(), []*connectors.Table{table}, []connectors.Partition{p}); err != nil {
		t.Fatal(err)
	}
	if offsets, _ := k.Offsets(t.Context(), []connectors.Partition{p}); offsets[0].Next != -1 || len(s.Rows("people")) != 0 {
		t.Errorf("after Rewind: offset %+v, rows %v", offsets[0], s.Rows("people"))
	}
}

func TestInjectedFaultsAreReturned(t *testing.T) {
	s := newStore(t)
	boom := errors.New("boom")
	s.Inject(func(operation string) error {
		if operation == "read" {
			return boom
		}
		return nil
	})
	src, err := NewSource(s, nil, 3)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Read(t.Context()); !errors.Is(err, boom) {
		t.Errorf("read: %v, want %v", err, boom)
	}
}

func TestNamedStoresAreShared(t *testing.T) {
	name := "test-" + strconv.Itoa(os.Getpid())
	if first, again := Named(name), Named(name); first != again || first == Named(name+"x") {
		t.Error("a name does not always mean the same store")
	}
}
