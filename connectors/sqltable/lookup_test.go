package sqltable

import (
	"errors"
	"slices"
	"testing"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// lookedUp returns column text of the rows that a lookup finds, sorted.
func lookedUp(t *testing.T, src connectors.Getter, set string, columns []string, keys [][]connectors.Value) []string {
	t.Helper()
	b, err := src.Get(t.Context(), set, columns, keys)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Release()
	texts := []string{}
	for _, row := range b.Rows {
		texts = append(texts, string(row.Values[row.Table.Index("text")].AppendText(nil)))
	}
	slices.Sort(texts)
	return texts
}

func TestGetFindsRowsByAnyColumns(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		p.exec(t, "CREATE TABLE people (id bigint NOT NULL PRIMARY KEY, part varchar(9), amount numeric(12,2), born date, text varchar(20))")
		p.exec(t, "INSERT INTO people VALUES (1, 'a', 10.50, '2001-02-03', 'one')")
		p.exec(t, "INSERT INTO people VALUES (2, 'b', 10.5, '2001-02-04', 'two')")
		p.exec(t, "INSERT INTO people VALUES (3, NULL, NULL, NULL, 'three')")
		src := read(t, nil, connectors.Settings{"url": p.url, "tables": []string{"people"}}).Source.(*source)
		text := func(s string) connectors.Value { return connectors.String([]byte(s)) }
		for _, c := range []struct {
			name    string
			columns []string
			keys    [][]connectors.Value
			want    []string
		}{
			{"nothing asked", []string{"id"}, nil, []string{}},
			{"numbers", []string{"id"}, [][]connectors.Value{{connectors.Int(1)}, {connectors.Int(9)}, {connectors.Int(3)}}, []string{"one", "three"}},
			{"texts", []string{"part"}, [][]connectors.Value{{text("b")}, {text("b")}}, []string{"two"}},
			{"an exact decimal", []string{"amount"}, [][]connectors.Value{{connectors.Decimal([]byte("10.5"))}}, []string{"one", "two"}},
			{"a date", []string{"born"}, [][]connectors.Value{{connectors.Date(11356)}}, []string{"one"}},
			{"two columns", []string{"part", "id"}, [][]connectors.Value{{text("a"), connectors.Int(1)}, {text("a"), connectors.Int(2)}}, []string{"one"}},
			{"a null", []string{"part", "born"}, [][]connectors.Value{{connectors.Null(), connectors.Null()}, {text("b"), connectors.Date(11357)}}, []string{"three", "two"}},
			{"what would be code", []string{"part"}, [][]connectors.Value{{text("' OR '1'='1")}, {text("\\' OR 1=1 -- ")}}, []string{}},
		} {
			t.Run(c.name, func(t *testing.T) {
				if got := lookedUp(t, src, "people", c.columns, c.keys); !slices.Equal(got, c.want) {
					t.Errorf("found %q, want %q", got, c.want)
				}
			})
		}
		_, err := src.Get(t.Context(), "people", []string{"nonsense"}, [][]connectors.Value{{connectors.Int(1)}})
		wantStop(t, err, "there is no column nonsense")
	})
}

func TestGetTakesAThousandKeysAndSeesNewColumns(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		set := people(t, p)
		put(t, p, 999, "last", 1)
		src := read(t, nil, set).Source.(*source)
		keys := make([][]connectors.Value, 1000)
		for i := range keys {
			keys[i] = []connectors.Value{connectors.Int(int64(i)), connectors.String([]byte("last"))}
		}
		for range 2 {
			if got := lookedUp(t, src, "people", []string{"id", "text"}, keys); !slices.Equal(got, []string{"last"}) {
				t.Fatalf("found %q", got)
			}
		}
		if p.Dialect != sqldb.SQLite {
			p.exec(t, map[sqldb.Dialect]string{
				sqldb.Postgres: "ALTER TABLE people ALTER id TYPE numeric", sqldb.MySQL: "ALTER TABLE people MODIFY id decimal(30)"}[p.Dialect])
		}
		dropWatermark(t, p)
		_, err := src.Get(t.Context(), "people", []string{"id"}, [][]connectors.Value{{connectors.Int(999)}})
		if err == nil {
			t.Fatal("a lookup went on as if no column had gone")
		}
		if _, err = src.Get(t.Context(), "people", []string{"id"}, [][]connectors.Value{{connectors.Int(999)}}); err != nil {
			wantStop(t, err, "there is no column changed") // it is the watermark
		}
	})
}

func TestDiscoverListsTablesAndViews(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		p.exec(t, "CREATE TABLE people (id bigint NOT NULL, part varchar(9) NOT NULL, text varchar(20), PRIMARY KEY (part, id))")
		p.exec(t, "CREATE VIEW old_people AS SELECT text FROM people")
		src := read(t, nil, connectors.Settings{"url": p.url, "tables": []string{"people"}}).Source.(*source)
		tables, err := src.Discover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]*connectors.Table{}
		for _, table := range tables {
			found[table.Name] = table
		}
		if found["people"] == nil || found["old_people"] == nil {
			t.Fatalf("found %v", found)
		}
		if got := found["people"]; !slices.Equal(got.Key, []int{1, 0}) || !got.Unique || len(got.Columns) != 3 || got.Columns[1].Length != 9 && p.Dialect == sqldb.Postgres {
			t.Errorf("table %+v", got)
		}
		if got := found["old_people"]; len(got.Key) != 0 || len(got.Columns) != 1 {
			t.Errorf("view %+v", got)
		}
	})
}

func TestAPositionOfNoKnownKindIsRefused(t *testing.T) {
	p := sqlitePlace(t)
	set := people(t, p)
	put(t, p, 1, "one", 1)
	r := read(t, nil, set)
	r.all(t)
	good := r.pos
	for cut := range good {
		for _, bad := range [][]byte{good[:cut], append(slices.Clone(good[:cut]), 0xff)} {
			if _, err := openAt(t, bad, set); err != nil && !errors.Is(err, connectors.ErrPosition) {
				t.Fatalf("position cut at %d: %v", cut, err)
			}
		}
	}
}
