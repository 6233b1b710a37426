package broker

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// Special times of a ListOffsets request.
const (
	latest   = -1
	earliest = -2
)

// EndOffsets returns the high watermark of each partition: the offset after the last record that every replica in sync
// has, whether its transaction has ended or not.
func (c *Client) EndOffsets(ctx context.Context, topic string) ([]int64, error) {
	return c.listOffsets(ctx, topic, latest)
}

// StartOffsets returns the first offset that each partition still has.
func (c *Client) StartOffsets(ctx context.Context, topic string) ([]int64, error) {
	return c.listOffsets(ctx, topic, earliest)
}

func (c *Client) listOffsets(ctx context.Context, topic string, time int64) ([]int64, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	var offsets []int64
	err := c.call(ctx, "ask for the offsets of topic "+topic, func(ctx context.Context) error {
		leaders, err := c.leaders(ctx, topic)
		if err != nil {
			return err
		}
		offsets = make([]int64, len(leaders))
		byLeader := make(map[int32][]int32)
		for p, leader := range leaders {
			if leader < 0 {
				return protocol.NewErrNoLeader(topic, int32(p))
			}
			byLeader[leader] = append(byLeader[leader], int32(p))
		}
		var (
			wg   sync.WaitGroup
			mu   sync.Mutex
			errs []error
		)
		for leader, partitions := range byLeader {
			wg.Go(func() {
				err := c.listFrom(ctx, leader, topic, partitions, time, offsets) // disjoint elements
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			})
		}
		wg.Wait()
		return worst(errs)
	})
	if err != nil {
		return nil, c.explain(err, resource{"topic", topic, "Describe"})
	}
	return offsets, nil
}

// listFrom asks one leader for the offsets of its partitions: ListOffsets, version 2.
func (c *Client) listFrom(ctx context.Context, leader int32, topic string, partitions []int32, time int64, offsets []int64) error {
	be := binary.BigEndian
	b := be.AppendUint32(nil, 0xffffffff) // no replica
	b = append(b, 0)                      // read uncommitted: the high watermark, not the last stable offset
	b = be.AppendUint32(b, 1)
	b = appendString(b, topic)
	b = be.AppendUint32(b, uint32(len(partitions)))
	for _, p := range partitions {
		b = be.AppendUint32(b, uint32(p))
		b = be.AppendUint64(b, uint64(time))
	}
	x := &exchange{key: protocol.ListOffsets, version: listOffsetsVersion, broker: leader, parts: [][]byte{b}}
	if err := c.exchange(ctx, x, 0); err != nil {
		return err
	}
	s := scanner{b: x.answer}
	s.int32() // throttle
	answered := 0
	for topics := s.count(6); topics > 0; topics-- {
		s.bytes16()
		for n := s.count(22); n > 0; n-- {
			p, code := s.int32(), s.int16()
			s.int64() // timestamp
			offset := s.int64()
			if code != 0 {
				return kafka.Error(code)
			}
			if p >= 0 && int(p) < len(offsets) {
				offsets[p] = offset
				answered++
			}
		}
	}
	if s.failed || answered != len(partitions) {
		return fmt.Errorf("%w: %w", errMissing, errMalformed)
	}
	return nil
}
