package broker

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

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
