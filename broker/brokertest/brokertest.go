// Package brokertest gives tests a broker and lets it fail on purpose: [Start] runs one in the process, [Faults] loses,
// delays, repeats or changes single requests and answers on the connections of a client, to any broker, and [Refuse] makes
// the embedded one answer with an error code.
package brokertest

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/embedded"
)

// Start runs an empty broker and returns a client of it. Both end with the test.
func Start(t testing.TB) *broker.Client {
	t.Helper()
	client, _ := StartWith(t, broker.Config{})
	return client
}

// StartWith is Start with settings for the client, whose Brokers are filled in, and returns the broker too.
func StartWith(t testing.TB, cfg broker.Config) (*broker.Client, *embedded.Broker) {
	t.Helper()
	b, err := embedded.Start(t.Context(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	cfg.Brokers = []string{b.Addr()}
	return Connect(t, cfg), b
}

// Connect returns a client that ends with the test.
func Connect(t testing.TB, cfg broker.Config) *broker.Client {
	t.Helper()
	client, err := broker.Connect(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// Refuse makes the embedded broker answer the next n requests of a kind with a Kafka error code (n < 0: all), without
// acting on them. It returns a function that tells how many were.
func Refuse(b *embedded.Broker, kind Kind, code int16, n int) (hits func() int) {
	return RefuseTopic(b, kind, "", code, n)
}

// RefuseTopic is Refuse for what a request says about one topic: the rest of the request is acted on.
func RefuseTopic(b *embedded.Broker, kind Kind, topic string, code int16, n int) (hits func() int) {
	known := kerr.TypedErrorForCode(code)
	if known == nil || known.Code != code {
		panic("brokertest: unknown Kafka error code")
	}
	h := b.Cluster().Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Key(kind)}, Topic: topic, Err: known, Count: n,
		TopLevel: topic == "" && topLevel[kind],
	})
	return h.Hits
}

// topLevel are the kinds whose answers have one code for the whole request.
var topLevel = map[Kind]bool{InitProducerID: true, EndTxn: true, FindCoordinator: true}
