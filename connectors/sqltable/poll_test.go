package sqltable

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

func TestARowThatCommitsLateWithinTheOverlapIsSeenOnce(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		r := read(t, nil, people(t, p))
		put(t, p, 1, "first", 10)
		r.all(t)
		put(t, p, 2, "on time", 20)
		r.until(t, func() bool { return r.count(2) > 0 })
		put(t, p, 3, "late by four seconds", 16)
		put(t, p, 4, "late by more than the overlap", 14.9)
		r.until(t, func() bool { return r.count(3) > 0 })
		r.reopen(t)
		put(t, p, 5, "late after a restart", 15.5)
		r.until(t, func() bool { return r.count(5) > 0 })
		put(t, p, 6, "last", 30)
		r.until(t, func() bool { return r.count(6) > 0 })
		want := []got{{1, "first", false}, {2, "on time", false}, {3, "late by four seconds", false},
			{5, "late after a restart", false}, {6, "last", false}}
		if diff := cmp.Diff(want, r.rows, cmp.AllowUnexported(got{})); diff != "" {
			t.Errorf("rows read (-want +got):\n%s", diff)
		}
	})
}

func TestRowsOfEqualWatermarkAreReadOnceWhateverTheChunk(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		set := people(t, p)
		put(t, p, 1000, "before", 1)
		for chunk := int64(1); chunk <= 9; chunk += 2 {
			p.exec(t, "DELETE FROM people WHERE id < 1000")
			set["chunk"] = chunk
			r := read(t, nil, set)
			r.all(t)
			for id := range 8 {
				put(t, p, id, "tied", 10)
			}
			r.until(t, func() bool { return len(r.rows) >= 4 })
			r.reopen(t)
			r.until(t, func() bool { return len(r.rows) >= 9 })
			for id := 8; id < 12; id++ {
				put(t, p, id, "tied later", 10)
			}
			r.until(t, func() bool { return len(r.rows) >= 13 })
			for id := range int64(12) {
				if n := r.count(id); n != 1 {
					t.Errorf("chunk %d: row %d was read %d times", chunk, id, n)
				}
			}
			r.Close()
		}
	})
}

func TestARowThatReturnsToWhatItHeldUnderTheSameWatermarkIsRead(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		r := read(t, nil, people(t, p))
		write := func(text string) {
			t.Helper()
			p.exec(t, "UPDATE people SET text = ? WHERE id = 4", text)
			r.until(t, func() bool { return r.rows[len(r.rows)-1].text == text })
		}
		for id := range 9 {
			put(t, p, id, "tied", 10)
		}
		r.until(t, func() bool { return len(r.rows) == 9 })
		write("other")
		write("tied")
		write("other")
		r.reopen(t)
		write("tied")
		if len(r.rows) != 13 {
			t.Errorf("rows read: %v, want nine and four changes of one", r.rows)
		}
	})
}

func TestADateAsWatermarkIsAWholeDay(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		p.exec(t, "CREATE TABLE people (id bigint NOT NULL PRIMARY KEY, text varchar(200), changed date)")
		r := read(t, nil, connectors.Settings{"url": p.url, "tables": []string{"people"}, "mode": modeWatermark, "watermark": "changed"})
		insert := func(id int, day string) {
			t.Helper()
			p.exec(t, "INSERT INTO people VALUES (?, '一', ?)", id, day)
			r.until(t, func() bool { return r.count(int64(id)) > 0 })
		}
		insert(1, "2026-03-01")
		insert(2, "2026-03-01")
		insert(3, "2026-03-02")
		insert(4, "2026-03-01") // late by the overlap: midnight has just passed
		r.reopen(t)
		insert(5, "2026-03-02")
		insert(6, "2026-03-03")
		if len(r.rows) != 6 {
			t.Errorf("rows read: %v, want each of six once", r.rows)
		}
	})
}

