package sqltable

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// platform is an empty database, or schema, of one test.
type platform struct {
	dialect sqldb.Dialect
	url     string
	schema  string
	db      *sqlx.DB
}

// platforms make one of each kind; the services build adds the servers.
var platforms = map[string]func(t testing.TB) *platform{
	"SQLite": func(t testing.TB) *platform {
		return newPlatform(t, "sqlite:"+filepath.Join(t.TempDir(), "platform.db"), "")
	},
}

func newPlatform(t testing.TB, url, schema string) *platform {
	t.Helper()
	db, dialect, err := sqldb.Open(url, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &platform{dialect: dialect, url: url, schema: schema, db: db}
}

// onEach runs a test on an empty database of each kind.
func onEach(t *testing.T, test func(t *testing.T, p *platform)) {
	for name, open := range platforms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func (p *platform) sink(t testing.TB) *sqlSink {
	t.Helper()
	s, err := openSink(t.Context(), connectors.SinkRequest{Settings: connectors.Settings{
		"url": p.url, "schema": p.schema, "table_prefix": "", "transaction_timeout": time.Minute,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*sqlSink)
}

// ready returns a sink whose tables are ensured.
func (p *platform) ready(t testing.TB, tables ...*connectors.Table) *sqlSink {
	t.Helper()
	s := p.sink(t)
	if err := s.Ensure(t.Context(), tables); err != nil {
		t.Fatal(err)
	}
	return s
}

func (p *platform) name(table string) string {
	if p.schema == "" {
		return p.dialect.Quote(table)
	}
	return p.dialect.Quote(p.schema) + "." + p.dialect.Quote(table)
}

func (p *platform) exec(t testing.TB, statement string) {
	t.Helper()
	statement = strings.ReplaceAll(statement, "{firm}", p.name("firm"))
	if _, err := p.db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// rows returns what a query gives, each row as its columns joined by |.
func (p *platform) rows(t testing.TB, query string) []string {
	t.Helper()
	rows, err := p.db.Query(strings.ReplaceAll(query, "{firm}", p.name("firm")))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for rows.Next() {
		values, cells := make([]any, len(columns)), make([]string, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			cells[i] = shown(*v.(*any))
		}
		list = append(list, strings.Join(cells, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func shown(v any) string {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case time.Time:
		return strings.TrimSuffix(v.UTC().Format("2006-01-02T15:04:05.999999Z"), "T00:00:00Z")
	}
	return fmt.Sprint(v)
}

func text(s string) connectors.Value { return connectors.String([]byte(s)) }

// firm is a small table: two key columns, a name, a number.
func firm() *connectors.Table {
	return &connectors.Table{Name: "firm", Key: []int{0, 1}, Comment: connectors.Text{Zh: "企业's"}, Columns: []connectors.Column{
		{Name: "department", Kind: connectors.KindText, Length: 64, Comment: connectors.Text{Zh: "部门"}},
		{Name: "uscc", Kind: connectors.KindText, Length: 18},
		{Name: "name", Kind: connectors.KindText, Length: 20, Comment: connectors.Text{Zh: "名称"}},
		{Name: "staff", Kind: connectors.KindInt},
	}}
}

func upsert(t *connectors.Table, key, name string, staff int64) connectors.Row {
	return connectors.Row{Table: t, Op: connectors.OpUpsert, Values: []connectors.Value{
		text("scjg"), text(key), text(name), connectors.Int(staff),
	}}
}

func remove(t *connectors.Table, key string) connectors.Row {
	return connectors.Row{Table: t, Op: connectors.OpDelete, Values: []connectors.Value{text("scjg"), text(key), {}, {}}}
}

func advance(id int32, from, next int64) connectors.Advance {
	return connectors.Advance{Partition: connectors.Partition{Cluster: "c1", Topic: "dt.scjg.firm", ID: id}, From: from, Next: next, State: stateAt(next)}
}

// stateAt is what the tests store with an offset: bytes that are no text.
func stateAt(next int64) []byte { return []byte{0, 0xff, '\'', '\\', byte(next)} }

func noRefusals(t testing.TB) func(context.Context, []connectors.Refusal) error {
	return func(_ context.Context, list []connectors.Refusal) error {
		t.Errorf("%d rows were refused, the first because %v", len(list), list[0].Reason)
		return nil
	}
}

func changesOf(move connectors.Advance, rows ...connectors.Row) *connectors.Changes {
	return &connectors.Changes{Rows: rows, Offsets: []connectors.Advance{move}}
}

func write(t testing.TB, s *sqlSink, move connectors.Advance, rows ...connectors.Row) {
	t.Helper()
	if err := s.Write(t.Context(), changesOf(move, rows...), noRefusals(t)); err != nil {
		t.Fatal(err)
	}
}

const allFirms = "SELECT uscc, name, staff FROM {firm} ORDER BY uscc"

func wantRows(t testing.TB, p *platform, query string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(p.rows(t, query), want); diff != "" {
		t.Errorf("%s (-got +want):\n%s", query, diff)
	}
}

func wantOffsets(t testing.TB, s *sqlSink, want ...int64) {
	t.Helper()
	var partitions []connectors.Partition
	var offsets []connectors.Offset
	for id, next := range want {
		partitions = append(partitions, advance(int32(id), 0, 0).Partition)
		offsets = append(offsets, connectors.Offset{Next: next})
		if next >= 0 {
			offsets[id].State = stateAt(next)
		}
	}
	got, err := s.Offsets(t.Context(), partitions)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, offsets); diff != "" {
		t.Errorf("offsets (-got +want):\n%s", diff)
	}
}

// inspectFirst looks at a table over a session of its own.
func (s *sqlSink) inspectFirst(t *testing.T, table string) ([]actual, error) {
	if _, err := s.session(t.Context()); err != nil {
		return nil, err
	}
	return s.inspect(t.Context(), table)
}

func TestSinkUpsertsDeletesAndKeepsOffsets(t *testing.T) {
	onEach(t, func(t *testing.T, p *platform) {
		table := firm()
		wantOffsets(t, p.sink(t), -1, -1)
		if columns, err := p.sink(t).inspectFirst(t, offsetsTable); err != nil || len(columns) > 0 {
			t.Errorf("asking for offsets made the table: %v, %v", columns, err)
		}
		s := p.ready(t, table)
		wantOffsets(t, s, -1, -1)
		write(t, s, advance(0, -1, 3), upsert(table, "A", "甲", 1), upsert(table, "a", "小甲", 2), upsert(table, "B", `乙 "\'`, 3))
		write(t, s, advance(0, 3, 7), upsert(table, "B", "乙二", 4), remove(table, "A"), remove(table, "never seen"))
		write(t, s, advance(1, -1, 0))
		wantRows(t, p, allFirms, "B|乙二|4", "a|小甲|2")
		wantOffsets(t, p.sink(t), 7, 0)
	})
}

func TestSinkKeepsEveryKindExactly(t *testing.T) {
	kinds := []connectors.Column{
		{Name: "k", Kind: connectors.KindInt}, {Name: "d", Kind: connectors.KindDecimal, Precision: 30, Scale: 6},
		{Name: "day", Kind: connectors.KindDate}, {Name: "at", Kind: connectors.KindTimestamp},
		{Name: "wall", Kind: connectors.KindDateTime}, {Name: "j", Kind: connectors.KindJSON}, {Name: "b", Kind: connectors.KindBool},
		{Name: "f", Kind: connectors.KindFloat}, {Name: "raw", Kind: connectors.KindBytes}, {Name: "body", Kind: connectors.KindText},
	}
	onEach(t, func(t *testing.T, p *platform) {
		table := &connectors.Table{Name: "firm", Key: []int{0}, Columns: kinds}
		s := p.ready(t, table)
		at := time.Date(1901, 2, 3, 4, 5, 6, 789000000, time.UTC)
		row := func(k int64, decimal string) connectors.Row {
			return connectors.Row{Table: table, Op: connectors.OpUpsert, Values: []connectors.Value{
				connectors.Int(k), connectors.Decimal([]byte(decimal)), connectors.Date(-25000), connectors.Timestamp(at.UnixMicro()),
				connectors.DateTime(at.UnixMicro()), connectors.JSON([]byte(`["甲", 1]`)), connectors.Bool(true), connectors.Float(0.1),
				connectors.Bytes([]byte{0, 255}), text(strings.Repeat("长", 30000)),
			}}
		}
		empty := connectors.Row{Table: table, Op: connectors.OpUpsert, Values: make([]connectors.Value, len(kinds))}
		empty.Values[0] = connectors.Int(9)
		for i := 1; i < len(kinds); i += 2 {
			empty.Values[i] = connectors.Null()
		}
		write(t, s, advance(0, -1, 1), row(1, "123456789012345678901234.000001"), row(2, "-0.5"), row(3, "0"), row(4, "10000"), row(5, "-98760000.12"), empty)
		day := "day, at, wall, b + 0, f"
		if p.dialect == sqldb.Postgres {
			day = "day, at, wall, b::int, f"
		}
		moment := map[sqldb.Dialect]string{sqldb.SQLite: "1901-02-03T04:05:06.789000Z"}[p.dialect]
		wall := map[sqldb.Dialect]string{sqldb.SQLite: "1901-02-03T04:05:06.789000"}[p.dialect]
		if moment == "" {
			moment, wall = "1901-02-03T04:05:06.789Z", "1901-02-03T04:05:06.789Z"
		}
		wantRows(t, p, "SELECT "+day+" FROM {firm} WHERE k IN (1, 9) ORDER BY k", "1901-07-22|"+moment+"|"+wall+"|1|0.1", "<nil>|<nil>|<nil>|<nil>|<nil>")
		wantRows(t, p, "SELECT raw, j FROM {firm} WHERE k = 2", "\x00\xff|[\"甲\", 1]")
		length := map[sqldb.Dialect]string{sqldb.SQLite: "length", sqldb.Postgres: "char_length", sqldb.MySQL: "char_length"}[p.dialect]
		wantRows(t, p, "SELECT "+length+"(body) FROM {firm} WHERE k = 2", "30000")
		decimals := []string{"123456789012345678901234.000001", "-0.5", "0", "10000", "-98760000.12"}
		if p.dialect != sqldb.SQLite { // which has text, exactly as it came
			decimals = []string{"123456789012345678901234.000001", "-0.500000", "0.000000", "10000.000000", "-98760000.120000"}
		}
		wantRows(t, p, "SELECT d FROM {firm} WHERE k < 9 ORDER BY k", decimals...)
	})
}

func TestSinkFencesAZombie(t *testing.T) {
	onEach(t, func(t *testing.T, p *platform) {
		table := firm()
		zombie, successor := p.ready(t, table), p.ready(t, table)
		write(t, zombie, advance(0, -1, 5), upsert(table, "A", "甲", 1))
		write(t, successor, advance(0, 5, 9), upsert(table, "A", "甲二", 2))
		for _, from := range []int64{5, -1} {
			changes := &connectors.Changes{Rows: []connectors.Row{upsert(table, "A", "旧", 0), upsert(table, "B", "旧", 0)},
				Offsets: []connectors.Advance{advance(0, from, 12), advance(1, -1, 3)}}
			if err := zombie.Write(t.Context(), changes, noRefusals(t)); !errors.Is(err, connectors.ErrFenced) {
				t.Errorf("writing from %d = %v, want ErrFenced", from, err)
			}
		}
		wantRows(t, p, allFirms, "A|甲二|2")
		wantOffsets(t, successor, 9, -1)
		write(t, successor, advance(0, 9, 10)) // the zombie left no lock behind
	})
}

func TestSinkLetsOneOfTwoWin(t *testing.T) {
	for name, from := range map[string]int64{"from the start": -1, "from where it stands": 5} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, p *platform) { raceFrom(t, p, from) })
		})
	}
}

// raceFrom lets a second writer begin while the first one's transaction is open.
func raceFrom(t *testing.T, p *platform, from int64) {
	table := firm()
	first, second := p.ready(t, table), p.ready(t, table)
	p.exec(t, refuseNegative(p))
	if from >= 0 {
		write(t, first, advance(0, -1, from))
	}
	result := make(chan error, 1)
	changes := changesOf(advance(0, from, 9), upsert(table, "A", "甲", 1), upsert(table, "Z", "", -1))
	err := first.Write(t.Context(), changes, func(context.Context, []connectors.Refusal) error {
		go func() {
			result <- second.Write(t.Context(), changesOf(advance(0, from, 9), upsert(table, "B", "迟", 2)), noRefusals(t))
		}()
		select {
		case err := <-result:
			t.Errorf("the second did not wait: %v", err)
			result <- err
		case <-time.After(100 * time.Millisecond): // only makes a wrong order likely to show
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-result; !errors.Is(err, connectors.ErrFenced) {
		t.Errorf("the second wrote: %v, want ErrFenced", err)
	}
	wantRows(t, p, allFirms, "A|甲|1")
}

func TestSinkRewinds(t *testing.T) {
	onEach(t, func(t *testing.T, p *platform) {
		table := firm()
		s, other := p.ready(t, table), p.ready(t, table)
		write(t, s, advance(0, -1, 5), upsert(table, "A", "甲", 1))
		write(t, s, advance(1, -1, 6), upsert(table, "B", "乙", 1))
		if err := s.Rewind(t.Context(), []*connectors.Table{table}, []connectors.Partition{advance(0, 0, 0).Partition, advance(1, 0, 0).Partition}); err != nil {
			t.Fatal(err)
		}
		wantRows(t, p, allFirms)
		wantOffsets(t, s, -1, -1)
		err := other.Write(t.Context(), &connectors.Changes{Rows: []connectors.Row{upsert(table, "C", "丙", 1)}, Offsets: []connectors.Advance{advance(0, 5, 6)}}, noRefusals(t))
		if !errors.Is(err, connectors.ErrFenced) {
			t.Errorf("writing over a rebuild = %v, want ErrFenced", err)
		}
	})
}

func TestSinkStopsAtAnotherCluster(t *testing.T) {
	onEach(t, func(t *testing.T, p *platform) {
		table := firm()
		s := p.ready(t, table)
		write(t, s, advance(0, -1, 5), upsert(table, "A", "甲", 1))
		elsewhere := connectors.Partition{Cluster: "c2", Topic: "dt.scjg.firm"}
		_, err := s.Offsets(t.Context(), []connectors.Partition{elsewhere})
		if !errors.Is(err, connectors.ErrStop) || !strings.Contains(err.Error(), "datong delivery rebuild") {
			t.Fatalf("offsets at another cluster = %v, want ErrStop and the cure", err)
		}
		if err := s.Rewind(t.Context(), []*connectors.Table{table}, []connectors.Partition{elsewhere}); err != nil {
			t.Fatal(err)
		}
		if next, err := s.Offsets(t.Context(), []connectors.Partition{elsewhere}); err != nil || next[0].Next != -1 {
			t.Errorf("after the cure: %v, %v", next, err)
		}
	})
}
