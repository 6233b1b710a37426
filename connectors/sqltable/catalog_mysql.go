package sqltable

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/internal/sqldb"
)

// schemaAndTable splits schema.table; without a schema the session's own database is meant.
func schemaAndTable(name string) (schema, table any) {
	parts := sqldb.SplitTable(name)
	if len(parts) == 1 {
		return nil, parts[0]
	}
	return parts[0], parts[len(parts)-1]
}

func (db *database) mysqlCatalog(ctx context.Context, t *catalogTable) error {
	schema, table := schemaAndTable(t.name)
	const columns = `
		SELECT c.column_name, c.is_nullable = 'NO', c.column_comment, t.table_comment
		FROM information_schema.columns c
		JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
		WHERE c.table_schema = COALESCE(?, DATABASE()) AND c.table_name = ?`
	if err := db.catalogColumns(ctx, t, columns, schema, table); err != nil {
		return err
	}
	if t.comment == "VIEW" { // what MySQL says of every view
		t.comment = ""
	}
	return db.mysqlIndexes(ctx, t)
}

func (db *database) mysqlIndexes(ctx context.Context, t *catalogTable) error {
	schema, table := schemaAndTable(t.name)
	// A prefix of a column does not order whole values; such an index counts for nothing.
	const indexes = `
		SELECT index_name, non_unique = 0, COALESCE(IF(sub_part IS NULL, column_name, ''), '') FROM information_schema.statistics
		WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? ORDER BY index_name, seq_in_index`
	var ix index
	var last string
	err := db.scanRows(ctx, func(rows *sqlx.Rows) error {
		var name, column string
		var unique bool
		if err := rows.Scan(&name, &unique, &column); err != nil {
			return err
		}
		if name != last {
			t.add(ix)
			ix = index{unique: unique, primary: name == "PRIMARY"}
			last = name
		}
		ix.columns = append(ix.columns, column)
		return nil
	}, indexes, schema, table)
	t.add(ix)
	return err
}
