package broker_test

import (
	"context"
	"fmt"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/embedded"
	"github.com/datong-dx/datong/connectors"
)

// A record goes out in a transaction and comes back as a read-committed consumer sees it.
func Example() {
	ctx := context.Background()
	b, err := embedded.Start(ctx, embedded.Options{})
	if err != nil {
		panic(err)
	}
	defer b.Close()
	client, err := broker.Connect(broker.Config{Brokers: []string{b.Addr()}})
	if err != nil {
		panic(err)
	}
	defer client.Close()

	topic := broker.StandardTopic("dt.market-regulation.legal_entity", broker.TopicOptions{Partitions: 4})
	if err := client.EnsureTopic(ctx, topic); err != nil {
		panic(err)
	}
	producer := client.NewProducer("dt.market-regulation.enterprises.0", broker.ProducerOptions{})
	if err := producer.Start(ctx); err != nil {
		panic(err)
	}

	envelope := broker.NewEnvelope("market-regulation", "enterprises", "qyjbxx", "legal_entity", "1.0.0")
	key, value := []byte("91510100MA62TESTX8"), []byte(`{"uscc":"91510100MA62TESTX8"}`)
	cause := broker.Cause{Order: connectors.Order{Generation: 1, Sequence: 42}, Op: connectors.OpInsert}
	event := broker.Event{ID: envelope.EventID(&cause, key), Time: 1_767_225_600_000_000, Order: cause.Order}
	var txn broker.Txn
	txn.Add(topic.Name, broker.Partition(key, topic.Partitions), envelope.AppendBody(nil, key, value, &event))
	if err := producer.Commit(ctx, &txn); err != nil {
		panic(err)
	}

	_, err = client.Scan(ctx, topic.Name, nil, func(_ int32, r *broker.Record) error {
		fmt.Printf("%s %s\n%s %s\n", r.Key, r.Value, r.Header(broker.HeaderSource), r.Header(broker.HeaderTime))
		return nil
	})
	if err != nil {
		panic(err)
	}
	// Output:
	// 91510100MA62TESTX8 {"uscc":"91510100MA62TESTX8"}
	// /market-regulation/enterprises/qyjbxx 2026-01-01T00:00:00.000000Z
}
