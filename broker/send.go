package broker

import (
	"context"
	"slices"

	"github.com/segmentio/kafka-go/protocol"
	"golang.org/x/sync/errgroup"

	"github.com/datong-dx/datong/internal/fault"
)

const (
	// lanes is how many requests to produce are under way at once: the broker works on one while the others travel.
	lanes = 3
	// maxRequestBytes keeps a request below Kafka's socket.request.max.bytes (100 MiB) with room to spare.
	maxRequestBytes = 32 << 20
	acksAll         = -1
)

// send produces every batch, in order per partition. The first round is one request per leader for all partitions:
// Kafka 4 checks each partition's first batch with the coordinator, and several such requests at once from one producer
// collide. After it the partitions are dealt to lanes, each with one request under way.
func (p *Producer) send(ctx context.Context, streams []*stream, records int) error {
	if err := p.round(ctx, streams); err != nil {
		return err
	}
	rest := withBatches(streams)
	if len(rest) > 0 {
		fault.Point("txn-partial", records)
	}
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
