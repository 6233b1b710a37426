//go:build services

package broker

import (
	"errors"
	"os"
	"testing"
)

func init() {
	insideSites["kafka"] = func(t *testing.T) string {
		addr := os.Getenv("DATONG_TEST_KAFKA")
		if addr == "" {
			t.Fatal("DATONG_TEST_KAFKA is not set")
		}
		return addr
	}
}

// Only on a real broker: the embedded one takes no batch across the wrap.
func TestABatchAcrossTheWrapIsAccepted(t *testing.T) {
	insideAt(t, insideSites["kafka"](t), func(t *testing.T, c *Client, topic string) {
		other, p := c.NewProducer(topic, ProducerOptions{}), c.NewProducer(topic+"-wrap", ProducerOptions{})
		if err := errors.Join(other.Start(t.Context()), p.Start(t.Context())); err != nil {
			t.Fatal(err)
		}
		// A broker takes any sequence from a producer that it does not know, where the log has held records already.
		if err := other.Commit(t.Context(), oneRecord(topic, "first")); err != nil {
			t.Fatal(err)
		}
		p.sequences[TopicPartition{topic, 0}] = 1<<31 - 2
		x := new(Txn)
		for range 3 {
			x.Add(topic, 0, AppendPlainBody(nil, []byte("k"), []byte("v")))
		}
		for range 2 {
			if err := p.Commit(t.Context(), x); err != nil {
				t.Fatal(err)
			}
		}
	})
}
