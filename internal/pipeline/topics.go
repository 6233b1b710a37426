package pipeline

import (
	"context"

	"github.com/datong-dx/datong/broker"
)

// topicOf returns the full name of a department's topic.
func topicOf(prefix, department, name string) string { return prefix + "." + department + "." + name }

// PositionsTopic returns the topic in which the tasks of a department keep their positions.
func PositionsTopic(prefix, department string) string {
	return topicOf(prefix, department, positionsTopic)
}

// EnsureTopics creates the pipeline's topics or compares what exists with what they must be. Run does so itself; whoever
// wants the topics to be there before anything is published calls it earlier.
func (p *Pipeline) EnsureTopics(ctx context.Context) error {
	internal := p.opt.Topics
	internal.Partitions = broker.PositionsPartitions // of the quarantine too
	topics := []broker.Topic{
		broker.PositionsTopic(p.topic(positionsTopic), internal),
		broker.QuarantineTopic(p.topic(quarantineTopic), internal),
	}
	for _, plan := range p.opt.Plans {
		topics = append(topics, broker.StandardTopic(p.topic(plan.Entity().Name), p.opt.Topics))
	}
	for _, t := range topics {
		if err := p.opt.Client.EnsureTopic(ctx, t); err != nil {
			return err
		}
	}
	return nil
}
