package sqltable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/connectors"
)

// copyFrom is the number of rows from which COPY into a temporary table and one INSERT … SELECT are quicker than one
// INSERT from arrays. Measured on PostgreSQL 15 with 15 columns: arrays lead by half at 10 and 100 rows, both are equal
// at 1,000, COPY leads by a tenth from 5,000.
const copyFrom = 2000

// postgresBulk writes through PostgreSQL's own protocol, past database/sql: values go out in binary form straight from
// the rows, with nothing boxed between.
type postgresBulk struct {
	conn     *sqlx.Conn
	staged   map[*sinkTable]bool // tables that have a temporary one on this connection
	stageOff bool                // the account may not make temporary tables
	prepared map[string]bool     // statements by name
	params   [][]byte
	copy     copyReader
}

func newPostgresBulk(conn *sqlx.Conn) *postgresBulk {
	return &postgresBulk{conn: conn, staged: map[*sinkTable]bool{}, prepared: map[string]bool{}}
}

// stage is the name of the temporary table that rows of t pass through.
func (t *sinkTable) stage() string { return `"_datong_stage_` + strconv.Itoa(t.number) + `"` }

// prepare makes the temporary table, once for each connection. It has no constraints and no lengths, so that every
// refusal comes from the real table.
func (p *postgresBulk) prepare(ctx context.Context, t *sinkTable, n int) error {
	if n < copyFrom || p.stageOff || p.staged[t] {
		return nil
	}
	defs := make([]string, len(t.columns))
	for i, c := range t.columns {
		defs[i] = c + " " + wireType(&t.Columns[i])
	}
	_, err := p.conn.ExecContext(ctx, fmt.Sprintf("CREATE TEMPORARY TABLE %s (%s) ON COMMIT DELETE ROWS", t.stage(), strings.Join(defs, ", ")))
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && pg.Code == "42501" { // insufficient_privilege
		p.stageOff = true
		return nil
	}
	p.staged[t] = err == nil
	return err
}

func (p *postgresBulk) upsert(ctx context.Context, t *sinkTable, rows []*connectors.Row) error {
	if len(rows) >= copyFrom && p.staged[t] {
		return p.copyAndMerge(ctx, t, rows)
	}
	columns := t.all()
	list := strings.Join(t.columns, ", ")
	statement := fmt.Sprintf("INSERT INTO %s (%s) SELECT * FROM %s%s", t.qualified, list, arrays(t, columns), onConflict(t))
	return p.withArrays(ctx, t, "upsert", statement, columns, rows)
}

func (p *postgresBulk) remove(ctx context.Context, t *sinkTable, rows []*connectors.Row) error {
	on := make([]string, len(t.Key))
	for i, k := range t.Key {
		on[i] = fmt.Sprintf("old.%s = given.%s", t.columns[k], t.columns[k])
	}
	statement := fmt.Sprintf("DELETE FROM %s AS old USING %s WHERE %s", t.qualified, arrays(t, t.Key), strings.Join(on, " AND "))
	return p.withArrays(ctx, t, "delete", statement, t.Key, rows)
}

// arrays is a table of the given columns made from one array parameter for each.
func arrays(t *sinkTable, columns []int) string {
	params, names := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		params[i] = fmt.Sprintf("$%d::%s[]", i+1, wireType(&t.Columns[c]))
		names[i] = t.columns[c]
	}
	return fmt.Sprintf("unnest(%s) AS given (%s)", strings.Join(params, ", "), strings.Join(names, ", "))
}

// withArrays executes a statement, prepared once for each connection and table, whose parameters are the columns.
func (p *postgresBulk) withArrays(ctx context.Context, t *sinkTable, verb, statement string, columns []int, rows []*connectors.Row) error {
	for len(p.params) < len(columns) {
		p.params = append(p.params, nil)
	}
	for i, c := range columns {
		var err error
		if p.params[i], err = appendArray(p.params[i][:0], &t.Columns[c], c, rows); err != nil {
			return err
		}
	}
	name := "datong_" + verb + "_" + strconv.Itoa(t.number)
	return p.raw(func(c *pgconn.PgConn) error {
		if !p.prepared[name] {
			if _, err := c.Prepare(ctx, name, statement, nil); err != nil {
				return err
			}
			p.prepared[name] = true
		}
		binary := slices.Repeat([]int16{1}, len(columns))
		_, err := c.ExecPrepared(ctx, name, p.params[:len(columns)], binary, nil).Close()
		return err
	})
}

// copyAndMerge sorts the rows by key first: the merge then walks the primary key's pages in order.
func (p *postgresBulk) copyAndMerge(ctx context.Context, t *sinkTable, rows []*connectors.Row) error {
	sorted := slices.Clone(rows)
	slices.SortFunc(sorted, func(a, b *connectors.Row) int { return compareKeys(t, a, b) })
	list := strings.Join(t.columns, ", ")
	p.copy.reset(t, sorted)
	return p.raw(func(c *pgconn.PgConn) error {
		_, err := c.CopyFrom(ctx, &p.copy, fmt.Sprintf("COPY %s (%s) FROM STDIN (FORMAT binary)", t.stage(), list))
		if p.copy.err != nil {
			return p.copy.err // what the server says is only that we broke off
		}
		if err != nil {
			return err
		}
		_, err = c.Exec(ctx, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s%s",
			t.qualified, list, list, t.stage(), onConflict(t))).ReadAll()
		return err
	})
}

func compareKeys(t *sinkTable, a, b *connectors.Row) int {
	for _, k := range t.Key {
		x, y := a.Values[k], b.Values[k]
		if c := bytes.Compare(x.Bytes(), y.Bytes()); c != 0 {
			return c
		}
		if x.Int() != y.Int() {
			return map[bool]int{true: -1, false: 1}[x.Int() < y.Int()]
		}
	}
	return 0
}

// raw gives work the connection as pgx has it.
func (p *postgresBulk) raw(work func(*pgconn.PgConn) error) error {
	return p.conn.Raw(func(c any) error {
		pg, ok := c.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("the connection is a %T, not one of pgx", c)
		}
		return work(pg.Conn().PgConn())
	})
}
