package broker

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"

	"github.com/datong-dx/datong/internal/fault"
)

// transact takes encoded batches, which hold so many records, through one transaction.
func (p *Producer) transact(ctx context.Context, streams []*stream, records int) error {
	p.phase = unsure
	if err := p.addPartitions(ctx, streams); err != nil {
		return err
	}
	fault.Point("txn-begun", records)
	p.phase = sending
	if err := p.send(ctx, streams, records); err != nil {
		return err
	}
	fault.Point("txn-produced", records)
	p.phase = unsure
	if err := p.end(ctx, true); err != nil {
		return p.client.explain(err, resource{"transactional id", p.id, "Write"})
	}
	p.phase = idle
	return nil
}

// abort ends a transaction that may be open or not, so that raising the epoch finds none: brokers before 4.0 answer that
// call with a fenced producer otherwise. Any answer settles it: the transaction was open, or it had ended already. It is
// no way to end one whose batches may still be on their way: only the broker's own abort, in a higher epoch, stops those.
func (p *Producer) abort(ctx context.Context) error {
	err := p.end(ctx, false)
	var code kafka.Error
	if errors.As(err, &code) && !retriable(code) {
		return nil
	}
	return err
}

// note remembers that a request was not answered, and returns its error unchanged.
func (p *Producer) note(err error) error {
	if errors.Is(err, errMissing) {
		p.unclear.Store(true)
	}
	return err
}

// addPartitions puts every partition into the transaction with one request. It returns nil only when each one was
// answered with success.
func (p *Producer) addPartitions(ctx context.Context, streams []*stream) error {
	topics := make(map[string][]kafka.AddPartitionToTxn)
	for _, s := range streams {
		topics[s.Topic] = append(topics[s.Topic], kafka.AddPartitionToTxn{Partition: int(s.Partition)})
	}
	var denied string // topic whose right is missing
	err := p.client.call(ctx, "add partitions to the transaction", func(ctx context.Context) error {
		res, err := p.client.kafka.AddPartitionsToTxn(ctx, &kafka.AddPartitionsToTxnRequest{
			TransactionalID: p.id, ProducerID: int(p.producer), ProducerEpoch: int(p.epoch), Topics: topics,
		})
		if err != nil {
			return p.note(classify(err))
		}
		denied, err = addedAll(topics, res.Topics)
		return p.note(err)
	})
	if denied != "" {
		return p.client.explain(err, resource{"topic", denied, "Write"})
	}
	return p.client.explain(err, resource{"transactional id", p.id, "Write"})
}

// operationNotAttempted is the answer for partitions that were not added because of others in the same request.
const operationNotAttempted = kafka.Error(55)

// addedAll checks the answer of every partition that was asked for. Of several errors the one that decides is returned:
// one that cannot be cured by trying again, before one that can, before "not attempted because of another".
func addedAll(asked map[string][]kafka.AddPartitionToTxn, answered map[string][]kafka.AddPartitionToTxnPartition) (denied string, err error) {
	rank := func(e error) int {
		switch {
		case e == nil:
			return 0
		case errors.Is(e, operationNotAttempted):
			return 1
		case retriable(e):
			return 2
		}
		return 3
	}
	for topic, partitions := range asked {
		got := make(map[int]error, len(partitions))
		for _, a := range answered[topic] {
			got[a.Partition] = a.Error
		}
		for _, a := range partitions {
			e, ok := got[a.Partition]
			if !ok {
				return "", fmt.Errorf("%w: topic %s partition %d is not in the answer", errMissing, topic, a.Partition)
			}
			if rank(e) <= rank(err) {
				continue
			}
			err, denied = e, ""
			if errors.Is(e, kafka.TopicAuthorizationFailed) {
				denied = topic
			}
		}
	}
	return denied, err
}

// end commits or aborts. Repeating it is safe: a coordinator that has done it already says yes again, and one that has
// aborted for the timeout refuses.
func (p *Producer) end(ctx context.Context, commit bool) error {
	return p.client.call(ctx, "end the transaction", func(ctx context.Context) error {
		res, err := p.client.kafka.EndTxn(ctx, &kafka.EndTxnRequest{
			TransactionalID: p.id, ProducerID: int(p.producer), ProducerEpoch: int(p.epoch), Committed: commit,
		})
		if err == nil {
			err = res.Error
		}
		return p.note(classify(err))
	})
}
