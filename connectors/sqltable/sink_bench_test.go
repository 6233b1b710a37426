//go:build services

package sqltable

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/datong-dx/datong/connectors"
)

const (
	benchRows  = 200_000
	benchBatch = 10_000
)

// enterprises is a table of twelve elements with the columns that a delivery adds, and rows of it in random key order.
func enterprises() (*connectors.Table, []connectors.Row) {
	t := &connectors.Table{Name: "firm", Key: []int{0, 1}, Columns: []connectors.Column{
		{Name: "department", Kind: connectors.KindText, Length: 64}, {Name: "uscc", Kind: connectors.KindText, Length: 18},
		{Name: "org_name", Kind: connectors.KindText, Length: 200}, {Name: "ent_type", Kind: connectors.KindText, Length: 4},
		{Name: "reg_status", Kind: connectors.KindText, Length: 1}, {Name: "est_date", Kind: connectors.KindDate},
		{Name: "reg_capital", Kind: connectors.KindDecimal, Precision: 18, Scale: 6}, {Name: "currency", Kind: connectors.KindText, Length: 3},
		{Name: "legal_rep", Kind: connectors.KindText, Length: 100}, {Name: "region", Kind: connectors.KindText, Length: 6},
		{Name: "address", Kind: connectors.KindText, Length: 300}, {Name: "scope", Kind: connectors.KindText},
		{Name: "approved", Kind: connectors.KindDate}, {Name: "_source", Kind: connectors.KindText},
		{Name: "_changed_at", Kind: connectors.KindTimestamp},
	}}
	rows := make([]connectors.Row, benchRows)
	for i, n := range rand.New(rand.NewPCG(1, 2)).Perm(benchRows) {
		rows[i] = connectors.Row{Table: t, Op: connectors.OpUpsert, Values: []connectors.Value{
			text("market-regulation"), text(fmt.Sprintf("9144%014d", n)), text(fmt.Sprintf("广州市天河区某某科技有限公司%d", n)),
			text("1130"), text("1"), connectors.Date(17622), connectors.Decimal([]byte("1000.5")), text("156"), text("李四"),
			text("440106"), text(fmt.Sprintf("广东省广州市天河区体育西路%d号", n)), text("软件开发；信息技术咨询服务"),
			connectors.Date(18262), text("/market-regulation/enterprises/qyjbxx"), connectors.Timestamp(1795424400000000 + int64(n)),
		}}
	}
	return t, rows
}

// BenchmarkSinkPostgres writes the same rows through the sink and by bare COPY and INSERT … ON CONFLICT, each batch in
// one transaction, and reports rows per second and the ratio of the two.
func BenchmarkSinkPostgres(b *testing.B) {
	table, rows := enterprises()
	for b.Loop() {
		p := benchPlatform(b)
		s := p.ready(b, table)
		bare, err := pgconn.Connect(b.Context(), p.url)
		if err != nil {
			b.Fatal(err)
		}
		defer bare.Close(context.Background())
		execute(b, bare, fmt.Sprintf(`SET search_path TO %s; CREATE TABLE bare (LIKE firm INCLUDING ALL); CREATE TEMP TABLE stage (LIKE firm) ON COMMIT DELETE ROWS`, p.dialect.Quote(p.schema)))
		from := int64(-1)
		for _, what := range []string{"insert", "update"} {
			var mine, limit time.Duration
			for i := 0; i < len(rows); i += benchBatch {
				chunk := rows[i : i+benchBatch]
				data := copyText(chunk)
				start := time.Now()
				write(b, s, advance(0, from, int64(i+benchBatch)), chunk...)
				mine += time.Since(start)
				from = int64(i + benchBatch)
				start = time.Now()
				bareMerge(b, bare, data, s.tables["firm"])
				limit += time.Since(start)
			}
			b.ReportMetric(benchRows/mine.Seconds(), what+"-rows/s")
			b.ReportMetric(benchRows/limit.Seconds(), "bare-"+what+"-rows/s")
			b.ReportMetric(limit.Seconds()/mine.Seconds(), what+"-ratio")
		}
	}
}

// BenchmarkSinkLatency writes small batches, as a delivery under a standing load of 500 changes a second does.
func BenchmarkSinkLatency(b *testing.B) {
	table, rows := enterprises()
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := benchPlatform(b).ready(b, table)
			from := int64(-1)
			for b.Loop() {
				at := (int(from+1) * n) % (benchRows - n)
				write(b, s, advance(0, from, from+1), rows[at:at+n]...)
				from++
			}
		})
	}
}

func benchPlatform(b *testing.B) *platform {
	b.Helper()
	schema := fmt.Sprintf("bench_%d", time.Now().UnixNano())
	p := newPlatform(b, serverURL(b, "DATONG_TEST_POSTGRES"), schema)
	b.Cleanup(func() { p.db.Exec("DROP SCHEMA IF EXISTS " + p.dialect.Quote(schema) + " CASCADE") })
	return p
}

func copyText(rows []connectors.Row) []byte {
	var buf []byte
	for i := range rows {
		for k, v := range rows[i].Values {
			if k > 0 {
				buf = append(buf, '\t')
			}
			buf = v.AppendText(buf)
		}
		buf = append(buf, '\n')
	}
	return buf
}

func bareMerge(b *testing.B, c *pgconn.PgConn, data []byte, t *sinkTable) {
	b.Helper()
	execute(b, c, "BEGIN")
	if _, err := c.CopyFrom(b.Context(), bytes.NewReader(data), "COPY stage FROM STDIN"); err != nil {
		b.Fatal(err)
	}
	execute(b, c, "INSERT INTO bare SELECT * FROM stage"+onConflict(t))
	execute(b, c, "COMMIT")
}

func execute(b *testing.B, c *pgconn.PgConn, statement string) {
	b.Helper()
	if _, err := c.Exec(b.Context(), statement).ReadAll(); err != nil {
		b.Fatal(err)
	}
}
