package embedded_test

import (
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
	"github.com/datong-dx/datong/broker/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, opts embedded.Options) (*embedded.Broker, *broker.Client) {
	t.Helper()
	b, err := embedded.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b, brokertest.Connect(t, broker.Config{Brokers: []string{b.Addr()}, Timeout: 5 * time.Second})
}

func TestDataSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	for run := range 3 {
		b, c := start(t, embedded.Options{Dir: dir})
		if err := c.EnsureTopic(t.Context(), broker.StandardTopic("t", broker.TopicOptions{Partitions: 2})); err != nil {
			t.Fatal(err)
		}
		p := c.NewProducer("id", broker.ProducerOptions{})
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		x := new(broker.Txn)
		for i := range 10 {
			x.Add("t", int32(i%2), broker.AppendPlainBody(nil, fmt.Append(nil, run, i), []byte("v")))
		}
		if err := p.Commit(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		n := 0
		if _, err := c.Scan(t.Context(), "t", nil, func(int32, *broker.Record) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		if want := 10 * (run + 1); n != want {
			t.Errorf("run %d: %d records, want %d", run, n, want)
		}
		c.Close()
		b.Close()
		b.Close()
	}
}

func TestCompactionRunsByItself(t *testing.T) {
	_, c := start(t, embedded.Options{CompactEvery: 50 * time.Millisecond})
	if err := c.EnsureTopic(t.Context(), broker.StandardTopic("t", broker.TopicOptions{Partitions: 1})); err != nil {
		t.Fatal(err)
	}
	p := c.NewProducer("id", broker.ProducerOptions{})
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		x := new(broker.Txn)
		for range 10 {
			x.Add("t", 0, broker.AppendPlainBody(nil, []byte("k"), []byte("v")))
		}
		if err := p.Commit(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		starts, err := c.StartOffsets(t.Context(), "t")
		if err != nil {
			t.Fatal(err)
		}
		if starts[0] > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing was compacted")
		}
	}
}

func TestAFixedPort(t *testing.T) {
	b, c := start(t, embedded.Options{})
	if id, err := c.ClusterID(t.Context()); err != nil || id != "datong-embedded" {
		t.Errorf("got %q, %v", id, err)
	}
	var port int
	if _, err := fmt.Sscanf(b.Addr(), "127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Start(t.Context(), embedded.Options{Port: port}); err == nil {
		t.Error("two brokers on one port")
	}
	b.Close()
	c.Close()
	again, _ := start(t, embedded.Options{Port: port})
	if again.Addr() != b.Addr() {
		t.Errorf("got %s, want %s", again.Addr(), b.Addr())
	}
}
