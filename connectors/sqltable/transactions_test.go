//go:build services

package sqltable

import (
	"testing"

	"github.com/datong-dx/datong/internal/sqldb"
)

func TestTheWatermarkWaitsForTheOldestTransaction(t *testing.T) {
	p := postgresPlace(t)
	for _, column := range []struct{ name, definition, value string }{
		{"time", "timestamptz DEFAULT now()", "now()"},
		{"id", "bigserial", "DEFAULT"},
	} {
		t.Run(column.name, func(t *testing.T) {
			set := people(t, p)
			defer p.exec(t, "DROP TABLE people")
			p.exec(t, "ALTER TABLE people DROP changed, ADD changed "+column.definition)
			set["overlap"] = "0s"
			if column.name == "id" {
				set["overlap"] = "0"
			}
			p.exec(t, "INSERT INTO people VALUES (1, 'first', "+column.value+")")
			r := read(t, nil, set)
			r.all(t)
			open := p.db.MustBegin()
			defer open.Rollback() // does nothing after the commit
			open.MustExec("INSERT INTO people VALUES (2, 'in a long transaction', " + column.value + ")")
			p.exec(t, "INSERT INTO people VALUES (3, 'overtakes', "+column.value+")")
			r.until(t, func() bool { return r.count(3) > 0 })
			p.exec(t, "INSERT INTO people VALUES (4, 'overtakes too', "+column.value+")")
			r.until(t, func() bool { return r.count(4) > 0 })
			r.reopen(t)
			p.exec(t, "INSERT INTO people VALUES (5, 'after a restart', "+column.value+")")
			r.until(t, func() bool { return r.count(5) > 0 })
			if err := open.Commit(); err != nil {
				t.Fatal(err)
			}
			r.until(t, func() bool { return r.count(2) > 0 })
			p.exec(t, "INSERT INTO people VALUES (6, 'last', "+column.value+")")
			r.until(t, func() bool { return r.count(6) > 0 })
			for id := int64(1); id <= 6; id++ {
				if n := r.count(id); n != 1 {
					t.Errorf("row %d was read %d times", id, n)
				}
			}
		})
	}
}

func TestAKilledSessionIsAnErrorAndReopeningGoesOn(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		if p.Dialect == sqldb.SQLite {
			return // has no sessions
		}
		r := read(t, nil, people(t, p))
		put(t, p, 1, "before", 1)
		r.all(t)
		p.killReaders(t)
		put(t, p, 2, "after", 2)
		for r.count(2) == 0 {
			if _, err := r.next(t); err != nil {
				if sqldb.Classify(err) != sqldb.Retry {
					t.Fatalf("a killed session = %v, want an error that is worth a retry", err)
				}
				r.reopen(t)
			}
		}
		if r.count(1) != 1 || r.count(2) != 1 {
			t.Errorf("rows read: %v, want each once", r.rows)
		}
	})
}

// killReaders ends the sessions of sources from the server's side.
func (p *place) killReaders(t *testing.T) {
	t.Helper()
	if p.Dialect == sqldb.Postgres {
		p.exec(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE application_name = 'datong' AND query LIKE '%people%' AND datname = current_database() AND pid <> pg_backend_pid()`)
		return
	}
	var ids []string
	err := p.db.Select(&ids, "SELECT concat('KILL ', id) FROM information_schema.processlist WHERE db = DATABASE() AND id <> connection_id()")
	if err != nil {
		t.Fatal(err)
	}
	for _, kill := range ids {
		if _, err := p.db.Exec(kill); err != nil {
			t.Log(err) // gone already
		}
	}
}
