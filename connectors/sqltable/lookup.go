package sqltable

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// estimate returns about how many rows a table has, as the database's statistics say; 0 where it has none.
func (db *database) estimate(ctx context.Context, table string, isQuery bool) (rows int64, err error) {
	if isQuery {
		return 0, nil
	}
	switch db.dialect {
	case sqldb.Postgres:
		err = db.GetContext(ctx, &rows, `SELECT coalesce((SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass($1)), 0)`,
			db.dialect.QuoteTable(table))
	case sqldb.MySQL:
		schema, name := schemaAndTable(table)
		err = db.GetContext(ctx, &rows, `
			SELECT COALESCE(MAX(table_rows), 0) FROM information_schema.tables
			WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?`, schema, name)
	}
	if err != nil {
		return 0, failed("estimate the rows of", table, err)
	}
	return rows, nil
}

// Get looks rows up by column values; see [connectors.Getter].
func (s *source) Get(ctx context.Context, name string, columns []string, keys [][]connectors.Value) (*connectors.Batch, error) {
	from, err := s.described(ctx, name)
	if err != nil {
		return nil, err
	}
	b := connectors.NewBatch()
	b.Origin = name
	if len(keys) == 0 {
		return b, nil
	}
	at := make([]int, len(columns))
	for i, column := range columns {
		if at[i] = from.table.Index(column); at[i] < 0 {
			b.Release()
			return nil, missingColumn(name, column, "mapping", from.columns)
		}
	}
	clock, err := s.db.clock(ctx)
	if err != nil {
		b.Release()
		return nil, err
	}
	q := newBuilder(s.db.dialect, from)
	q.and()
	q.oneOf(at, keys)
	err = s.db.each(ctx, q.statement(0).limited(), func(rec record) bool {
		values := b.Values(len(from.columns))
		rec.values(b, values)
		shown := len(from.table.Columns)
		b.Rows = append(b.Rows, connectors.Row{Table: from.table, Op: connectors.OpSnapshot, Values: values[:shown:shown], Time: clock.now})
		return true
	})
	if err != nil {
		b.Release()
		s.forget(name)
		return nil, failed(fmt.Sprintf("look up %d rows in", len(keys)), name, err)
	}
	return b, nil
}

// limited gives an unlimited statement the session's limit of time again.
func (q *statement) limited() *statement {
	q.unlimited = false
	return q
}

// oneOf lets rows through whose columns hold one of the tuples. A null in a tuple means a null in the row, which no
// comparison of tuples finds.
func (b *builder) oneOf(columns []int, tuples [][]connectors.Value) {
	var plain, withNull [][]connectors.Value
	for _, tuple := range tuples {
		if hasNull(tuple) {
			withNull = append(withNull, tuple)
		} else {
			plain = append(plain, tuple)
		}
	}
	b.text.WriteString("(")
	if len(plain) > 0 {
		b.inTuples(columns, plain)
	}
	for i, tuple := range withNull {
		if i > 0 || len(plain) > 0 {
			b.text.WriteString(" OR ")
		}
		b.equal(columns, tuple)
	}
	b.text.WriteString(")")
}

func (b *builder) inTuples(columns []int, tuples [][]connectors.Value) {
	b.text.WriteString("(" + b.names(columns) + ") IN (")
	if b.dialect == sqldb.SQLite && len(columns) > 1 {
		b.text.WriteString("VALUES ")
	}
	for i, tuple := range tuples {
		if i > 0 {
			b.text.WriteString(", ")
		}
		if len(columns) > 1 {
			b.text.WriteString("(")
		}
		for k := range tuple {
			if k > 0 {
				b.text.WriteString(", ")
			}
			b.param(tuple[k])
		}
		if len(columns) > 1 {
			b.text.WriteString(")")
		}
	}
	b.text.WriteString(")")
}

func (b *builder) equal(columns []int, tuple []connectors.Value) {
	for k, column := range columns {
		if k > 0 {
			b.text.WriteString(" AND ")
		}
		if tuple[k].IsNull() {
			b.text.WriteString(b.name(column) + " IS NULL")
		} else {
			b.compare(column, " = ", tuple[k])
		}
	}
}

func hasNull(tuple []connectors.Value) bool {
	for _, v := range tuple {
		if v.IsNull() {
			return true
		}
	}
	return false
}

// described returns what a set is made of, asking the database once.
func (s *source) described(ctx context.Context, name string) (*set, error) {
	s.mu.Lock()
	known := s.known[name]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	fresh, err := s.db.describe(ctx, &s.settings, name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]*set{}
	}
	s.known[name] = fresh
	return fresh, nil
}

// forget makes the next lookup describe the set anew.
func (s *source) forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, name)
}

// Describe returns the tables that the source reads; see [connectors.Describer].
func (s *source) Describe(ctx context.Context) ([]*connectors.Table, error) {
	var tables []*connectors.Table
	for _, name := range s.sets() {
		found, err := s.db.describe(ctx, &s.settings, name)
		switch {
		case err == nil:
			tables = append(tables, found.table)
		case !errors.Is(err, connectors.ErrStop):
			return nil, err
		}
	}
	return tables, nil
}

// Discover returns every table and view that the account can read, with columns and keys.
func (s *source) Discover(ctx context.Context) ([]*connectors.Table, error) {
	names, err := s.db.tables(ctx)
	if err != nil {
		return nil, err
	}
	all := settings{}
	var tables []*connectors.Table
	for _, name := range names {
		found, err := s.db.describe(ctx, &all, name)
		switch {
		case err == nil:
			tables = append(tables, found.table)
		case sqldb.Classify(err) != sqldb.Stop:
			return nil, err
		default: // a view whose table is gone, a table that may not be read
			s.log.Warn("leaving out a table that cannot be read", "table", name, "error", strings.TrimSpace(err.Error()))
		}
	}
	return tables, nil
}
