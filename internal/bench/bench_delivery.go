package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"
)

// deliveryBatch is how many rows the bare path writes at once: as many as a delivery does.
const deliveryBatch = 10_000

// benchDelivery fills a platform table from a topic, first with rows that are new, then with newer states of all of
// them, beside COPY into a temporary table and INSERT … ON CONFLICT of the same rows.
func benchDelivery(ctx context.Context, s *session) ([]figure, error) {
	n := s.size(300_000, 50_000)
	if err := s.fillTable(ctx, "delivered", 0, n); err != nil {
		return nil, err
	}
	return s.repeat(func(round int) ([]figure, error) {
		w := &warehouse{session: s, rows: n, prefix: fmt.Sprintf("%s-delivery-%d", s.name, round), schema: fmt.Sprintf("%s_platform_%d", s.name, round)}
		inserted, err := w.round(ctx, "insert")
		if err != nil {
			return nil, err
		}
		if err := s.exec(ctx, "UPDATE delivered SET zczb = zczb + 1"); err != nil {
			return nil, err
		}
		updated, err := w.round(ctx, "update")
		if err != nil {
			return nil, err
		}
		return []figure{inserted, updated}, w.drop(ctx)
	})
}

// warehouse is a platform in a schema of its own, with a second table of the same shape for the bare path.
type warehouse struct {
	*session
	rows           int
	prefix, schema string
}

func (w *warehouse) round(ctx context.Context, what string) (figure, error) {
	f := figure{
		name: "topic_to_platform_" + what + "_rows_per_s", target: atLeast(0.70),
		note: "COPY into a temporary table and INSERT … ON CONFLICT of the same rows, 10,000 at a time",
	}
	// The records come from the pipeline itself; what it does is not measured here.
	_, err := w.spawn(ctx, job{Prefix: w.prefix + what, Connector: "sqltable", Settings: map[string]string{"url": w.url, "tables": "delivered"}})
	if err != nil {
		return f, err
	}
	if err := w.settle(ctx); err != nil {
		return f, err
	}
	d, err := w.spawn(ctx, job{Prefix: w.prefix + what, Platform: w.url, Schema: w.schema})
	if err != nil {
		return f, err
	}
	if d.Delivered != int64(w.rows) {
		return f, fmt.Errorf("delivered %d of %d records", d.Delivered, w.rows)
	}
	f.value = perSecond(w.rows, d.All)
	if f.limit, err = w.bare(ctx, what); err != nil {
		return f, err
	}
	return f, w.deleteTopics(ctx, w.prefix)
}

// bare copies the platform's rows into the second table, in the order of neither table.
func (w *warehouse) bare(ctx context.Context, what string) (float64, error) {
	table, bare := w.schema+"."+entity, w.schema+".bare"
	if what == "insert" {
		if err := w.exec(ctx, fmt.Sprintf("CREATE TABLE %s (LIKE %s INCLUDING ALL)", bare, table)); err != nil {
			return 0, err
		}
	}
	if err := w.stage(ctx, table, bare); err != nil {
		return 0, err
	}
	merge, err := w.merge(ctx, bare)
	if err != nil {
		return 0, err
	}
	var spent time.Duration
	for from := 0; from < w.rows; from += deliveryBatch {
		var data bytes.Buffer
		list := fmt.Sprintf("COPY (SELECT * FROM shuffled WHERE place > %d AND place <= %d) TO STDOUT", from, from+deliveryBatch)
		if _, err := w.db.PgConn().CopyTo(ctx, &data, list); err != nil {
			return 0, fmt.Errorf("read the platform's rows: %w", err)
		}
		start := time.Now()
		if err := w.mergeOne(ctx, &data, merge); err != nil {
			return 0, err
		}
		spent += time.Since(start)
	}
	return perSecond(w.rows, spent), nil
}

// stage makes the temporary tables: the rows to be copied in an order of their own, and where COPY puts them.
func (w *warehouse) stage(ctx context.Context, table, bare string) error {
	for _, statement := range []string{
		"DROP TABLE IF EXISTS shuffled, stage",
		"CREATE TEMP TABLE shuffled AS SELECT row_number() OVER (ORDER BY md5(uscc)) AS place, * FROM " + table,
		"CREATE INDEX ON shuffled (place)",
		"CREATE TEMP TABLE stage AS SELECT 0::bigint AS place, * FROM " + bare + " LIMIT 0",
		"CHECKPOINT",
	} {
		if err := w.exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// merge returns the statement that puts the staged rows into the table.
func (w *warehouse) merge(ctx context.Context, bare string) (string, error) {
	rows, err := w.db.Query(ctx, "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum", bare)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var list, set []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return "", err
		}
		list, set = append(list, name), append(set, name+" = excluded."+name)
	}
	names := strings.Join(list, ", ")
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM stage ON CONFLICT (department, uscc) DO UPDATE SET %s", bare, names, names, strings.Join(set, ", ")), rows.Err()
}

func (w *warehouse) mergeOne(ctx context.Context, data *bytes.Buffer, merge string) error {
	if err := w.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	if _, err := w.db.PgConn().CopyFrom(ctx, data, "COPY stage FROM STDIN"); err != nil {
		return fmt.Errorf("copy into the temporary table: %w", err)
	}
	if err := w.exec(ctx, merge); err != nil {
		return err
	}
	if err := w.exec(ctx, "TRUNCATE stage"); err != nil {
		return err
	}
	return w.exec(ctx, "COMMIT")
}

func (w *warehouse) drop(ctx context.Context) error {
	return w.exec(ctx, "DROP SCHEMA "+w.schema+" CASCADE")
}
