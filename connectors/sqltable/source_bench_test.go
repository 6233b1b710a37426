//go:build services

package sqltable

import (
	"database/sql"
	"errors"
	"io"
	"testing"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// registerRows is the size of the table that the benchmarks read: an enterprise register of 12 columns.
const registerRows = 300_000

func benchPlace(b *testing.B, make func(testing.TB) *place) *place {
	b.Helper()
	p := make(b)
	timestamp, _ := p.types()
	p.exec(b, `CREATE TABLE register (id bigint PRIMARY KEY, uscc varchar(18) NOT NULL, name varchar(200) NOT NULL, kind char(4),
		legal_rep varchar(50), capital numeric(18,4), established date, region varchar(12), industry varchar(6), status smallint,
		phone varchar(20), changed `+timestamp+` NOT NULL)`)
	switch p.Dialect {
	case sqldb.Postgres:
		p.exec(b, `INSERT INTO register SELECT g, '9133' || lpad(g::text, 14, '0'), '某某市某某科技有限公司' || g, '1130', '张三' || g % 1000,
			(g % 100000) * 1.25, date '2000-01-01' + (g % 8000)::int, '330106000000', 'I6510', g % 4, '138' || lpad(g::text, 8, '0'),
			timestamptz '2026-01-01 00:00Z' + g * interval '1 second' FROM generate_series(1, $1::bigint) g`, registerRows)
		p.exec(b, "VACUUM ANALYZE register")
	case sqldb.MySQL:
		p.exec(b, `INSERT INTO register SELECT seq, concat('9133', lpad(seq, 14, '0')), concat('某某市某某科技有限公司', seq), '1130', concat('张三', seq % 1000),
			(seq % 100000) * 1.25, date '2000-01-01' + interval seq % 8000 day, '330106000000', 'I6510', seq % 4, concat('138', lpad(seq, 8, '0')),
			timestamp '2026-01-01 00:00:00' + interval seq second FROM seq_1_to_300000`)
		p.exec(b, "ANALYZE TABLE register")
	}
	p.exec(b, "CREATE INDEX register_changed ON register (changed)")
	return p
}

// BenchmarkBareLoop is the limit: it scans the same rows into sql.RawBytes and does nothing with them.
func BenchmarkBareLoop(b *testing.B) {
	for _, name := range []string{"PostgreSQL", "MySQL"} {
		b.Run(name, func(b *testing.B) {
			p := benchPlace(b, places[name].here)
			for b.Loop() {
				if n := scanBare(b, p); n != registerRows {
					b.Fatalf("scanned %d rows, want %d", n, registerRows)
				}
			}
			b.ReportMetric(float64(b.N)*registerRows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func scanBare(b *testing.B, p *place) (n int) {
	rows, err := p.db.QueryContext(b.Context(), "SELECT * FROM register")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	raw, dest := [12]sql.RawBytes{}, make([]any, 12)
	for i := range raw {
		dest[i] = &raw[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			b.Fatal(err)
		}
		n++
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkSource reads the same table through the source, from the first batch to the last.
func BenchmarkSource(b *testing.B) {
	for _, name := range []string{"PostgreSQL", "MySQL"} {
		p := benchPlace(b, places[name].here)
		for _, mode := range []string{modeSnapshot, modeWatermark} {
			set := connectors.Settings{"url": p.url, "tables": []string{"register"}, "mode": mode}
			if mode == modeWatermark {
				set["watermark"] = "changed"
			}
			b.Run(name+"/"+mode, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if n := readAll(b, set); n != registerRows {
						b.Fatalf("read %d rows, want %d", n, registerRows)
					}
				}
				b.ReportMetric(float64(b.N)*registerRows/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

func readAll(b *testing.B, set connectors.Settings) (n int) {
	src, err := openAt(b, nil, set)
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	for {
		batch, err := src.Read(b.Context())
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			b.Fatal(err)
		}
		n += len(batch.Rows)
		done := batch.CaughtUp
		batch.Release()
		if done {
			return n
		}
	}
}
