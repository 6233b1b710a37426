package broker

import (
	"fmt"
	"runtime"
	"time"

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

// release gives back the memory of compressed batches. Only a transaction in which every request was answered may.
func (s *stream) release() {
	for _, m := range s.packed {
		recycle(m)
	}
}

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
		if t.compact {
			section.close()
		}
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
	switch {
	case c.framed:
		how = codecLZ4
	case p.codec != codecNone && len(c.data) > batchHeaderBytes+smallBatchBytes:
		packed, err = p.codec.compress(append(buffer(), make([]byte, batchHeaderBytes)...), c.data[batchHeaderBytes:])
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
