package broker_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
	"github.com/datong-dx/datong/broker/embedded"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// site is a broker that the same tests run on: the embedded one, and with the tag services a real one.
type site struct {
	name  string
	start func(t testing.TB) (addr string)
}

var sites = []site{{"embedded", func(t testing.TB) string {
	b, err := embedded.Start(t.Context(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b.Addr()
}}}

// everywhere runs a test on every site.
func everywhere(t *testing.T, f func(t *testing.T, addr string)) {
	t.Helper()
	t.Parallel()
	for _, s := range sites {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			f(t, s.start(t))
		})
	}
}

var unique atomic.Int64

// name returns a name that no other test uses on the same broker.
func name(t testing.TB) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, t.Name())
	return fmt.Sprintf("%s-%d-%d", clean[:min(len(clean), 80)], time.Now().UnixNano(), unique.Add(1))
}

func connect(t testing.TB, addr string, dial *brokertest.Faults) *broker.Client {
	t.Helper()
	cfg := broker.Config{Brokers: []string{addr}, Timeout: 5 * time.Second}
	if dial != nil {
		cfg.Dial = dial.Dial
	}
	return brokertest.Connect(t, cfg)
}

func topic(t testing.TB, c *broker.Client, partitions int) string {
	t.Helper()
	topic := name(t)
	if err := c.EnsureTopic(t.Context(), broker.Topic{Name: topic, Partitions: partitions, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	return topic
}

func producer(t testing.TB, c *broker.Client, opts broker.ProducerOptions) *broker.Producer {
	t.Helper()
	return started(t, c, name(t), opts)
}

func started(t testing.TB, c *broker.Client, id string, opts broker.ProducerOptions) *broker.Producer {
	t.Helper()
	p := c.NewProducer(id, opts)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := p.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return p
}

// txn returns a transaction of records "tag-0", "tag-1" …, dealt to partitions in turn.
func txn(topic string, partitions, n int, tag string) *broker.Txn {
	t := new(broker.Txn)
	for i := range n {
		value := fmt.Sprintf("%s-%d", tag, i)
		t.Add(topic, int32(i%partitions), broker.AppendPlainBody(nil, []byte(value), []byte(value)))
	}
	return t
}

func commit(t testing.TB, p *broker.Producer, x *broker.Txn) {
	t.Helper()
	if err := p.Commit(t.Context(), x); err != nil {
		t.Fatal(err)
	}
}

// values returns the values that a read-committed reader sees in a topic, by partition and in order.
func values(t testing.TB, c *broker.Client, topic string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	byPartition := map[int32][]string{}
	ends, err := c.Scan(ctx, topic, nil, func(p int32, r *broker.Record) error {
		byPartition[p] = append(byPartition[p], string(r.Value))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for p := range ends {
		all = append(all, byPartition[int32(p)]...)
	}
	return all
}

// want returns what values gives for the transactions "tag-0" … of n records each.
func want(partitions int, runs ...run) []string {
	var all []string
	for p := range partitions {
		for _, r := range runs {
			for i := p; i < r.n; i += partitions {
				all = append(all, fmt.Sprintf("%s-%d", r.tag, i))
			}
		}
	}
	return all
}

type run struct {
	tag string
	n   int
}
