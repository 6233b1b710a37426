package sqltable

import (
	"context"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/internal/sqldb"
)

// catalogTable is what a database's catalog says of a table beyond what a query's result tells.
type catalogTable struct {
	name    string // as settings name it
	comment string
	columns map[string]catalogColumn
	// keys are the unique keys over columns that are never null, the primary key first.
	keys [][]string
	// leading are the columns that an index begins with.
	leading map[string]bool
}

type catalogColumn struct {
	notNull bool
	comment string
}

func newCatalogTable(name string) *catalogTable {
	return &catalogTable{name: name, columns: map[string]catalogColumn{}, leading: map[string]bool{}}
}

// catalog returns what the catalog says of a table or view. A name that it does not know has no columns there.
func (db *database) catalog(ctx context.Context, table string) (*catalogTable, error) {
	t := newCatalogTable(table)
	var err error
	switch db.dialect {
	case sqldb.Postgres:
		err = db.postgresCatalog(ctx, t)
	case sqldb.MySQL:
		err = db.mysqlCatalog(ctx, t)
	case sqldb.SQLite:
		err = db.sqliteCatalog(ctx, t)
	}
	if err != nil {
		return nil, failed("read the catalog's entry of", table, err)
	}
	return t, nil
}

// catalogColumns fills in the columns from a query for name, whether nulls are kept out, comment, and the table's comment.
func (db *database) catalogColumns(ctx context.Context, t *catalogTable, query string, args ...any) error {
	return db.scanRows(ctx, func(rows *sqlx.Rows) error {
		var name string
		var c catalogColumn
		if err := rows.Scan(&name, &c.notNull, &c.comment, &t.comment); err != nil {
			return err
		}
		t.columns[name] = c
		return nil
	}, query, args...)
}

// catalogIndexes adds the indexes from a query for whether they are unique, whether they are the primary key, and their
// columns joined by U+0001.
func (db *database) catalogIndexes(ctx context.Context, t *catalogTable, query string, args ...any) error {
	return db.scanRows(ctx, func(rows *sqlx.Rows) error {
		var ix index
		var names string
		if err := rows.Scan(&ix.unique, &ix.primary, &names); err != nil {
			return err
		}
		ix.columns = strings.Split(names, "\x01")
		t.add(ix)
		return nil
	}, query, args...)
}

// scanRows calls row for each row of a query's answer.
func (db *database) scanRows(ctx context.Context, row func(*sqlx.Rows) error, query string, args ...any) error {
	rows, err := db.QueryxContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// index is one index's columns in order; an expression in it stands as an empty name.
type index struct {
	columns []string
	unique  bool
	primary bool
}

// add takes an index into account; indexes come in any order.
func (t *catalogTable) add(ix index) {
	if len(ix.columns) == 0 {
		return
	}
	t.leading[ix.columns[0]] = true
	if !ix.unique && !ix.primary {
		return
	}
	for _, name := range ix.columns {
		if c, known := t.columns[name]; !known || !c.notNull && !ix.primary {
			return
		}
	}
	if ix.primary {
		t.keys = append([][]string{ix.columns}, t.keys...)
	} else {
		t.keys = append(t.keys, ix.columns)
	}
}

// tables returns the names of the tables and views that the account can read, system tables left out.
func (db *database) tables(ctx context.Context) (names []string, err error) {
	switch db.dialect {
	case sqldb.Postgres:
		err = db.SelectContext(ctx, &names, `
			SELECT CASE WHEN n.nspname = current_schema() THEN '' ELSE
				CASE WHEN n.nspname LIKE '%.%' THEN '"' || n.nspname || '"' ELSE n.nspname END || '.' END ||
				CASE WHEN c.relname LIKE '%.%' THEN '"' || c.relname || '"' ELSE c.relname END
			FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
				AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_toast%' AND n.nspname NOT LIKE 'pg\_temp%'
				AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
			ORDER BY n.nspname, c.relname`)
	case sqldb.MySQL:
		err = db.SelectContext(ctx, &names, `
			SELECT CONCAT(IF(table_schema = DATABASE(), '', CONCAT(table_schema, '.')), table_name) FROM information_schema.tables
			WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
				AND (DATABASE() IS NULL OR table_schema = DATABASE())
			ORDER BY table_schema, table_name`)
	case sqldb.SQLite:
		err = db.SelectContext(ctx, &names, `
			SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`)
	}
	if err != nil {
		return nil, failed("list the tables of", sqldb.Redact(db.configured), err)
	}
	return names, nil
}