func TestTheWindowOutgrowsThePosition(t *testing.T) {
	stored := windowStored
	windowStored = 2000
	t.Cleanup(func() { windowStored = stored })
	p := sqlitePlace(t)
	set := people(t, p)
	set["chunk"] = int64(400)
	put(t, p, 0, "before", 0)
	r := read(t, nil, set)
	r.all(t)
	bulk := windowStored + 1000
	p.exec(t, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO people SELECT i, 'bulk', ? FROM n`, bulk, at(10))
	r.until(t, func() bool { return len(r.rows) == bulk+1 })
	put(t, p, bulk+1, "in the same process", 10)
	r.until(t, func() bool { return len(r.rows) == bulk+2 })
	if last := r.rows[len(r.rows)-1]; last.doubtful || last.id != int64(bulk+1) {
		t.Errorf("the same process read %+v again", last)
	}
	if most := 10*stored + 1000; len(r.pos) > 10*windowStored+1000 || most > 1<<20 {
		t.Errorf("the position has %d bytes for %d rows, and may have %d", len(r.pos), windowStored, most)
	}
	r.reopen(t)
	r.rows = nil
	put(t, p, bulk+2, "after a restart", 20)
	r.until(t, func() bool { return r.count(int64(bulk+2)) > 0 })
	again := r.rows[:len(r.rows)-1]
	if len(again) == 0 || len(again) > bulk+2-windowStored {
		t.Errorf("%d rows were read again, want the %d that the position had no room for", len(again), bulk+2-windowStored)
	}
	for _, row := range again {
		if !row.doubtful {
			t.Fatalf("row %+v was read again and is not doubtful", row)
		}
	}
	if r.rows[len(r.rows)-1].doubtful {
		t.Error("a row beyond the window is doubtful")
	}
}

func TestAnOlderStateIsScannedAndDoesNotFreeze(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		r := read(t, nil, people(t, p))
		for id := range 5 {
			put(t, p, id, "state", float64(10*id))
		}
		r.all(t)
		before := r.last
		r.Close()
		p.exec(t, "DELETE FROM people WHERE id > 1")
		put(t, p, 1, "restored", 12)
		r.rows, r.scans = nil, nil
		r.reopen(t)
		r.until(t, func() bool { return len(r.scans) > 0 })
		if diff := cmp.Diff([]got{{0, "state", false}, {1, "restored", false}}, r.rows, cmp.AllowUnexported(got{})); diff != "" {
			t.Errorf("rows read after the restore (-want +got):\n%s", diff)
		}
		if scan := r.scans[0]; !scan.Complete || scan.ID != 2 || r.last.Generation != before.Generation+1 {
			t.Errorf("scan %+v in generation %d after %d, want a second, complete one in a higher generation", scan, r.last.Generation, before.Generation)
		}
		put(t, p, 7, "new", 14)
		r.until(t, func() bool { return r.count(7) == 1 })
	})
}

func TestARowFromTheFutureDoesNotCarryTheWatermarkAway(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		r := read(t, nil, people(t, p))
		put(t, p, 1, "now", 0)
		p.exec(t, "INSERT INTO people VALUES (2, 'far', '2099-12-31 00:00:00')")
		r.all(t)
		put(t, p, 3, "later", 60)
		r.until(t, func() bool { return r.count(3) > 0 })
		r.reopen(t)
		p.exec(t, "INSERT INTO people VALUES (4, 'far too', '2098-12-31 00:00:00')")
		put(t, p, 5, "later still", 61)
		r.until(t, func() bool { return r.count(4) > 0 && r.count(5) > 0 })
		for id := int64(1); id <= 5; id++ {
			if n := r.count(id); n != 1 {
				t.Errorf("row %d was read %d times", id, n)
			}
		}
	})
}

func TestWritersAtOnce(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		r := read(t, nil, people(t, p))
		_, now := p.types()
		if p.Dialect == sqldb.Postgres {
			now = "date_trunc('second', now())" // the transaction's start, and many ties
		}
		var writers sync.WaitGroup
		for w := range 3 {
			writers.Go(func() { writeAtRandom(t, p, w, now) })
		}
		finished := make(chan struct{})
		go func() { writers.Wait(); close(finished) }()
		for n := 0; ; n++ {
			if _, err := r.next(t); err != nil {
				t.Fatal(err)
			}
			if n%7 == 6 {
				r.reopen(t)
			}
			select {
			case <-finished:
				put(t, p, 9999, "the end", time.Since(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)).Seconds()+3)
				finished = nil
			default:
			}
			if r.count(9999) > 0 {
				break
			}
		}
		checkDelivered(t, p, r)
	})
}

// writeAtRandom makes transactions of a few rows each, some of which stay open for a while. A deadlock between writers
// takes a transaction back.
func writeAtRandom(t *testing.T, p *place, writer int, now string) {
	random := rand.New(rand.NewPCG(1, uint64(writer)))
	for n := range 60 {
		tx := p.db.MustBegin()
		var err error
		for range 1 + random.IntN(5) {
			id := 100*writer + random.IntN(40)
			text := fmt.Sprintf("writer %d, transaction %d, %d", writer, n, random.Uint32())
			if _, err = tx.Exec(p.db.Rebind("DELETE FROM people WHERE id = ?"), id); err != nil {
				break
			}
			if _, err = tx.Exec(p.db.Rebind("INSERT INTO people VALUES (?, ?, "+now+")"), id, text); err != nil {
				break
			}
		}
		time.Sleep(time.Duration(random.IntN(30)) * time.Millisecond) // how long the transaction is open: what is tested
		if err == nil {
			err = tx.Commit()
		} else {
			err = errors.Join(err, tx.Rollback())
		}
		if err != nil && sqldb.Classify(err) != sqldb.Retry {
			t.Errorf("write: %v", err)
		}
	}
}

// checkDelivered compares the last version read of each row with the table, and looks for versions read twice.
func checkDelivered(t *testing.T, p *place, r *reading) {
	t.Helper()
	read, versions := map[int64]string{}, map[got]int{}
	for _, row := range r.rows {
		read[row.id] = row.text
		if versions[row]++; versions[row] == 2 {
			t.Errorf("%+v was read twice", row)
		}
	}
	rows, err := p.db.Query("SELECT id, text FROM people")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			t.Fatal(err)
		}
		if read[id] != text {
			t.Errorf("row %d is %q in the table, last read as %q", id, text, read[id])
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
