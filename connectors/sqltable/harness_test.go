package sqltable

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/connectortest"
	"github.com/datong-dx/datong/internal/sqldb"
)

// with returns the source's default settings with some of them set.
func with(t testing.TB, set connectors.Settings) connectors.Settings {
	t.Helper()
	s := connectors.Settings{
		"url": "", "tables": []string(nil), "query": "", "name": "", "columns": []string(nil), "key": []string(nil),
		"mode": modeSnapshot, "watermark": "", "overlap": "", "poll": 5 * time.Millisecond, "every": 5 * time.Millisecond,
		"chunk": int64(10_000), "max_connections": int64(2), "statement_timeout": time.Minute,
	}
	for name, v := range set {
		if _, declared := s[name]; !declared {
			t.Fatalf("%s is no setting", name)
		}
		s[name] = v
	}
	return s
}

func openAt(t testing.TB, pos connectors.Position, set connectors.Settings) (connectors.Source, error) {
	t.Helper()
	return openSource(t.Context(), connectors.SourceRequest{Settings: with(t, set), Position: pos})
}

// place is an empty database of one test: how to reach it, and to write to it.
type place struct {
	url string
	db  *sqlx.DB
	sqldb.Dialect
}

func sqlitePlace(t testing.TB) *place {
	t.Helper()
	p := openPlace(t, "sqlite:"+filepath.Join(t.TempDir(), "部门.db"))
	p.exec(t, "PRAGMA user_version = 1") // makes the file
	return p
}

func openPlace(t testing.TB, url string) *place {
	t.Helper()
	db, dialect, err := sqldb.Open(url, 8)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &place{url: url, db: db, Dialect: dialect}
}

func (p *place) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	if _, err := p.db.Exec(p.db.Rebind(statement), args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// types names what the dialects call differently.
func (p *place) types() (timestamp, now string) {
	switch p.Dialect {
	case sqldb.Postgres:
		return "timestamptz", "clock_timestamp()"
	case sqldb.MySQL:
		return "datetime(6)", "utc_timestamp(6)"
	}
	return "text", "strftime('%Y-%m-%d %H:%M:%f', 'now')"
}

const tiedMark = "2026-01-01 00:00:00"

// system makes the suite's table in a place.
func (p *place) system(t testing.TB, elsewhere func(testing.TB) *place, settings connectors.Settings, updates bool) *connectortest.System {
	timestamp, now := p.types()
	p.exec(t, "CREATE TABLE people (id integer NOT NULL PRIMARY KEY, text varchar(200) NOT NULL, changed "+timestamp+" NOT NULL)")
	p.exec(t, "CREATE INDEX people_changed ON people (changed)")
	open := func(_ context.Context, at *place, pos connectors.Position) (connectors.Source, error) {
		s := connectors.Settings{"url": at.url, "tables": []string{"people"}, "chunk": int64(3)}
		for name, v := range settings {
			s[name] = v
		}
		return openAt(t, pos, s)
	}
	put := func(t testing.TB, mark string, rows []connectortest.Row) {
		t.Helper()
		tx := p.db.MustBegin()
		defer tx.Rollback() // does nothing after the commit
		for _, row := range rows {
			if _, err := tx.Exec(p.db.Rebind("DELETE FROM people WHERE id = ?"), row.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(p.db.Rebind("INSERT INTO people VALUES (?, ?, "+mark+")"), row.ID, row.Text); err != nil {
				t.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	s := &connectortest.System{
		Open: func(ctx context.Context, pos connectors.Position) (connectors.Source, error) {
			return open(ctx, p, pos)
		},
		OpenElsewhere: func(ctx context.Context, pos connectors.Position) (connectors.Source, error) {
			return open(ctx, elsewhere(t), pos)
		},
		Insert: func(t testing.TB, rows ...connectortest.Row) { put(t, now, rows) },
	}
	if updates {
		s.Update = s.Insert
	}
	return s
}

func harness(newPlace, elsewhere func(testing.TB) *place, mode string) connectortest.Harness {
	h := connectortest.Harness{Scans: true, Identity: true}
	settings := connectors.Settings{"mode": mode}
	switch mode {
	case modeSnapshot:
		h.Finite = true
	case modeDifference:
		h.Rescans, h.Updates = true, true
	case modeWatermark:
		h.Incremental, h.Updates, h.Ties = true, true, true
		settings["watermark"] = "changed"
	}
	h.New = func(t testing.TB) *connectortest.System {
		p := newPlace(t)
		s := p.system(t, elsewhere, settings, h.Updates)
		if h.Ties {
			s.InsertTied = p.insertTied
		}
		return s
	}
	return h
}

// insertTied gives every row one watermark, a minute ahead of the rest and within what the clock allows.
func (p *place) insertTied(t testing.TB, rows ...connectortest.Row) {
	t.Helper()
	for _, row := range rows {
		p.exec(t, "INSERT INTO people SELECT ?, ?, coalesce(max(changed), "+fmt.Sprintf("'%s'", tiedMark)+") FROM people", row.ID, row.Text)
	}
}

// placeMaker makes empty databases; elsewhere is another server, or what a source takes for one.
type placeMaker struct{ here, elsewhere func(testing.TB) *place }

// places are the databases under test: SQLite in a file, and the real ones with the tag services.
var places = map[string]placeMaker{"SQLite": {sqlitePlace, sqlitePlace}}

// onEachPlace runs a test on each database.
func onEachPlace(t *testing.T, test func(t *testing.T, p *place)) {
	t.Helper()
	for name, maker := range places {
		t.Run(name, func(t *testing.T) { test(t, maker.here(t)) })
	}
}

func TestConformance(t *testing.T) {
	for name, maker := range places {
		for _, mode := range []string{modeSnapshot, modeWatermark, modeDifference} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				connectortest.Run(t, harness(maker.here, maker.elsewhere, mode))
			})
		}
	}
}
