//go:build services

package delivery

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/sqltable"
	"github.com/datong-dx/datong/internal/sqldb"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// The tables of all entities are made on every database, and found as they should be the next time.
func TestEveryEntityHasATable(t *testing.T) {
	addresses := map[string]func(t *testing.T) string{
		"PostgreSQL": func(t *testing.T) string { return newPlatform(t, "DATONG_TEST_POSTGRES").url },
		"MySQL":      func(t *testing.T) string { return newPlatform(t, "DATONG_TEST_MYSQL").url },
		"SQLite":     func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "platform.db") },
	}
	tables, err := entityTables(dictionary.Builtin(), nil)
	if err != nil {
		t.Fatal(err)
	}
	all := (&Delivery{tables: tables}).allTables()
	for name, address := range addresses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := address(t)
			ensure(t, url, all)
			if log := ensure(t, url, all); log != "" {
				t.Errorf("the second time something was changed:\n%s", log)
			}
			wantComments(t, url, all)
		})
	}
}

// ensure makes the tables and returns what was logged.
func ensure(t *testing.T, url string, tables []*connectors.Table) string {
	t.Helper()
	var log bytes.Buffer
	sink, err := sqltable.Connector().OpenSink(t.Context(), connectors.SinkRequest{
		Settings: connectors.Settings{"url": url, "schema": "", "table_prefix": "", "transaction_timeout": time.Minute},
		Log:      slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	if err := sink.Ensure(t.Context(), tables); err != nil {
		t.Fatal(err)
	}
	return log.String()
}

// wantComments compares the comments in the database with the dictionary's Chinese titles. SQLite has none.
func wantComments(t *testing.T, url string, tables []*connectors.Table) {
	t.Helper()
	db, dialect, err := sqldb.Open(url, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	query := map[sqldb.Dialect]string{
		sqldb.Postgres: "SELECT COALESCE(col_description($1::regclass, attnum), '') FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2",
		sqldb.MySQL:    "SELECT column_comment FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?",
	}[dialect]
	for _, table := range tables {
		for _, c := range table.Columns {
			var got string
			if query == "" {
				continue
			}
			if err := db.Get(&got, query, table.Name, c.Name); err != nil || got != c.Comment.Zh || got == "" {
				t.Errorf("comment of %s.%s = %q, %v, want %q", table.Name, c.Name, got, err, c.Comment.Zh)
			}
		}
	}
}
