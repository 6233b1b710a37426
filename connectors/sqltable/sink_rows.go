package sqltable

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// multiRow writes with statements of many rows: INSERT … VALUES (…), (…), …. It serves MySQL and SQLite.
type multiRow struct {
	conn       *sqlx.Conn
	dialect    sqldb.Dialect
	parameters int // of one statement, at most
	perChunk   int // rows at most
	bytes      int // of values at most
	statements map[string]*sql.Stmt
	args       []any
}

func newMultiRow(conn *sqlx.Conn, dialect sqldb.Dialect) *multiRow {
	m := &multiRow{conn: conn, dialect: dialect, statements: map[string]*sql.Stmt{}}
	if dialect == sqldb.MySQL {
		// A statement takes 65,535 parameters, and a packet 16 MiB by default in MariaDB.
		m.parameters, m.perChunk, m.bytes = 60000, 1000, 4<<20
	} else {
		// SQLITE_MAX_VARIABLE_NUMBER is 32,766; beyond some hundred rows a longer statement gains nothing.
		m.parameters, m.perChunk, m.bytes = 30000, 200, 64<<20
	}
	return m
}

// prepare does nothing: there is nothing to be made.
func (m *multiRow) prepare(context.Context, *sinkTable, int) error { return nil }

func (m *multiRow) upsert(ctx context.Context, t *sinkTable, rows []*connectors.Row) error {
	head := fmt.Sprintf("INSERT INTO %s (%s) VALUES ", t.qualified, strings.Join(t.columns, ", "))
	return m.inChunks(ctx, t, rows, t.all(), head, m.merge(t))
}

// merge is the end of an upsert: what is done with a row whose key is there.
func (m *multiRow) merge(t *sinkTable) string {
	set := make([]string, 0, len(t.columns))
	if m.dialect == sqldb.MySQL {
		for _, i := range t.rest {
			set = append(set, fmt.Sprintf("%s = VALUES(%s)", t.columns[i], t.columns[i]))
		}
		if len(set) == 0 {
			first := t.columns[t.Key[0]]
			set = append(set, first+" = "+first)
		}
		return " ON DUPLICATE KEY UPDATE " + strings.Join(set, ", ")
	}
	return onConflict(t)
}

// onConflict is the end of an upsert in PostgreSQL and SQLite.
func onConflict(t *sinkTable) string {
	head := fmt.Sprintf(" ON CONFLICT (%s) DO ", strings.Join(t.keyColumns(), ", "))
	if len(t.rest) == 0 {
		return head + "NOTHING"
	}
	set := make([]string, 0, len(t.rest))
	for _, i := range t.rest {
		set = append(set, fmt.Sprintf("%s = excluded.%s", t.columns[i], t.columns[i]))
	}
	return head + "UPDATE SET " + strings.Join(set, ", ")
}

func (m *multiRow) remove(ctx context.Context, t *sinkTable, rows []*connectors.Row) error {
	values := ""
	if m.dialect == sqldb.SQLite {
		values = "VALUES "
	}
	head := fmt.Sprintf("DELETE FROM %s WHERE (%s) IN (%s", t.qualified, strings.Join(t.keyColumns(), ", "), values)
	return m.inChunks(ctx, t, rows, t.Key, head, ")")
}

// inChunks executes head, a tuple of parameters for each row, and tail, with as many rows at a time as may be.
func (m *multiRow) inChunks(ctx context.Context, t *sinkTable, rows []*connectors.Row, columns []int, head, tail string) error {
	tuple := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	full := max(1, min(m.perChunk, m.parameters/len(columns)))
	for len(rows) > 0 {
		m.args = m.args[:0]
		n, size := 0, 0
		for ; n < len(rows) && n < full && (n == 0 || size < m.bytes); n++ {
			for _, c := range columns {
				v, err := argument(m.dialect, t.Columns[c].Kind, rows[n].Values[c])
				if err != nil {
					return fmt.Errorf("column %s: %w", t.Columns[c].Name, err)
				}
				m.args = append(m.args, v)
				size += len(rows[n].Values[c].Bytes())
			}
		}
		if err := m.execute(ctx, head+tuple+strings.Repeat(", "+tuple, n-1)+tail, n == full); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// execute keeps the statements of full chunks prepared.
func (m *multiRow) execute(ctx context.Context, statement string, keep bool) error {
	if !keep {
		_, err := m.conn.ExecContext(ctx, statement, m.args...)
		return err
	}
	prepared := m.statements[statement]
	if prepared == nil {
		var err error
		if prepared, err = m.conn.PrepareContext(ctx, statement); err != nil {
			return err
		}
		m.statements[statement] = prepared
	}
	_, err := prepared.ExecContext(ctx, m.args...)
	return err
}

// argument returns a value as the drivers of MySQL and SQLite take it for a column of the given kind.
func argument(d sqldb.Dialect, kind connectors.Kind, v connectors.Value) (any, error) {
	if v.IsNull() {
		return nil, nil
	}
	if v.Kind() == kind || kind == connectors.KindNull {
		return sameKind(d, v), nil
	}
	switch {
	case kind == connectors.KindText:
		return string(v.AppendText(nil)), nil
	case kind == connectors.KindDecimal && v.Kind() == connectors.KindInt:
		return string(v.AppendText(nil)), nil
	case kind == connectors.KindBytes && v.Kind() == connectors.KindText:
		return v.Bytes(), nil
	}
	return nil, fmt.Errorf("%w: %s in a %s column", errValue, v.Kind(), kind)
}

func sameKind(d sqldb.Dialect, v connectors.Value) any {
	switch v.Kind() {
	case connectors.KindBytes:
		return v.Bytes()
	case connectors.KindInt, connectors.KindBool:
		return v.Int()
	case connectors.KindFloat:
		return v.Float()
	case connectors.KindDateTime, connectors.KindTimestamp:
		return moment(d, v)
	}
	return string(v.AppendText(nil))
}

// moment writes a time so that times sort as texts do, which is what they are in SQLite, and as the database takes it
// in any session: an instant is in UTC.
func moment(d sqldb.Dialect, v connectors.Value) string {
	layout := "2006-01-02T15:04:05.000000"
	if d == sqldb.MySQL {
		layout = "2006-01-02 15:04:05.000000"
	} else if v.Kind() == connectors.KindTimestamp {
		layout += "Z"
	}
	return time.UnixMicro(v.Int()).UTC().Format(layout)
}
