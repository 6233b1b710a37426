package sqltable

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
	"github.com/datong-dx/datong/internal/sqldb"
)

// set is one table, view or query as it is read.
type set struct {
	name    string
	from    string            // what stands after FROM
	table   *connectors.Table // the columns that are shown
	columns []column          // those, then key and watermark where the settings leave them out
	key     []int             // indexes into columns: what orders a scan and breaks ties
	mark    int               // index of the watermark, or -1
	unique  bool              // the database promises that no two rows share a key
	// nullable says that a key column may be null, so that a scan by ranges of the key needs a tail.
	nullable bool
	indexed  bool // an index begins with the watermark
}

// describe asks the database what a set is made of.
func (db *database) describe(ctx context.Context, c *settings, name string) (*set, error) {
	s := &set{name: name, from: db.dialect.QuoteTable(name), mark: -1}
	about := newCatalogTable(name)
	if c.query != "" {
		s.from = "(" + c.query + ") AS " + db.dialect.Quote("datong_source")
	} else {
		var err error
		if about, err = db.catalog(ctx, name); err != nil {
			return nil, err
		}
	}
	all, err := db.resultColumns(ctx, s.from, name)
	for n := 0; stale(err) && n < c.maxConnections; n++ { // each session once
		all, err = db.resultColumns(ctx, s.from, name)
	}
	if err != nil {
		return nil, db.suggestTable(ctx, c, name, err)
	}
	if err := s.choose(all, c, about); err != nil {
		return nil, err
	}
	if db.dialect != sqldb.SQLite && s.mark >= 0 && !ordered(s.columns[s.mark].Kind) { // SQLite's types are the values' own
		return nil, noOrder(name, c.watermark)
	}
	s.table.Comment = connectors.Text{Zh: about.comment}
	for i := range s.columns {
		s.columns[i].expr = db.selectExpr(&s.columns[i])
	}
	return s, nil
}

