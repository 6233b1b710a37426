package sqltable

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/connectortest"
	"github.com/datong-dx/datong/internal/sqldb"
)

func TestSinkConformance(t *testing.T) {
	for name, open := range platforms {
		t.Run(name, func(t *testing.T) {
			connectortest.RunSink(t, connectortest.SinkHarness{New: func(tb testing.TB) *connectortest.SinkSystem {
				return open(tb).sinkSystem()
			}})
		})
	}
}

func (p *platform) sinkSystem() *connectortest.SinkSystem {
	return &connectortest.SinkSystem{
		Open: func(ctx context.Context) (connectors.Sink, error) {
			return openSink(ctx, connectors.SinkRequest{Settings: connectors.Settings{
				"url": p.url, "schema": p.schema, "table_prefix": "", "transaction_timeout": time.Minute,
			}})
		},
		Rows:   p.people,
		Refuse: p.refusePerson,
	}
}

// people returns the rows of the suite's table.
func (p *platform) people(t testing.TB) []connectortest.Row {
	t.Helper()
	var rows []connectortest.Row
	found, err := p.db.Query("SELECT id, text FROM " + p.name("people") + " ORDER BY id")
	if err != nil && sqldb.IsNoTable(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		var row connectortest.Row
		if err := found.Scan(&row.ID, &row.Text); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

func (p *platform) refusePerson(t testing.TB, id int) {
	t.Helper()
	if p.dialect == sqldb.SQLite { // which cannot add a constraint
		p.exec(t, fmt.Sprintf(`CREATE TRIGGER refuse BEFORE INSERT ON people WHEN NEW.id = %d BEGIN SELECT RAISE(ABORT, 'refused'); END`, id))
		return
	}
	p.exec(t, fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT refuse CHECK (id <> %d)", p.name("people"), id))
}
