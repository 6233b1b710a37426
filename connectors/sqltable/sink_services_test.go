//go:build services

package sqltable

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

func init() {
	platforms["PostgreSQL"] = func(t testing.TB) *platform {
		schema := "Sink_" + strings.ToLower(rand.Text()[:10])
		p := newPlatform(t, serverURL(t, "DATONG_TEST_POSTGRES"), schema)
		t.Cleanup(func() { p.db.Exec("DROP SCHEMA IF EXISTS " + p.dialect.Quote(schema) + " CASCADE") })
		return p
	}
	platforms["MySQL"] = func(t testing.TB) *platform {
		database := "sink_" + strings.ToLower(rand.Text()[:10])
		address := serverURL(t, "DATONG_TEST_MYSQL")
		server := newPlatform(t, address, "")
		server.exec(t, "CREATE DATABASE "+database)
		t.Cleanup(func() { server.db.Exec("DROP DATABASE " + database) })
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		u.Path = "/" + database
		return newPlatform(t, u.String(), "")
	}
}

func serverURL(t testing.TB, variable string) string {
	t.Helper()
	if os.Getenv(variable) == "" {
		t.Fatalf("%s is not set: run deploy/testbed/testbed up, then source its env", variable)
	}
	return os.Getenv(variable)
}

func TestSinkSurvivesALostSession(t *testing.T) {
	onEach(t, func(t *testing.T, p *platform) {
		if p.dialect == sqldb.SQLite {
			return // has no sessions
		}
		table := firm()
		s := p.ready(t, table)
		write(t, s, advance(0, -1, 1), upsert(table, "A", "甲", 1))
		var id int64
		query, kill := "SELECT pg_backend_pid()", "SELECT pg_terminate_backend(%d)"
		if p.dialect == sqldb.MySQL {
			query, kill = "SELECT CONNECTION_ID()", "KILL %d"
		}
		if err := s.conn.GetContext(t.Context(), &id, query); err != nil {
			t.Fatal(err)
		}
		p.exec(t, fmt.Sprintf(kill, id))
		changes := changesOf(advance(0, 1, 2), upsert(table, "A", "甲二", 2))
		if err := s.Write(t.Context(), changes, noRefusals(t)); err == nil || sqldb.Classify(err) != sqldb.Retry {
			t.Errorf("writing over a killed session = %v, want an error to retry", err)
		}
		if err := s.Write(t.Context(), changes, noRefusals(t)); err != nil {
			t.Errorf("writing again: %v", err)
		}
		wantRows(t, p, allFirms, "A|甲二|2")
	})
}

func TestSinkFindsWhatADeferredConstraintRefuses(t *testing.T) {
	p := platforms["PostgreSQL"](t)
	table := firm()
	s := p.ready(t, table)
	p.exec(t, "ALTER TABLE {firm} ADD CONSTRAINT one_name UNIQUE (name) DEFERRABLE INITIALLY DEFERRED")
	write(t, s, advance(0, -1, 1), upsert(table, "A", "甲", 1))
	var refused []int
	err := s.Write(t.Context(), changesOf(advance(0, 1, 2), upsert(table, "B", "甲", 2), upsert(table, "C", "丙", 3)),
		func(_ context.Context, list []connectors.Refusal) error {
			for _, r := range list {
				refused = append(refused, r.Row)
			}
			return nil
		})
	if err != nil || len(refused) != 1 || refused[0] != 0 {
		t.Errorf("write = %v, refused %v, want row 0", err, refused)
	}
	wantRows(t, p, allFirms, "A|甲|1", "C|丙|3")
}

// PostgreSQL does not change a column that a view shows.
func TestSinkSaysWhatAViewPrevents(t *testing.T) {
	p := platforms["PostgreSQL"](t)
	table := firm()
	p.ready(t, table)
	p.exec(t, "CREATE VIEW "+p.name("firm_names")+" AS SELECT name FROM {firm}")
	table.Columns[2].Length = 400
	err := p.sink(t).Ensure(t.Context(), []*connectors.Table{table})
	var problem *connectors.Problem
	if !errors.As(err, &problem) || !errors.Is(err, connectors.ErrStop) {
		t.Fatalf("Ensure = %v, want a problem", err)
	}
	for _, want := range []string{"firm.name", "ALTER TABLE", "varchar(400)", "视图"} {
		if !strings.Contains(problem.In("zh"), want) {
			t.Errorf("problem = %s, want %s in it", problem.In("zh"), want)
		}
	}
	p.exec(t, "DROP VIEW "+p.name("firm_names"))
	p.ready(t, table)
}
