package sqltable

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// texts returns the texts of the rows read, sorted.
func (r *reading) texts() []string {
	all := make([]string, len(r.rows))
	for i, row := range r.rows {
		all[i] = row.text
	}
	slices.Sort(all)
	return all
}

func (r *reading) wantTexts(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := r.texts(); !slices.Equal(got, want) {
		t.Errorf("texts read: %q, want %q", got, want)
	}
}

func TestAScanWithoutAKeyReadsEveryRowAndBeginsAgainAfterACrash(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		p.exec(t, "CREATE TABLE people (id bigint, text varchar(20))")
		for i := range 5 {
			p.exec(t, "INSERT INTO people VALUES (?, ?)", i%2, fmt.Sprint("row ", i))
		}
		r := read(t, nil, connectors.Settings{"url": p.url, "tables": []string{"people"}, "chunk": int64(2)})
		if _, err := r.next(t); err != nil {
			t.Fatal(err)
		}
		r.rows = nil
		r.reopen(t)
		r.all(t)
		r.wantTexts(t, "row 0", "row 1", "row 2", "row 3", "row 4")
		if scan := r.scans[0]; scan.Resumable || !scan.Complete || scan.ID != 1 {
			t.Errorf("scan %+v, want the first, complete and not resumable", scan)
		}
	})
}

func TestAKeyThatMayBeNullLosesNoRow(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		p.exec(t, "CREATE TABLE people (id bigint, part varchar(9), text varchar(20))")
		insert := func(id, part any, text string) {
			t.Helper()
			p.exec(t, "INSERT INTO people VALUES (?, ?, ?)", id, part, text)
		}
		insert(1, "a", "one a")
		insert(1, nil, "one without part")
		insert(2, "b", "two b")
		insert(2, "b", "two b again")
		insert(nil, "c", "c without id")
		insert(nil, nil, "nothing")
		set := connectors.Settings{"url": p.url, "tables": []string{"people"}, "key": []string{"id", "part"}, "chunk": int64(1)}
		r := read(t, nil, set)
		r.all(t)
		r.wantTexts(t, "one a", "one without part", "two b", "two b again", "c without id", "nothing")
	})
}

func TestAKeyThatIsNotUniqueKeepsItsRowsTogether(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		p.exec(t, "CREATE TABLE people (id bigint NOT NULL, text varchar(20))")
		var want []string
		for i := range 30 {
			want = append(want, fmt.Sprint("row ", i))
			p.exec(t, "INSERT INTO people VALUES (?, ?)", i/7, want[i])
		}
		for chunk := int64(1); chunk < 12; chunk += 3 {
			r := read(t, nil, connectors.Settings{"url": p.url, "tables": []string{"people"}, "key": []string{"id"}, "chunk": chunk})
			for len(r.rows) < 14 {
				if _, err := r.next(t); err != nil {
					t.Fatal(err)
				}
			}
			r.reopen(t)
			r.all(t)
			r.wantTexts(t, slices.Clone(want)...)
		}
	})
}

// Keys that the database finds equal or orders in its own way must not end a range early: only the database compares.
func TestKeysAreOrderedAsTheDatabaseOrdersThem(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		p.exec(t, "CREATE TABLE people (code varchar(20) NOT NULL, day date NOT NULL, amount numeric(20,4) NOT NULL, id bigint, text varchar(40), PRIMARY KEY (code, day, amount))")
		var want []string
		for i, code := range []string{"a", "B", "b2", "Z", "é", "张", "李", "-1", "10", "9"} {
			for _, amount := range []string{"-1.5000", "9.0000", "10.0001", "9007199254740993.0001"} {
				want = append(want, fmt.Sprint(i, " ", amount))
				p.exec(t, "INSERT INTO people VALUES (?, ?, ?, ?, ?)", code, "2026-03-01", amount, i, want[len(want)-1])
			}
		}
		r := read(t, nil, connectors.Settings{"url": p.url, "tables": []string{"people"}, "chunk": int64(3)})
		for n := range 4 {
			if _, err := r.next(t); err != nil {
				t.Fatal(n, err)
			}
			r.reopen(t)
		}
		r.all(t)
		r.wantTexts(t, want...)
	})
}

func TestDifferenceReadsAgainUnderANewIDAndResumesUnderTheOldOne(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		set := people(t, p)
		set["mode"], set["watermark"], set["chunk"] = modeDifference, "", int64(2)
		for id := range 5 {
			put(t, p, id, "first", 0)
		}
		r := read(t, nil, set)
		if _, err := r.next(t); err != nil {
			t.Fatal(err)
		}
		r.reopen(t)
		r.until(t, func() bool { return len(r.scans) == 1 })
		if len(r.rows) != 5 || r.scans[0].ID != 1 {
			t.Fatalf("a resumed scan %+v read %v, want five rows under the first id", r.scans[0], r.rows)
		}
		p.exec(t, "DELETE FROM people WHERE id = 3")
		p.exec(t, "UPDATE people SET text = 'second' WHERE id = 1") // without a new change time
		r.until(t, func() bool { return slices.Contains(r.texts(), "second") })
		r.until(t, func() bool { return r.scans[len(r.scans)-1].ID > 2 })
		for n, scan := range r.scans {
			if scan.ID != uint64(n+1) || !scan.Complete {
				t.Errorf("scan %d is %+v", n, scan)
			}
		}
	})
}

