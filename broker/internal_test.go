package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/datong-dx/datong/broker/embedded"
)

// site is where the tests of this file run; with the tag services also on a real broker.
var insideSites = map[string]func(t *testing.T) string{"embedded": func(t *testing.T) string {
	b, err := embedded.Start(t.Context(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b.Addr()
}}

func inside(t *testing.T, f func(t *testing.T, c *Client, topic string)) {
	t.Helper()
	for name, start := range insideSites {
		t.Run(name, func(t *testing.T) { insideAt(t, start(t), f) })
	}
}

func insideAt(t *testing.T, addr string, f func(t *testing.T, c *Client, topic string)) {
	t.Helper()
	c, err := Connect(Config{Brokers: []string{addr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	topic := fmt.Sprintf("inside-%d", time.Now().UnixNano())
	if err := c.EnsureTopic(t.Context(), Topic{Name: topic, Partitions: 1, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	f(t, c, topic)
}

func oneRecord(topic, value string) *Txn {
	x := new(Txn)
	x.Add(topic, 0, AppendPlainBody(nil, []byte("k"), []byte(value)))
	return x
}

// batches returns the raw batches of a partition up to an offset, read uncommitted. It waits for a commit marker, which a
// broker writes after it has answered.
func batches(t *testing.T, c *Client, topic string, end int64) []rawBatch {
	t.Helper()
	leaders, err := c.leaders(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	for {
		f := &fetch{x: new(exchange), leader: leaders[0]}
		f.asked = []asked{{assignment: &assignment{TopicPartition: TopicPartition{topic, 0}}, bytes: 1 << 20}}
		f.encode(time.Second, false)
		if f.run(t.Context(), c, time.Second); f.err != nil {
			t.Fatal(f.err)
		}
		var all []rawBatch
		err = f.portions(func(_ TopicPartition, p *portion) error {
			for set := p.set; ; {
				var b rawBatch
				if b, set, err = cutBatch(set); b == nil || err != nil {
					return err
				}
				all = append(all, slices.Clone(b))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(all); n > 0 && all[n-1].lastOffset()+1 >= end {
			return all
		}
	}
}

// What makes a transaction is in the log: the producer's id, epoch and sequence, and the transactional bit. A client that
// encodes the batch anew loses them without any error.
func TestTheLogHoldsProducerEpochAndSequence(t *testing.T) {
	inside(t, func(t *testing.T, c *Client, topic string) {
		p := c.NewProducer(topic, ProducerOptions{})
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := p.Commit(t.Context(), oneRecord(topic, "v")); err != nil {
				t.Fatal(err)
			}
		}
		sequence := int32(0)
		for _, b := range batches(t, c, topic, 4) {
			if b.producer() != p.producer || int16(binary.BigEndian.Uint16(b[atProducerEpoch:])) != p.epoch || !b.transactional() {
				t.Errorf("offset %d: producer %d, transactional %v; want producer %d", b.baseOffset(), b.producer(), b.transactional(), p.producer)
			}
			if b.control() {
				continue
			}
			if got := int32(binary.BigEndian.Uint32(b[atSequence:])); got != sequence {
				t.Errorf("offset %d has sequence %d, want %d", b.baseOffset(), got, sequence)
			}
			sequence++
		}
		if sequence != 2 {
			t.Errorf("the log holds %d data batches, want 2", sequence)
		}
	})
}

// The reason for raising the epoch, shown both ways: a batch of an aborted transaction arrives late, inside the next
// one. In the same epoch the broker takes it for the batch that has its sequence number and answers the right one as its
// duplicate: false data and a loss. In a higher epoch it is refused.
func TestALateBatchAndWhyTheEpochIsRaised(t *testing.T) {
	inside(t, func(t *testing.T, c *Client, topic string) {
		for _, raise := range []bool{false, true} {
			p := c.NewProducer(fmt.Sprintf("%s-%v", topic, raise), ProducerOptions{})
			if err := p.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			late := encoded(t, p, oneRecord(topic, fmt.Sprintf("late, epoch raised: %v", raise)))
			right := oneRecord(topic, fmt.Sprintf("right, epoch raised: %v", raise))
			if err := p.addPartitions(t.Context(), late); err != nil {
				t.Fatal(err)
			}
			if raise {
				p.phase = sending
				if err := p.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
			} else {
				endWith(t, p, false)
			}
			streams := encoded(t, p, right)
			if err := p.addPartitions(t.Context(), streams); err != nil {
				t.Fatal(err)
			}
			err := p.round(t.Context(), late)
			if refused := err != nil; refused != raise {
				t.Errorf("epoch raised: %v; late batch: %v", raise, err)
			}
			var code kafka.Error
			if raise && (!errors.As(err, &code) || code != kafka.InvalidProducerEpoch) {
				t.Errorf("late batch: %v, want INVALID_PRODUCER_EPOCH", err)
			}
			if err := p.round(t.Context(), streams); err != nil {
				t.Errorf("epoch raised: %v; right batch: %v", raise, err)
			}
			endWith(t, p, true)
		}
		var got []string
		if _, err := c.Scan(t.Context(), topic, nil, func(_ int32, r *Record) error {
			got = append(got, string(r.Value))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if want := []string{"late, epoch raised: false", "right, epoch raised: true"}; !slices.Equal(got, want) {
			t.Errorf("the log shows %q, want %q", got, want)
		}
	})
}

func encoded(t *testing.T, p *Producer, x *Txn) []*stream {
	t.Helper()
	streams, err := p.encode(x)
	if err != nil {
		t.Fatal(err)
	}
	return streams
}

func endWith(t *testing.T, p *Producer, commit bool) {
	t.Helper()
	if err := p.end(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
}

// A producer that has sent 2³¹ records to a partition begins at 0 again.
func TestSequenceNumbersWrap(t *testing.T) {
	for _, c := range []struct {
		from  int32
		count int
		want  int32
	}{{0, 5, 5}, {1<<31 - 1, 1, 0}, {1<<31 - 3, 10, 7}, {1<<31 - 3, 2, 1<<31 - 1}} {
		if got := nextSequence(c.from, c.count); got != c.want {
			t.Errorf("nextSequence(%d, %d) = %d, want %d", c.from, c.count, got, c.want)
		}
	}
}

func TestARequestToAnOldBrokerSaysSo(t *testing.T) {
	x := &exchange{key: protocol.Fetch, version: fetchVersion}
	x.Required(map[protocol.ApiKey]int16{protocol.Fetch: 4})
	if _, err := x.RawExchange(nil); !errors.Is(err, errTooOld) || retriable(classify(err)) {
		t.Errorf("got %v", err)
	}
}
