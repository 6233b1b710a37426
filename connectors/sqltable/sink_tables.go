package sqltable

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// sinkTable is a table that Ensure has made sure of.
type sinkTable struct {
	*connectors.Table
	qualified string   // quoted, with its schema
	columns   []string // quoted
	rest      []int    // indexes of the columns that are not key
	number    int      // tells tables and their former shapes apart
}

func (s *sqlSink) newTable(t *connectors.Table) *sinkTable {
	s.made++
	st := &sinkTable{Table: t, qualified: s.qualified(t.Name), number: s.made}
	for i := range t.Columns {
		st.columns = append(st.columns, s.dialect.Quote(t.Columns[i].Name))
		if !slices.Contains(t.Key, i) {
			st.rest = append(st.rest, i)
		}
	}
	return st
}

// all returns the indexes of all columns.
func (t *sinkTable) all() []int {
	columns := make([]int, len(t.columns))
	for i := range columns {
		columns[i] = i
	}
	return columns
}

// keyColumns returns the quoted names of the key columns.
func (t *sinkTable) keyColumns() []string {
	names := make([]string, len(t.Key))
	for i, k := range t.Key {
		names[i] = t.columns[k]
	}
	return names
}

// tableName is the name of a table in the database, without its schema.
func (s *sqlSink) tableName(name string) string { return s.prefix + name }

// qualified returns the quoted name of a table with its schema and prefix.
func (s *sqlSink) qualified(name string) string {
	quoted := s.dialect.Quote(s.tableName(name))
	if s.schema == "" {
		return quoted
	}
	return s.dialect.Quote(s.schema) + "." + quoted
}

// Ensure creates the tables that are missing, adds the columns that are missing and widens types. One delivery at a
// time does so in one database: creating the same table twice at once is an error even with IF NOT EXISTS.
func (s *sqlSink) Ensure(ctx context.Context, tables []*connectors.Table) error {
	if _, err := s.session(ctx); err != nil {
		return err
	}
	var err error
	if s.dialect == sqldb.MySQL {
		err = s.ensureMySQL(ctx, tables)
	} else {
		err = s.transaction(ctx, func() error {
			if s.dialect == sqldb.Postgres {
				if err := s.lockSchema(ctx); err != nil {
					return err
				}
			}
			return s.ensureAll(ctx, tables)
		})
	}
	if err != nil {
		return err
	}
	s.tables = make(map[string]*sinkTable, len(tables))
	for _, t := range tables {
		s.tables[t.Name] = s.newTable(t)
	}
	// The old shapes' temporary tables go with the old connection.
	s.drop()
	return nil
}

func (s *sqlSink) lockSchema(ctx context.Context) error {
	h := fnv.New64a()
	_, _ = h.Write([]byte("datong " + s.schema)) // a hash.Hash never returns an error
	if err := s.exec(ctx, "SELECT pg_advisory_xact_lock(?)", int64(h.Sum64())); err != nil {
		return failed("lock", "the schema", err)
	}
	if s.schema == "" {
		return nil
	}
	// CREATE SCHEMA wants the right to create even where there is nothing to create.
	var exists bool
	if err := s.conn.GetContext(ctx, &exists, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", s.schema); err != nil {
		return failed("look for", "the schema", err)
	}
	if exists {
		return nil
	}
	if err := s.exec(ctx, "CREATE SCHEMA "+s.dialect.Quote(s.schema)); err != nil {
		return failed("create the schema", s.schema, err)
	}
	return nil
}

// ensureMySQL holds a named lock instead of a transaction, which MySQL would commit at the first CREATE.
func (s *sqlSink) ensureMySQL(ctx context.Context, tables []*connectors.Table) error {
	const lock = "'datong tables'"
	var held int
	if err := s.conn.GetContext(ctx, &held, "SELECT COALESCE(GET_LOCK("+lock+", 60), 0)"); err != nil {
		return failed("lock", "the tables", err)
	}
	if held != 1 {
		return errors.New("lock the tables: another delivery has been changing them for 60 s")
	}
	if err := s.findCollation(ctx); err != nil {
		return failed("find", "a collation", err)
	}
	if err := s.ensureAll(ctx, tables); err != nil {
		s.drop() // gives the lock back
		return err
	}
	return s.exec(ctx, "DO RELEASE_LOCK("+lock+")")
}