func TestAQueryIsReadLikeATable(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		people(t, p)
		put(t, p, 1, "one", 1)
		put(t, p, 2, "two", 2)
		set := connectors.Settings{
			"url": p.url, "query": "SELECT p.id, upper(p.text) AS text, p.changed FROM people p WHERE p.id <> 2;", "name": "shouted",
			"key": []string{"id"}, "mode": modeWatermark, "watermark": "changed", "columns": []string{"id", "text"}}
		r := read(t, nil, set)
		r.all(t)
		put(t, p, 3, "three", 3)
		r.until(t, func() bool { return r.count(3) > 0 })
		r.wantTexts(t, "ONE", "THREE")
		if r.scans[0].Set != "shouted" {
			t.Errorf("the set is called %q", r.scans[0].Set)
		}
	})
}

func TestRowsTooLargeForOneStatementAreReadInSeveral(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		large := map[sqldb.Dialect]string{sqldb.MySQL: "longtext"}[p.Dialect]
		if large == "" {
			large = "text"
		}
		p.exec(t, "CREATE TABLE people (id bigint NOT NULL PRIMARY KEY, text "+large+")")
		for id := range 12 {
			p.exec(t, "INSERT INTO people VALUES (?, ?)", id, strings.Repeat(string(rune('a'+id)), chunkBytes/4))
		}
		r := read(t, nil, connectors.Settings{"url": p.url, "tables": []string{"people"}})
		most := 0
		for before := 0; len(r.rows) < 12; before = len(r.rows) {
			if _, err := r.next(t); err != nil {
				t.Fatal(err)
			}
			most = max(most, len(r.rows)-before)
		}
		if most > 1 {
			t.Errorf("a batch held %d rows of 2 MiB", most)
		}
		for i, row := range r.rows {
			if row.id != int64(i) || len(row.text) != chunkBytes/4 || row.text[0] != byte('a'+i) {
				t.Errorf("row %d is row %d of %d bytes", i, row.id, len(row.text))
			}
		}
	})
}

func TestSessionsAreReadOnlyAndFew(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		src := read(t, nil, people(t, p)).Source.(*source)
		for _, write := range []string{"INSERT INTO people VALUES (1, 'x', NULL)", "CREATE TABLE other (id int)", "DELETE FROM people"} {
			_, err := src.db.ExecContext(t.Context(), write)
			if err == nil || sqldb.Classify(err) != sqldb.Stop {
				t.Errorf("%s: %v, want a refusal", write, err)
			}
		}
		if n := src.db.Stats().MaxOpenConnections; n != 2 {
			t.Errorf("%d connections may be open, want 2", n)
		}
	})
}

func TestAStatementThatTakesTooLongIsEnded(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		if p.Dialect == sqldb.SQLite {
			return // has no limit of time
		}
		sleep := map[sqldb.Dialect]string{sqldb.Postgres: "pg_sleep(60)", sqldb.MySQL: "sleep(60)"}[p.Dialect]
		r := read(t, nil, connectors.Settings{"url": p.url, "query": "SELECT 1 AS id, '' AS text FROM (SELECT " + sleep + " AS nap) AS naps",
			"name": "slow", "key": []string{"id"}, "statement_timeout": 50 * time.Millisecond})
		begun := time.Now()
		if _, err := r.next(t); err == nil {
			t.Error("a statement that sleeps was read")
		}
		if took := time.Since(begun); took > 15*time.Second {
			t.Errorf("it was ended after %v", took)
		}
	})
}

// A row that was polled by a watermark is read again by a scan, whose order is another: its generation is higher, so that
// what comes now does not seem older.
func TestAnotherModeBeginsAnotherGeneration(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		set := people(t, p)
		put(t, p, 1, "scanned", 10)
		r := read(t, nil, set)
		r.all(t)
		put(t, p, 1, "polled", 20)
		r.until(t, func() bool { return r.count(1) == 2 })
		before := r.last
		set["mode"], set["watermark"] = modeDifference, ""
		r.reopen(t)
		r.until(t, func() bool { return r.count(1) == 3 })
		if r.last.Generation <= before.Generation {
			t.Errorf("order %+v after %+v, want a higher generation", r.last, before)
		}
	})
}
