package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
)

// GroupConfig says which group to join and for which topics. The times have working defaults.
type GroupConfig struct {
	ID     string
	Topics []string // they must exist; to change them the group is closed and joined anew
	// Heartbeat is how often a member shows that it lives, and how late it may learn of a rebalance. 3 s when zero.
	Heartbeat time.Duration
	// SessionTimeout is when a silent member loses its partitions. 10 s when zero.
	SessionTimeout time.Duration
	// RebalanceTimeout is how long members may take to give their partitions up. 30 s when zero.
	RebalanceTimeout time.Duration
}

const (
	defaultHeartbeat        = 3 * time.Second
	defaultSessionTimeout   = 10 * time.Second
	defaultRebalanceTimeout = 30 * time.Second
	joinBackoff             = 500 * time.Millisecond
)

// Group is this process's membership in a consumer group, which divides the partitions of its topics among the members.
type Group struct {
	client *Client
	id     string
	group  *kafka.ConsumerGroup
	sticky *sticky
}

// Generation is the time between two rebalances, in which the member keeps its partitions.
type Generation struct {
	// Assigned are the member's partitions, sorted, by topic.
	Assigned map[string][]int32
	// Offsets are those committed to the group for them; −1 where none is.
	Offsets map[TopicPartition]int64

	g *kafka.Generation
}

// JoinGroup begins to join a group in the background; [Group.Next] waits for it.
func (c *Client) JoinGroup(cfg GroupConfig) (*Group, error) {
	g := &Group{client: c, id: cfg.ID, sticky: new(sticky)}
	var err error
	g.group, err = kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: cfg.ID, Brokers: c.cfg.Brokers, Dialer: c.dialer, Topics: cfg.Topics,
		GroupBalancers:    []kafka.GroupBalancer{g.sticky},
		HeartbeatInterval: or(cfg.Heartbeat, defaultHeartbeat),
		SessionTimeout:    or(cfg.SessionTimeout, defaultSessionTimeout),
		RebalanceTimeout:  or(cfg.RebalanceTimeout, defaultRebalanceTimeout),
		JoinGroupBackoff:  joinBackoff,
		StartOffset:       kafka.FirstOffset,
		Timeout:           c.cfg.Timeout,

		WatchPartitionChanges: true,
	})
	if err != nil {
		return nil, fmt.Errorf("join group %s: %w", cfg.ID, err)
	}
	return g, nil
}

func or(d, fallback time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return fallback
}

// Next waits for the next generation. The one before ends first: every function given to its Run has returned. An error
// other than [ErrClosed], [ErrAuthorization] and [ErrAuthentication] passes: Next may be called again.
func (g *Group) Next(ctx context.Context) (*Generation, error) {
	kg, err := g.group.Next(ctx)
	switch {
	case errors.Is(err, kafka.ErrGroupClosed):
		return nil, fmt.Errorf("group %s: %w", g.id, ErrClosed)
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("join group %s: %w", g.id, g.joinError(err))
	}
	gen := &Generation{Assigned: make(map[string][]int32), Offsets: make(map[TopicPartition]int64), g: kg}
	for topic, list := range kg.Assignments {
		for _, a := range list {
			gen.Assigned[topic] = append(gen.Assigned[topic], int32(a.ID))
			gen.Offsets[TopicPartition{topic, int32(a.ID)}] = max(a.Offset, -1) // kafka-go gives −2 for none
		}
		slices.Sort(gen.Assigned[topic])
	}
	g.sticky.keep(gen.Assigned)
	return gen, nil
}

func (g *Group) joinError(err error) error {
	err = classify(err)
	if errors.Is(err, errMissing) {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return g.client.explain(err, resource{"group", g.id, "Read"})
}

// Close leaves the group: the other members get the partitions at once. It waits for what Run started.
func (g *Group) Close() error { return g.group.Close() }

// Run starts f in its own goroutine. Its context is done when the generation ends; the next one does not begin before f
// has returned, and the others wait for it as well, so f returns quickly. It may still commit then.
func (gen *Generation) Run(f func(ctx context.Context)) { gen.g.Start(f) }

// Commit stores the offsets to go on from in the group.
func (gen *Generation) Commit(offsets map[TopicPartition]int64) error {
	byTopic := make(map[string]map[int]int64)
	for tp, offset := range offsets {
		if byTopic[tp.Topic] == nil {
			byTopic[tp.Topic] = make(map[int]int64)
		}
		byTopic[tp.Topic][int(tp.Partition)] = offset
	}
	if err := gen.g.CommitOffsets(byTopic); err != nil {
		return fmt.Errorf("commit offsets to group %s: %w", gen.g.GroupID, classify(err))
	}
	return nil
}

// CommitOffsets stores offsets in a group that has no members. With members in it the broker refuses.
func (c *Client) CommitOffsets(ctx context.Context, group string, offsets map[TopicPartition]int64) error {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	topics := make(map[string][]kafka.OffsetCommit)
	for tp, offset := range offsets {
		topics[tp.Topic] = append(topics[tp.Topic], kafka.OffsetCommit{Partition: int(tp.Partition), Offset: offset})
	}
	err := c.call(ctx, "commit offsets to group "+group, func(ctx context.Context) error {
		res, err := c.kafka.OffsetCommit(ctx, &kafka.OffsetCommitRequest{GroupID: group, GenerationID: -1, Topics: topics})
		if err != nil {
			return classify(err)
		}
		for _, partitions := range res.Topics {
			for _, p := range partitions {
				if p.Error != nil {
					return p.Error
				}
			}
		}
		return nil
	})
	return c.explain(err, resource{"group", group, "Read"})
}

// FetchOffsets returns the offsets stored in a group, −1 where none is.
func (c *Client) FetchOffsets(ctx context.Context, group string, partitions map[string][]int32) (map[TopicPartition]int64, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	topics := make(map[string][]int)
	for _, topic := range slices.Sorted(maps.Keys(partitions)) {
		for _, p := range partitions[topic] {
			topics[topic] = append(topics[topic], int(p))
		}
	}
	offsets := make(map[TopicPartition]int64)
	for topic, list := range partitions {
		for _, p := range list {
			offsets[TopicPartition{topic, p}] = -1
		}
	}
	err := c.call(ctx, "fetch the offsets of group "+group, func(ctx context.Context) error {
		res, err := c.kafka.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: topics})
		if err == nil {
			err = res.Error
		}
		if errors.Is(err, kafka.GroupIdNotFound) {
			return nil // nothing was ever stored
		}
		if err != nil {
			return classify(err)
		}
		for topic, list := range res.Topics {
			for _, p := range list {
				if p.Error != nil {
					return p.Error
				}
				offsets[TopicPartition{topic, int32(p.Partition)}] = p.CommittedOffset
			}
		}
		return nil
	})
	return offsets, c.explain(err, resource{"group", group, "Describe"})
}
