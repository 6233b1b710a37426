package sqltable

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/internal/sqldb"
)

func (db *database) sqliteCatalog(ctx context.Context, t *catalogTable) error {
	parts := sqldb.SplitTable(t.name)
	table := parts[len(parts)-1]
	primary := index{unique: true, primary: true}
	err := db.scanRows(ctx, func(rows *sqlx.Rows) error {
		var name string
		var c catalogColumn
		var place int
		if err := rows.Scan(&name, &c.notNull, &place); err != nil {
			return err
		}
		t.columns[name] = c
		if place > 0 {
			primary.columns = append(primary.columns, name)
		}
		return nil
	}, `SELECT name, "notnull", pk FROM pragma_table_info(?) ORDER BY pk`, table)
	if err != nil {
		return err
	}
	if err := db.sqliteIndexes(ctx, t, table); err != nil {
		return err
	}
	return db.sqlitePrimary(ctx, t, table, primary)
}

// sqlitePrimary takes the primary key for one only where it keeps nulls out: SQLite lets a primary key of an ordinary
// table be null, unless it is a single INTEGER, which is the row's own number.
func (db *database) sqlitePrimary(ctx context.Context, t *catalogTable, table string, primary index) error {
	if len(primary.columns) == 0 {
		return nil
	}
	var rowNumber bool
	err := db.GetContext(ctx, &rowNumber, `
		SELECT count(*) = 1 AND max(upper(type)) = 'INTEGER' FROM pragma_table_info(?) WHERE pk > 0`, table)
	if err != nil {
		return err
	}
	primary.primary = rowNumber
	t.add(primary)
	return nil
}

func (db *database) sqliteIndexes(ctx context.Context, t *catalogTable, table string) error {
	const indexes = `
		SELECT l."unique", 0, (SELECT group_concat(coalesce(i.name, ''), char(1)) FROM (SELECT * FROM pragma_index_info(l.name) ORDER BY seqno) i)
		FROM pragma_index_list(?) l WHERE l.partial = 0 AND l.origin <> 'pk' ORDER BY l.seq`
	return db.catalogIndexes(ctx, t, indexes, table)
}
