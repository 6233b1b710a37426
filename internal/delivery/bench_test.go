//go:build services

package delivery

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/dictionary"
)

const (
	benchRows       = 200_000
	benchPartitions = 8
	benchEntity     = "legal_entity"
)

// bench is a topic of enterprises and an empty platform.
type bench struct {
	b        *testing.B
	client   *broker.Client
	prefix   string
	producer *broker.Producer
	platform *platform
	txn      broker.Txn
	round    int
}

func newBench(b *testing.B) *bench {
	client, err := broker.Connect(broker.Config{Brokers: []string{need(b, "DATONG_TEST_KAFKA")}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	n := &bench{b: b, client: client, prefix: fmt.Sprintf("bench%d", time.Now().UnixNano()), platform: newPlatform(b, "DATONG_TEST_POSTGRES")}
	if err := client.EnsureTopic(b.Context(), broker.StandardTopic(n.topic(), broker.TopicOptions{Partitions: benchPartitions})); err != nil {
		b.Fatal(err)
	}
	n.producer = client.NewProducer(n.prefix, broker.ProducerOptions{TransactionTimeout: time.Minute})
	if err := n.producer.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	return n
}

func (n *bench) topic() string { return n.prefix + ".scjg." + benchEntity }

// publish sends records of twelve elements; the round makes those of one key differ.
func (n *bench) publish(keys []int) {
	n.b.Helper()
	n.round++
	envelope := broker.NewEnvelope("scjg", "enterprises", "qyjbxx", benchEntity, dictionary.Builtin().Version)
	var value, body []byte
	for chunk := range slices.Chunk(keys, 20_000) {
		n.txn.Reset()
		for i, k := range chunk {
			key := fmt.Appendf(nil, "9144%014d", k)
			value = fmt.Appendf(value[:0], `{"uscc":%q,"reg_no":"440106000%06d","org_name":"广州市天河区某某科技有限公司%d","ent_type":"1130","legal_rep_name":"李四","reg_capital":"1000.%d","reg_capital_currency":"156","est_date":"2018-04-01","reg_status":"1","address":"广东省广州市天河区体育西路%d号","region_code":"440106","business_scope":"软件开发；信息技术咨询服务"}`,
				key, k, k, n.round, k)
			event := broker.Event{Time: time.Now().UnixMicro(), Order: connectors.Order{Sequence: uint64(i)}, Digest: uint64(k + 1)}
			body = envelope.AppendBody(body[:0], key, value, &event)
			n.txn.Add(n.topic(), broker.Partition(key, benchPartitions), body)
		}
		if err := n.producer.Commit(n.b.Context(), &n.txn); err != nil {
			n.b.Fatal(err)
		}
	}
}

func (n *bench) options() Options {
	w := &world{prefix: n.prefix, client: n.client, hook: &hook{}}
	opt := w.into(n.platform.url)
	opt.Entities, opt.Log = []string{benchEntity}, nil
	return opt
}

func (n *bench) start(opt Options) *Delivery {
	n.b.Helper()
	d, err := New(opt)
	if err != nil {
		n.b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = d.Run(ctx) })
	n.b.Cleanup(func() { cancel(); running.Wait() })
	return d
}

func (n *bench) settle(d *Delivery) {
	n.b.Helper()
	if err := d.WaitIdle(n.b.Context()); err != nil {
		n.b.Fatal(err)
	}
}

// BenchmarkTopicToPostgres delivers what waits in a topic, first all new, then all changed, and compares with COPY into
// a temporary table and INSERT … ON CONFLICT of the same rows in batches of the same size.
func BenchmarkTopicToPostgres(b *testing.B) {
	keys := rand.New(rand.NewPCG(1, 2)).Perm(benchRows)
	for b.Loop() {
		n := newBench(b)
		d := n.start(n.options())
		n.publish([]int{benchRows})
		n.settle(d)
		for _, what := range []string{"insert", "update"} {
			// The clock starts with the records there: a delivery that is stopped meanwhile would measure its joining.
			gate := n.hold()
			n.publish(keys)
			start := time.Now()
			gate()
			n.settle(d)
			mine := time.Since(start)
			limit := n.bare(what)
			b.ReportMetric(benchRows/mine.Seconds(), what+"-rows/s")
			b.ReportMetric(benchRows/limit.Seconds(), "bare-"+what+"-rows/s")
			b.ReportMetric(limit.Seconds()/mine.Seconds(), what+"-ratio")
		}
	}
}

// hold keeps the delivery from writing, by a lock on the offsets, until the function that it returns is called.
func (n *bench) hold() func() {
	n.b.Helper()
	tx, err := n.platform.db.Beginx()
	if err != nil {
		n.b.Fatal(err)
	}
	if _, err := tx.Exec("LOCK TABLE _datong_offsets IN ACCESS EXCLUSIVE MODE"); err != nil {
		n.b.Fatal(err)
	}
	return func() { _ = tx.Rollback() }
}

// bare copies the platform's rows into a table of the same shape, whose rows are there already when they are updates.
func (n *bench) bare(what string) time.Duration {
	n.b.Helper()
	c, err := pgconn.Connect(n.b.Context(), n.platform.url)
	if err != nil {
		n.b.Fatal(err)
	}
	defer c.Close(context.Background())
	if what == "insert" {
		n.query(c, "CREATE TABLE bare (LIKE "+benchEntity+" INCLUDING ALL)")
	}
	n.query(c, "CREATE TEMP TABLE stage (LIKE bare) ON COMMIT DELETE ROWS; CREATE TEMP TABLE rows AS SELECT row_number() OVER (ORDER BY md5(uscc)) AS n, * FROM "+benchEntity)
	set := ""
	for i, column := range n.columns() {
		if i > 0 {
			set += ", "
		}
		set += fmt.Sprintf("%q = excluded.%q", column, column)
	}
	var total time.Duration
	for from := 0; from < benchRows; from += defaultBatchRows {
		var data bytes.Buffer
		list := quoted(n.columns())
		if _, err := c.CopyTo(n.b.Context(), &data, fmt.Sprintf("COPY (SELECT %s FROM rows WHERE n > %d AND n <= %d) TO STDOUT", list, from, from+defaultBatchRows)); err != nil {
			n.b.Fatal(err)
		}
		start := time.Now()
		n.query(c, "BEGIN")
		if _, err := c.CopyFrom(n.b.Context(), &data, "COPY stage ("+list+") FROM STDIN"); err != nil {
			n.b.Fatal(err)
		}
		n.query(c, "INSERT INTO bare SELECT * FROM stage ON CONFLICT (department, uscc) DO UPDATE SET "+set)
		n.query(c, "COMMIT")
		total += time.Since(start)
	}
	return total
}

func (n *bench) columns() []string {
	var names []string
	if err := n.platform.db.Select(&names, `SELECT attname FROM pg_attribute WHERE attrelid = 'bare'::regclass AND attnum > 0 ORDER BY attnum`); err != nil {
		n.b.Fatal(err)
	}
	return names
}

func (n *bench) query(c *pgconn.PgConn, statement string) {
	n.b.Helper()
	if _, err := c.Exec(n.b.Context(), statement).ReadAll(); err != nil {
		n.b.Fatal(err)
	}
}

func quoted(names []string) string {
	list := ""
	for i, name := range names {
		if i > 0 {
			list += ", "
		}
		list += fmt.Sprintf("%q", name)
	}
	return list
}

// BenchmarkStandingLoad publishes 500 changes a second, twenty-five transactions of twenty, and reports how long after
// the change they are visible.
func BenchmarkStandingLoad(b *testing.B) {
	n := newBench(b)
	var mu sync.Mutex
	var latencies []time.Duration
	opt := n.options()
	opt.Observe = func(latency time.Duration, records int) {
		mu.Lock()
		defer mu.Unlock()
		latencies = append(latencies, slices.Repeat([]time.Duration{latency}, records)...)
	}
	d := n.start(opt)
	n.publish([]int{1})
	n.settle(d)
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	at := 0
	for b.Loop() {
		for range 20 * 25 {
			<-tick.C
			keys := make([]int, 20)
			for i := range keys {
				at++
				keys[i] = at % 5000
			}
			n.publish(keys)
		}
	}
	n.settle(d)
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(latencies)
	b.ReportMetric(float64(latencies[len(latencies)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(latencies[len(latencies)*99/100].Milliseconds()), "p99-ms")
	b.ReportMetric(float64(latencies[len(latencies)-1].Milliseconds()), "max-ms")
}
