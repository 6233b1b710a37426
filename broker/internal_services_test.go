//go:build services

package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"golang.org/x/sync/errgroup"
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

// BenchmarkProduceWithoutTransactions is the limit beside BenchmarkCommit: the same batches, not compressed, sent to 8
// partitions at once by kafka-go, without transactions and without anyone to make them.
func BenchmarkProduceWithoutTransactions(b *testing.B) {
	const partitions, records = 8, 64 << 10
	c, err := Connect(Config{Brokers: []string{os.Getenv("DATONG_TEST_KAFKA")}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	topic := fmt.Sprintf("bench-%d", time.Now().UnixNano())
	if err := c.EnsureTopic(b.Context(), Topic{Name: topic, Partitions: partitions, Replication: 1}); err != nil {
		b.Fatal(err)
	}
	x := new(Txn)
	body := AppendPlainBody(nil, []byte("91510100MA00000001"), make([]byte, 500))
	for i := range records {
		x.Add(topic, int32(i%partitions), body)
	}
	for _, s := range x.order {
		for _, chunk := range s.chunks {
			sealBatch(chunk.data, chunk.count, codecNone, stamp{producer: -1, epoch: -1, sequence: -1})
			reseal(chunk.data, 0)
		}
	}
	b.SetBytes(int64(x.Bytes()))
	b.ResetTimer()
	for range b.N {
		var work errgroup.Group
		for _, s := range x.order {
			work.Go(func() error {
				for _, chunk := range s.chunks {
					framed := io.MultiReader(bytes.NewReader(binary.BigEndian.AppendUint32(nil, uint32(len(chunk.data)))), bytes.NewReader(chunk.data))
					res, err := c.kafka.RawProduce(b.Context(), &kafka.RawProduceRequest{Topic: topic, Partition: int(s.Partition),
						RequiredAcks: kafka.RequireAll, RawRecords: protocol.RawRecordSet{Reader: framed}})
					if err == nil {
						err = res.Error
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := work.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*records/b.Elapsed().Seconds(), "records/s")
}
