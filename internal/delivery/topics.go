package delivery

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
)

var departmentName = regexp.MustCompile(`^[a-z0-9-]+$`)

// split returns the department and the entity of a standard topic's name; ok is false for every other topic.
func (d *Delivery) split(topic string) (department, entity string, ok bool) {
	rest, ok := strings.CutPrefix(topic, d.opt.Prefix+".")
	department, entity, found := strings.Cut(rest, ".")
	if !ok || !found || !departmentName.MatchString(department) || d.tables[entity] == nil {
		return "", "", false
	}
	if len(d.opt.Departments) > 0 && !slices.Contains(d.opt.Departments, department) {
		return "", "", false
	}
	return department, entity, true
}

// topics returns the standard topics that there are to deliver, sorted.
func (d *Delivery) topics(ctx context.Context) ([]string, error) {
	all, err := d.opt.Client.Topics(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for topics of delivery %s: %w", d.opt.Name, err)
	}
	var topics []string
	for _, topic := range slices.Sorted(maps.Keys(all)) {
		if _, _, ok := d.split(topic); ok {
			topics = append(topics, topic)
		}
	}
	return topics, nil
}

// awaitTopics waits until the topics are other ones than those given; false when ctx is done first. Without any it
// looks often: somebody is waiting for the first.
func (d *Delivery) awaitTopics(ctx context.Context, known []string) bool {
	pause := d.opt.Refresh
	if len(known) == 0 {
		pause = min(pause, time.Second)
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-d.refresh:
		case <-time.After(pause):
		}
		if now, err := d.topics(ctx); err == nil && !slices.Equal(now, known) {
			return true
		}
	}
}

// part is one partition that this process holds.
type part struct {
	broker.TopicPartition
	index      int32 // in the attempt's list
	department string
	// departmentText is the same, as the rows have it.
	departmentText []byte
	table          *entityTable
	sink           connectors.Partition
	applied        int64 // what the sink holds; -1 nothing. The writer's.
	progress       progress
	of             int   // partitions of the topic
	start          int64 // where to begin reading
	behind         int64 // records that the topic still has, as last seen. The writer's.
}

// isHome says that records of the key go into this partition. Others of it are from when the topic had fewer.
func (p *part) isHome(key []byte) bool {
	return len(key) == 0 || broker.Partition(key, p.of) == p.Partition
}

// parts makes the list of the generation's partitions, sorted by topic and partition: two deliveries lock in one order.
func (d *Delivery) parts(ctx context.Context, assigned map[string][]int32) ([]*part, error) {
	cluster, err := d.opt.Client.ClusterID(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for the cluster's id: %w", err)
	}
	var list []*part
	for _, topic := range slices.Sorted(maps.Keys(assigned)) {
		department, entity, ok := d.split(topic)
		if !ok {
			continue // the group holds it for a member with another configuration
		}
		for _, id := range assigned[topic] {
			list = append(list, &part{
				TopicPartition: broker.TopicPartition{Topic: topic, Partition: id}, index: int32(len(list)),
				department: department, departmentText: []byte(department), table: d.tables[entity],
				sink: connectors.Partition{Cluster: cluster, Topic: topic, ID: id},
			})
		}
	}
	return list, nil
}

// place compares what the sink holds with what the topics have, and decides where to begin.
func (d *Delivery) place(ctx context.Context, parts []*part) error {
	var starts, ends []int64
	for i, p := range parts {
		if i == 0 || parts[i-1].Topic != p.Topic {
			var err error
			if starts, err = d.opt.Client.StartOffsets(ctx, p.Topic); err != nil {
				return err
			}
			if ends, err = d.opt.Client.EndOffsets(ctx, p.Topic); err != nil {
				return err
			}
		}
		if int(p.Partition) >= len(starts) || int(p.Partition) >= len(ends) {
			return fmt.Errorf("topic %s has no partition %d", p.Topic, p.Partition)
		}
		p.of = len(starts)
		first, end := starts[p.Partition], ends[p.Partition]
		p.start = max(p.applied, first)
		p.behind = max(0, end-p.start)
		switch {
		case p.applied > end:
			return beyondEnd(p, end)
		case p.applied >= 0 && p.applied < first:
			if err := d.checkGap(ctx, p, first); err != nil {
				return err
			}
		}
	}
	return nil
}

func beyondEnd(p *part, end int64) error {
	return &connectors.Problem{
		Where: fmt.Sprintf("%s/%d", p.Topic, p.Partition),
		What: connectors.Text{
			En: fmt.Sprintf("the sink has been filled up to offset %d, but the topic ends at %d: it was deleted and made anew, or the brokers have lost records", p.applied, end),
			Zh: fmt.Sprintf("目标库已写到位点 %d，而主题只到 %d：主题被删除重建，或代理丢失了记录", p.applied, end),
		},
		Try: rebuild,
		Err: connectors.ErrStop,
	}
}

var rebuild = connectors.Text{
	En: "fill the tables anew with `datong delivery rebuild`",
	Zh: "用 `datong delivery rebuild` 重新装载",
}

// checkGap decides about a partition whose log now begins after the offset to go on from. Where only compaction has been
// at work every key that had a record in the gap has a newer one behind it, so nothing is missed by going on. Where
// retention deletes, keys may be gone without a trace.
func (d *Delivery) checkGap(ctx context.Context, p *part, first int64) error {
	compacted, err := d.isCompacted(ctx, p)
	if err != nil {
		return err
	}
	if compacted {
		d.log.Info("going on after a gap that compaction left", "topic", p.Topic, "partition", p.Partition, "from", p.applied, "to", first)
		return nil
	}
	return &connectors.Problem{
		Where: fmt.Sprintf("%s/%d", p.Topic, p.Partition),
		What: connectors.Text{
			En: fmt.Sprintf("records %d to %d were deleted by retention before they were delivered", p.applied, first-1),
			Zh: fmt.Sprintf("位点 %d 至 %d 的记录在投递之前已因保留期被删除", p.applied, first-1),
		},
		Try: connectors.Text{
			En: "set cleanup.policy=compact on the topic, let the pipeline publish its full state again, then `datong delivery rebuild`",
			Zh: "将主题的 cleanup.policy 设为 compact，让管道重新发布全量，再执行 `datong delivery rebuild`",
		},
		Err: connectors.ErrStop,
	}
}

// isCompacted says that the topic loses a record only when a newer one of its key has come.
func (d *Delivery) isCompacted(ctx context.Context, p *part) (bool, error) {
	problems, err := d.opt.Client.CompareTopic(ctx, broker.Topic{
		Name: p.Topic, Partitions: p.of, Config: map[string]string{"cleanup.policy": "compact"},
	})
	return len(problems) == 0, err
}