// resultColumns asks what a query returns without reading a row.
func (db *database) resultColumns(ctx context.Context, from, name string) ([]column, error) {
	rows, err := db.QueryxContext(ctx, "SELECT * FROM "+from+" WHERE 1 = 0")
	if err != nil {
		return nil, failed("describe", name, err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, failed("describe", name, err)
	}
	columns := make([]column, len(types))
	for i, t := range types {
		columns[i].Column = resultColumn(db.dialect, t)
	}
	if err := rows.Err(); err != nil {
		return nil, failed("describe", name, err)
	}
	return columns, nil
}

// suggestTable adds the name that may be meant to the error of a table that there is not.
func (db *database) suggestTable(ctx context.Context, c *settings, name string, err error) error {
	p, told := errors.AsType[*connectors.Problem](err)
	if !told || c.query != "" || !sqldb.IsNoTable(err) {
		return err
	}
	names, listErr := db.tables(ctx)
	if near := nearest.Name(name, names); listErr == nil && near != "" {
		p.Try = connectors.Text{En: "did you mean " + near, Zh: "改为 " + near}
	}
	return err
}

func resultColumn(d sqldb.Dialect, t *sql.ColumnType) connectors.Column {
	c := connectors.Column{Name: t.Name(), DBType: strings.ToUpper(t.DatabaseTypeName())}
	c.Kind = kindOf(d, c.DBType)
	if nullable, ok := t.Nullable(); ok {
		c.NotNull = !nullable
	}
	if n, ok := t.Length(); ok && n > 0 && n < 1<<24 {
		c.Length = int(n)
	}
	if precision, scale, ok := t.DecimalSize(); ok && precision > 0 && precision < 10_000 {
		c.Precision, c.Scale = int(precision), int(scale)
	}
	return c
}

// choose picks the columns to read, the key and the watermark.
func (s *set) choose(all []column, c *settings, about *catalogTable) error {
	for i := range all {
		known := about.columns[all[i].Name]
		all[i].NotNull = all[i].NotNull || known.notNull
		all[i].Comment = connectors.Text{Zh: known.comment}
	}
	find := func(name string) int {
		return slices.IndexFunc(all, func(col column) bool { return col.Name == name })
	}
	missing := func(name, setting string) error { return missingColumn(s.name, name, setting, all) }
	s.columns = all
	if len(c.columns) > 0 {
		s.columns = nil
		for _, name := range c.columns {
			i := find(name)
			if i < 0 {
				return missing(name, "columns")
			}
			s.columns = append(s.columns, all[i])
		}
	}
	s.table = &connectors.Table{Name: s.name, Columns: make([]connectors.Column, len(s.columns))}
	for i := range s.columns {
		s.table.Columns[i] = s.columns[i].Column
	}
	need := func(name, setting string) (int, error) {
		if i := slices.IndexFunc(s.columns, func(col column) bool { return col.Name == name }); i >= 0 {
			return i, nil
		}
		i := find(name)
		if i < 0 {
			return 0, missing(name, setting)
		}
		s.columns = append(s.columns, all[i])
		return len(s.columns) - 1, nil
	}
	key, unique := chooseKey(c.key, about.keys)
	for _, name := range key {
		i, err := need(name, "key")
		if err != nil {
			return err
		}
		s.key = append(s.key, i)
		s.nullable = s.nullable || !unique && !s.columns[i].NotNull
	}
	s.unique = unique && len(key) > 0
	s.showKey()
	if c.watermark == "" {
		return nil
	}
	var err error
	s.mark, err = need(c.watermark, "watermark")
	s.indexed = about.leading[c.watermark]
	return err
}

// chooseKey returns the key columns, and whether the database promises that they are unique and never null.
func chooseKey(wanted []string, keys [][]string) (key []string, unique bool) {
	if len(wanted) == 0 {
		if len(keys) == 0 {
			return nil, false
		}
		return keys[0], true
	}
	sorted := slices.Sorted(slices.Values(wanted))
	for _, k := range keys {
		if slices.Equal(sorted, slices.Sorted(slices.Values(k))) {
			return wanted, true
		}
	}
	return wanted, false
}

// showKey tells the key in the table as far as its columns are shown.
func (s *set) showKey() {
	for _, i := range s.key {
		if i >= len(s.table.Columns) {
			s.table.Key = nil
			return
		}
		s.table.Key = append(s.table.Key, i)
	}
	s.table.Unique = s.unique
}

// passOrder returns the columns that order a pass by watermark: it, then the key to break ties. Without a key that is
// never null a pass has no order that it could be resumed in.
func (s *set) passOrder() []int {
	if len(s.key) == 0 || s.nullable {
		return nil
	}
	order := []int{s.mark}
	for _, k := range s.key {
		if k != s.mark {
			order = append(order, k)
		}
	}
	return order
}

// selectExpr hides a column's declared type from SQLite's driver, which would turn a date's text into a time.Time and so
// lose what is really stored.
func (db *database) selectExpr(c *column) string {
	quoted := db.dialect.Quote(c.Name)
	if db.dialect == sqldb.SQLite && (c.Kind == connectors.KindDate || c.Kind == connectors.KindDateTime || c.Kind == connectors.KindBool) {
		return "+" + quoted
	}
	return quoted
}

// ordered says that values of a kind can be a watermark, as far as the kind tells.
func ordered(kind connectors.Kind) bool {
	switch kind {
	case connectors.KindBool, connectors.KindBytes, connectors.KindFloat, connectors.KindJSON:
		return false
	}
	return true
}

func noOrder(table, column string) error {
	return stop(table, "the watermark column "+column+" holds neither times nor numbers", "水位列 "+column+" 既不是时间也不是编号",
		"choose a column with a change time, or mode: difference", "改用变更时间列，或使用 mode: difference")
}

func missingColumn(where, name, setting string, all []column) error {
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	if near := nearest.Name(name, names); near != "" {
		return stop(where, "there is no column "+name, "没有列 "+name,
			"write "+near+" under "+setting+" in the pipeline's source", "将管道 source 中 "+setting+" 的列名改为 "+near)
	}
	return stop(where, "there is no column "+name, "没有列 "+name,
		"correct "+setting+" in the pipeline's source, or restore the column", "修改管道 source 中的 "+setting+"，或恢复该列")
}
