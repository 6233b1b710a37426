package delivery

import (
	"fmt"
	"testing"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// BenchmarkBatch folds and decodes the records of one batch, as the collector does, without broker and sink.
func BenchmarkBatch(b *testing.B) {
	const records = 5000
	client := brokertest.Start(b)
	topic := "bench.scjg." + entity
	if err := client.EnsureTopic(b.Context(), broker.StandardTopic(topic, broker.TopicOptions{Partitions: 1})); err != nil {
		b.Fatal(err)
	}
	p := client.NewProducer("bench", broker.ProducerOptions{})
	if err := p.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	envelope := broker.NewEnvelope("scjg", "pipe", "set", entity, dictionary.Builtin().Version)
	var txn broker.Txn
	for i := range records {
		key := fmt.Appendf(nil, "%06d\x1f2024", i)
		value := fmt.Appendf(nil, `{"code":"%06d","year":2024,"name":"某某区"}`, i)
		event := broker.Event{Time: 1_700_000_000_000_000, Order: connectors.Order{Sequence: uint64(i)}, Digest: uint64(i + 1)}
		txn.Add(topic, 0, envelope.AppendBody(nil, key, value, &event))
	}
	if err := p.Commit(b.Context(), &txn); err != nil {
		b.Fatal(err)
	}
	tables, err := entityTables(dictionary.Builtin(), []string{entity})
	if err != nil {
		b.Fatal(err)
	}
	var kept []broker.Record // their bytes lie in the reader's memory until its next Poll, which does not come
	reader := client.NewReader(broker.ReaderOptions{})
	defer reader.Close()
	reader.Assign(topic, 0, 0)
	fetched, err := reader.Poll(b.Context(), 10*time.Second)
	if err != nil || len(fetched) == 0 {
		b.Fatalf("read %d portions: %v", len(fetched), err)
	}
	kept = fetched[0].Records
	part := &part{table: tables[entity], departmentText: []byte("scjg")}
	batch, rd := newBatch(1), newReading()
	b.ReportAllocs()
	for b.Loop() {
		batch.reset()
		for i := range kept {
			batch.add(rd, part, &kept[i])
		}
		batch.seal(rd)
		if len(batch.broken) > 0 {
			b.Fatal(batch.broken[0].reason)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(kept))/b.Elapsed().Seconds(), "records/s")
}