// findCollation takes the best that the server has for comparing text byte by byte: those that do not ignore
// trailing spaces first (MySQL 8's, MariaDB's), then the one that every server knows.
func (s *sqlSink) findCollation(ctx context.Context) error {
	return s.conn.GetContext(ctx, &s.collation, `SELECT collation_name FROM information_schema.collations
		WHERE collation_name IN ('utf8mb4_0900_bin', 'utf8mb4_nopad_bin', 'utf8mb4_bin')
		ORDER BY collation_name = 'utf8mb4_bin' LIMIT 1`)
}

func (s *sqlSink) ensureAll(ctx context.Context, tables []*connectors.Table) error {
	if err := s.createOffsets(ctx); err != nil {
		return failed("create", offsetsTable, err)
	}
	for _, t := range tables {
		if len(t.Key) == 0 {
			return stop(t.Name, "the table has no key", "表没有主键",
				"give the entity key elements in the dictionary", "在数据字典中为该实体指定主键数据元")
		}
		have, err := s.inspect(ctx, s.tableName(t.Name))
		if err != nil {
			return failed("inspect", t.Name, err)
		}
		if len(have) == 0 {
			err = s.create(ctx, t)
		} else {
			err = s.evolve(ctx, t, have)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// evolve makes an existing table take the wanted rows.
func (s *sqlSink) evolve(ctx context.Context, t *connectors.Table, have []actual) error {
	if err := s.checkKey(ctx, t, have); err != nil {
		return err
	}
	for i := range t.Columns {
		want := &t.Columns[i]
		at := slices.IndexFunc(have, func(a actual) bool { return a.name == want.Name })
		if at < 0 {
			if err := s.addColumn(ctx, t, want); err != nil {
				return err
			}
			continue
		}
		switch s.compare(want, have[at]) {
		case mustWiden:
			if err := s.widenColumn(ctx, t, widened(want, have[at]), slices.Contains(t.Key, i)); err != nil {
				return err
			}
		case conflict:
			return stop(s.tableName(t.Name)+"."+want.Name,
				fmt.Sprintf("the column is %s, which does not take %s values", have[at].dbType, want.Kind),
				fmt.Sprintf("该列的类型为 %s，放不下 %s 类型的值", have[at].dbType, want.Kind),
				"rename the column or the table, then start again: a new one is made, and `datong delivery rebuild` fills it",
				"将该列或该表改名后重新启动：会新建一个，再用 `datong delivery rebuild` 装载")
		}
	}
	return nil
}

// checkKey makes sure that the primary key is the one that rows are merged by. In MySQL any other unique index would
// make a row overwrite another one that is not its own.
func (s *sqlSink) checkKey(ctx context.Context, t *connectors.Table, have []actual) error {
	var got, want []string
	for _, a := range have {
		if a.key {
			got = append(got, a.name)
		}
	}
	for _, k := range t.Key {
		want = append(want, t.Columns[k].Name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return stop(s.tableName(t.Name),
			fmt.Sprintf("the table's primary key is (%s), and must be (%s)", strings.Join(got, ", "), strings.Join(want, ", ")),
			fmt.Sprintf("表的主键为 (%s)，应为 (%s)", strings.Join(got, ", "), strings.Join(want, ", ")),
			"rename the table, then start again: a new one is made, and `datong delivery rebuild` fills it",
			"将该表改名后重新启动：会新建一个，再用 `datong delivery rebuild` 装载")
	}
	if s.dialect != sqldb.MySQL {
		return nil
	}
	var unique []string
	if err := s.conn.SelectContext(ctx, &unique, `SELECT DISTINCT index_name FROM information_schema.statistics
		WHERE table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND table_name = ? AND non_unique = 0 AND index_name <> 'PRIMARY'`,
		s.schema, s.tableName(t.Name)); err != nil {
		return failed("inspect", t.Name, err)
	}
	if len(unique) > 0 {
		return stop(s.tableName(t.Name),
			fmt.Sprintf("the unique index %s would make MySQL overwrite one record with another", strings.Join(unique, ", ")),
			fmt.Sprintf("唯一索引 %s 会使 MySQL 用一条记录覆盖另一条", strings.Join(unique, "、")),
			"make it an index that is not unique", "把它改为普通索引")
	}
	return nil
}
