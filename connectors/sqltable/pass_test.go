package sqltable

import (
	"fmt"
	"testing"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

func TestAnIDAsWatermark(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		p.exec(t, "CREATE TABLE people (id bigint NOT NULL PRIMARY KEY, text varchar(20))")
		set := connectors.Settings{"url": p.url, "tables": []string{"people"}, "mode": modeWatermark, "watermark": "id", "overlap": "10", "chunk": int64(3)}
		r := read(t, nil, set)
		insert := func(id int64) {
			t.Helper()
			p.exec(t, "INSERT INTO people VALUES (?, 'row')", id)
		}
		for id := range int64(20) {
			insert(100 + id)
		}
		r.all(t)
		insert(130)
		r.until(t, func() bool { return r.count(130) > 0 })
		insert(121) // took its number earlier
		insert(99)  // and this one much too early
		r.until(t, func() bool { return r.count(121) > 0 })
		r.reopen(t)
		insert(122)
		r.until(t, func() bool { return r.count(122) > 0 })
		if len(r.rows) != 23 || r.count(99) != 0 {
			t.Errorf("%d rows were read, want each of 23 once: %v", len(r.rows), r.rows)
		}
	})
}

func TestATimeKeptAsTextIsAWatermark(t *testing.T) {
	for _, layout := range []struct{ name, base string }{
		{"digits", "202603011200%02d"}, {"date and time", "2026-03-01 12:00:%02d"}, {"fraction", "2026-03-01 12:00:%02d.125"}, {"T", "2026-03-01T12:00:%02d"},
	} {
		t.Run(layout.name, func(t *testing.T) {
			onEachPlace(t, func(t *testing.T, p *place) {
				set := people(t, p)
				p.exec(t, "DROP TABLE people")
				p.exec(t, "CREATE TABLE people (id bigint NOT NULL PRIMARY KEY, text varchar(20), changed varchar(30))")
				r := read(t, nil, set)
				insert := func(id int64, second int) {
					t.Helper()
					p.exec(t, "INSERT INTO people VALUES (?, 'row', ?)", id, fmt.Sprintf(layout.base, second))
				}
				insert(1, 10)
				r.all(t)
				insert(2, 20)
				r.until(t, func() bool { return r.count(2) > 0 })
				insert(3, 16)
				insert(4, 11) // later than the overlap
				r.until(t, func() bool { return r.count(3) > 0 })
				r.reopen(t)
				insert(5, 20)
				r.until(t, func() bool { return r.count(5) > 0 })
				if len(r.rows) != 4 {
					t.Errorf("rows read: %v, want 1, 2, 3 and 5 once", r.rows)
				}
			})
		})
	}
}

func TestATableWithoutAKeyIsPolled(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		set := people(t, p)
		p.exec(t, "DROP TABLE people")
		timestamp, _ := p.types()
		p.exec(t, "CREATE TABLE people (id bigint, text varchar(20), changed "+timestamp+")")
		r := read(t, nil, set)
		insert := func(id int64, seconds float64) {
			t.Helper()
			p.exec(t, "INSERT INTO people VALUES (?, 'row', ?)", id, at(seconds))
		}
		for id := range int64(10) {
			insert(id, 10)
		}
		r.all(t)
		insert(10, 10)
		insert(11, 6)
		r.until(t, func() bool { return r.count(10) > 0 && r.count(11) > 0 })
		r.reopen(t)
		insert(12, 12)
		r.until(t, func() bool { return r.count(12) > 0 })
		if len(r.rows) != 13 {
			t.Errorf("rows read: %v, want each of 13 once", r.rows)
		}
	})
}

func TestRowsWithoutAWatermarkAreReadByTheScanAlone(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		r := read(t, nil, people(t, p))
		p.exec(t, "INSERT INTO people VALUES (1, 'never changed', NULL)")
		r.all(t)
		p.exec(t, "INSERT INTO people VALUES (2, 'not seen', NULL)")
		put(t, p, 3, "seen", 5)
		r.until(t, func() bool { return r.count(3) > 0 })
		r.wantTexts(t, "never changed", "seen")
	})
}

func TestColumnsThatChangeWhileATableIsPolled(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		r := read(t, nil, people(t, p))
		put(t, p, 1, "narrow", 10)
		r.all(t)
		p.exec(t, "ALTER TABLE people ADD extra varchar(10) DEFAULT 'more'")
		put2 := func(id int, seconds float64) {
			t.Helper()
			p.exec(t, "INSERT INTO people (id, text, changed) VALUES (?, 'row', ?)", id, at(seconds))
			r.until(t, func() bool { return r.count(int64(id)) > 0 })
		}
		put2(2, 20)
		if p.Dialect != sqldb.SQLite {
			p.exec(t, map[sqldb.Dialect]string{
				sqldb.Postgres: "ALTER TABLE people ALTER text TYPE text, ALTER changed TYPE timestamp USING changed AT TIME ZONE 'UTC'",
				sqldb.MySQL:    "ALTER TABLE people MODIFY text longtext, MODIFY changed datetime(3)"}[p.Dialect])
			put2(3, 30)
		}
		p.exec(t, "ALTER TABLE people RENAME COLUMN text TO words")
		p.exec(t, "INSERT INTO people (id, words, changed) VALUES (4, 'renamed', ?)", at(40))
		for {
			b, err := r.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, row := range b.Rows {
				words := row.Table.Index("words")
				found = found || words >= 0 && string(row.Values[words].Bytes()) == "renamed"
			}
			b.Release()
			if found {
				return
			}
		}
	})
}

func TestAColumnThatIsNeededAndGoneStopsTheSource(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		r := read(t, nil, people(t, p))
		put(t, p, 1, "first", 10)
		r.all(t)
		dropWatermark(t, p)
		for {
			if _, err := r.next(t); err != nil {
				wantStop(t, err, "there is no column changed")
				return
			}
		}
	})
}

func dropWatermark(t *testing.T, p *place) {
	t.Helper()
	p.exec(t, "DROP INDEX people_changed"+map[bool]string{true: " ON people"}[p.Dialect == sqldb.MySQL])
	p.exec(t, "ALTER TABLE people DROP COLUMN changed")
}
