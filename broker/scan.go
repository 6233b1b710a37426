package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

// Scan reads the partitions of a topic (nil: all) from their start up to the high watermark taken at the call, committed
// records only, and calls fn for each. It waits until transactions that were open below that mark have ended. The
// record is valid during the call. ends holds, by partition, the offset up to which was read. An error of fn ends it.
func (c *Client) Scan(ctx context.Context, topic string, partitions []int32, fn func(partition int32, r *Record) error) (ends []int64, err error) {
	ends, err = c.EndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	starts, err := c.StartOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	if partitions == nil {
		for p := range ends {
			partitions = append(partitions, int32(p))
		}
	}
	r := c.NewReader(ReaderOptions{})
	defer r.Close()
	left := 0
	for _, p := range partitions {
		if int(p) >= len(ends) || int(p) >= len(starts) {
			return nil, fmt.Errorf("scan topic %s: %w", topic, protocol.NewErrNoPartition(topic, p))
		}
		if starts[p] < ends[p] {
			r.Assign(topic, p, starts[p])
			left++
		}
	}
	for left > 0 {
		fetched, err := r.Poll(ctx, scanWait)
		var gap *OffsetError
		if errors.As(err, &gap) {
			if err = c.skipGap(ctx, r, gap); err == nil {
				continue
			}
		}
		if err != nil {
			return nil, fmt.Errorf("scan topic %s: %w", topic, err)
		}
		for i := range fetched {
			f := &fetched[i]
			for k := range f.Records {
				if f.Records[k].Offset >= ends[f.Partition] {
					break
				}
				if err := fn(f.Partition, &f.Records[k]); err != nil {
					return nil, err
				}
			}
			if f.Next >= ends[f.Partition] {
				r.Unassign(f.Topic, f.Partition)
				left--
			}
		}
	}
	return ends, nil
}

// skipGap goes on at the start of a partition's log when that has moved past where the scan stood.
func (c *Client) skipGap(ctx context.Context, r *Reader, gap *OffsetError) error {
	starts, err := c.StartOffsets(ctx, gap.Topic)
	if err != nil {
		return err
	}
	if int(gap.Partition) >= len(starts) || starts[gap.Partition] <= gap.Offset {
		return gap
	}
	r.Assign(gap.Topic, gap.Partition, starts[gap.Partition])
	return nil
}

// scanWait is how long a scan waits for one answer while a transaction holds it up.
const scanWait = 500 * time.Millisecond
