package sqltable

import (
	"context"

	"github.com/datong-dx/datong/internal/sqldb"
)

func (db *database) postgresCatalog(ctx context.Context, t *catalogTable) error {
	quoted := sqldb.Postgres.QuoteTable(t.name)
	const columns = `
		SELECT a.attname, a.attnotnull, coalesce(col_description(a.attrelid, a.attnum), ''), coalesce(obj_description(a.attrelid, 'pg_class'), '')
		FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`
	if err := db.catalogColumns(ctx, t, columns, quoted); err != nil {
		return err
	}
	return db.postgresIndexes(ctx, t, quoted)
}

// postgresIndexes leaves out partial indexes, which say nothing about all rows, and included columns.
func (db *database) postgresIndexes(ctx context.Context, t *catalogTable, quoted string) error {
	const indexes = `
		SELECT i.indisunique, i.indisprimary, (
			SELECT string_agg(coalesce(a.attname, ''), E'\x01' ORDER BY k.n)
			FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
			LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
			WHERE k.n <= i.indnkeyatts)
		FROM pg_index i
		WHERE i.indrelid = to_regclass($1) AND i.indpred IS NULL AND i.indisvalid AND i.indimmediate
		ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid`
	return db.catalogIndexes(ctx, t, indexes, quoted)
}
