package broker

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"golang.org/x/sync/errgroup"

	"github.com/datong-dx/datong/connectors"
)

// stream is what one transaction sends to one partition: encoded batches, in order.
type stream struct {
	TopicPartition
	batches [][]byte
	next    int32 // sequence number after the last batch
	packed  [][]byte
}

// packs is memory for compressed batches. It comes back only from transactions in which every request was answered.
var packs = sync.Pool{New: func() any { return make([]byte, 0, chunkBytes/4) }}

func (s *stream) release() {
	for _, m := range s.packed {
		if m != nil {
			packs.Put(m[:0]) //nolint:staticcheck // a slice header per batch of up to a MiB
		}
	}
}

const (
	// lanes is how many requests to produce are under way at once: the broker works on one while the others travel.
	lanes = 3
	// maxRequestBytes keeps a request below Kafka's socket.request.max.bytes (100 MiB) with room to spare.
	maxRequestBytes = 32 << 20
	acksAll         = -1
)

// encode turns the chunks of t into batches: compressed, in parallel, and stamped with the next sequence numbers. Nothing
// is sent yet, so that a record that is too large is told while no transaction is open.
func (p *Producer) encode(t *Txn) ([]*stream, error) {
	var (
		streams = make([]*stream, len(t.order))
		work    errgroup.Group
		now     = time.Now().UnixMilli()
	)
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i, section := range t.order {
		s := &stream{TopicPartition: section.TopicPartition, next: p.sequences[section.TopicPartition]}
		s.batches, s.packed = make([][]byte, len(section.chunks)), make([][]byte, len(section.chunks))
		streams[i] = s
		for j, c := range section.chunks {
			by := stamp{producer: p.producer, epoch: p.epoch, sequence: s.next, time: now}
			s.next = nextSequence(s.next, c.count)
			work.Go(func() (err error) {
				s.batches[j], s.packed[j], err = p.encodeChunk(section.TopicPartition, c, by)
				return err
			})
		}
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	return streams, nil
}

// smallBatchBytes is where compressing stops to be worth its headers.
const smallBatchBytes = 256

// encodeChunk returns the batch of a chunk, and the memory that was taken for it when it was compressed.
func (p *Producer) encodeChunk(to TopicPartition, c chunk, by stamp) (batch, packed []byte, err error) {
	batch, how := c.data, codecNone
	if p.codec != codecNone && len(c.data) > smallBatchBytes {
		packed, err = p.codec.compress(packs.Get().([]byte)[:batchHeaderBytes], c.data[batchHeaderBytes:])
		if err != nil {
			return nil, nil, fmt.Errorf("compress a batch for %s: %w", to.Topic, err)
		}
		if len(packed) < len(batch) {
			batch, how = packed, p.codec
		}
	}
	if len(batch) > p.opts.MaxMessageBytes {
		return nil, nil, tooLarge(to, fmt.Sprint(len(batch)), p.opts.MaxMessageBytes, nil)
	}
	sealBatch(batch, c.count, how, by)
	return batch, packed, nil
}

func tooLarge(to TopicPartition, size string, limit int, err error) error {
	return &connectors.Problem{
		Where: "topic " + to.Topic,
		What: connectors.Text{
			Zh: fmt.Sprintf("一条记录的批次为 %s 字节，超过上限 %d", size, limit),
			En: fmt.Sprintf("a batch of %s bytes is larger than the limit of %d", size, limit)},
		Try: connectors.Text{Zh: "提高该主题的 max.message.bytes，或不映射过大的字段", En: "raise the topic's max.message.bytes, or leave the large field out of the mapping"},
		Err: err,
	}
}

// send produces every batch, in order per partition. The first round is one request per leader for all partitions:
// Kafka 4 checks each partition's first batch with the coordinator, and several such requests at once from one producer
// collide. After it the partitions are dealt to lanes, each with one request under way.
func (p *Producer) send(ctx context.Context, streams []*stream) error {
	if err := p.round(ctx, streams); err != nil {
		return err
	}
	rest := withBatches(streams)
	slices.SortFunc(rest, func(a, b *stream) int { return len(b.batches) - len(a.batches) })
	work, ctx := errgroup.WithContext(ctx)
	for n := range min(lanes, len(rest)) {
		var lane []*stream
		for i := n; i < len(rest); i += lanes {
			lane = append(lane, rest[i])
		}
		work.Go(func() error {
			for ; len(lane) > 0; lane = withBatches(lane) {
				if err := p.round(ctx, lane); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return work.Wait()
}

func withBatches(streams []*stream) []*stream {
	var rest []*stream
	for _, s := range streams {
		if len(s.batches) > 0 {
			rest = append(rest, s)
		}
	}
	return rest
}

// round sends the first batch of every stream and takes it off when it is acknowledged. What may be tried again is sent
// again, the same bytes, until all are acknowledged.
func (p *Producer) round(ctx context.Context, streams []*stream) error {
	return p.client.call(ctx, "produce", func(ctx context.Context) error {
		groups, err := p.byLeader(ctx, streams)
		if err != nil {
			return err
		}
		if len(groups) == 1 {
			streams, err = p.produce(ctx, groups[0])
			return err
		}
		var (
			work errgroup.Group
			left = make([][]*stream, len(groups))
			errs = make([]error, len(groups))
		)
		for i, g := range groups {
			work.Go(func() error {
				left[i], errs[i] = p.produce(ctx, g)
				return nil
			})
		}
		_ = work.Wait() // the errors are in errs
		streams = slices.Concat(left...)
		return worst(errs)
	})
}

// worst returns the error that decides: one that cannot be tried again before one that can.
func worst(errs []error) error {
	var worst error
	for _, err := range errs {
		if err != nil && (worst == nil || retriable(worst)) {
			worst = err
		}
	}
	return worst
}

// delivery is one request: the first batches of some streams with one leader.
type delivery struct {
	leader  int32
	streams []*stream
	bytes   int
}

func (p *Producer) byLeader(ctx context.Context, streams []*stream) ([]*delivery, error) {
	var (
		all     []*delivery
		current = make(map[int32]*delivery)
		leaders = make(map[string][]int32)
	)
	for _, s := range streams {
		known, ok := leaders[s.Topic]
		if !ok {
			var err error
			if known, err = p.client.leaders(ctx, s.Topic); err != nil {
				return nil, err
			}
			leaders[s.Topic] = known
		}
		if int(s.Partition) >= len(known) {
			return nil, protocol.NewErrNoPartition(s.Topic, s.Partition)
		}
		leader := known[s.Partition]
		if leader < 0 {
			return nil, protocol.NewErrNoLeader(s.Topic, s.Partition)
		}
		d := current[leader]
		if d == nil || d.bytes+len(s.batches[0]) > maxRequestBytes {
			d = &delivery{leader: leader}
			current[leader] = d
			all = append(all, d)
		}
		d.streams = append(d.streams, s)
		d.bytes += len(s.batches[0])
	}
	return all, nil
}

// produce sends one request and takes the acknowledged batches off their streams. It returns the streams whose batch is
// still to be acknowledged and the error that decides about them, nil when there are none.
func (p *Producer) produce(ctx context.Context, d *delivery) ([]*stream, error) {
	x := &exchange{key: protocol.Produce, version: produceVersion, broker: d.leader, parts: p.produceRequest(d)}
	if err := p.client.exchange(ctx, x, 0); err != nil {
		return d.streams, p.note(err)
	}
	codes, ok := produceAnswer(x.answer)
	if !ok {
		return d.streams, p.note(fmt.Errorf("%w: %w", errMissing, errMalformed))
	}
	var left []*stream
	var errs []error
	for _, s := range d.streams {
		code, answered := codes[s.TopicPartition]
		switch {
		case !answered:
			left = append(left, s)
			errs = append(errs, p.note(fmt.Errorf("%w: topic %s partition %d is not in the answer", errMissing, s.Topic, s.Partition)))
		case code != 0:
			left = append(left, s)
			errs = append(errs, p.refused(s, code))
		default:
			s.batches = s.batches[1:]
		}
	}
	return left, worst(errs)
}

func (p *Producer) refused(s *stream, code kafka.Error) error {
	err := fmt.Errorf("topic %s partition %d: %w", s.Topic, s.Partition, code)
	switch code {
	case kafka.MessageSizeTooLarge, kafka.RecordListTooLarge:
		return tooLarge(s.TopicPartition, fmt.Sprint(len(s.batches[0])), p.opts.MaxMessageBytes, err)
	case kafka.TransactionalIDAuthorizationFailed:
		return p.client.explain(err, resource{"transactional id", p.id, "Write"})
	}
	return p.client.explain(err, resource{"topic", s.Topic, "Write"})
}

// produceRequest encodes a Produce request, version 8, around the batches, which are not copied.
func (p *Producer) produceRequest(d *delivery) [][]byte {
	be := binary.BigEndian
	b := appendString(make([]byte, 0, 128), p.id)
	acks := int16(acksAll)
	b = be.AppendUint16(b, uint16(acks))
	b = be.AppendUint32(b, uint32(p.client.cfg.Timeout.Milliseconds()))
	topics := make(map[string][]*stream)
	var names []string
	for _, s := range d.streams {
		if topics[s.Topic] == nil {
			names = append(names, s.Topic)
		}
		topics[s.Topic] = append(topics[s.Topic], s)
	}
	parts := make([][]byte, 0, 2*len(d.streams))
	b = be.AppendUint32(b, uint32(len(names)))
	for _, name := range names {
		b = appendString(b, name)
		b = be.AppendUint32(b, uint32(len(topics[name])))
		for _, s := range topics[name] {
			b = be.AppendUint32(b, uint32(s.Partition))
			b = be.AppendUint32(b, uint32(len(s.batches[0])))
			parts = append(parts, b, s.batches[0])
			b = nil
		}
	}
	return parts
}

// produceAnswer decodes a Produce answer, version 8, to the code of each partition.
func produceAnswer(b []byte) (map[TopicPartition]kafka.Error, bool) {
	s := scanner{b: b}
	codes := make(map[TopicPartition]kafka.Error)
	for topics := s.count(6); topics > 0; topics-- {
		topic := string(s.bytes16())
		for partitions := s.count(36); partitions > 0; partitions-- {
			id, code := s.int32(), s.int16()
			s.take(3 * 8) // base offset, append time, log start
			for records := s.count(6); records > 0; records-- {
				s.int32()
				s.bytes16()
			}
			s.bytes16()
			codes[TopicPartition{topic, id}] = kafka.Error(code)
		}
	}
	return codes, !s.failed
}
