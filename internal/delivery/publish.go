package delivery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
)

// refused is a record that does not get into the sink.
type refused struct {
	entry  *entry
	reason error
}

// put writes items and returns when they are durable. One that lies there already for the same record stays as it is.
func (s *shelf) put(ctx context.Context, list []refused) error {
	return s.publish(ctx, len(list), func(i int) (*part, []byte, []byte, error) {
		e := list[i].entry
		key, hash := s.key(e.part, e.key, e.offset)
		at := placed{part: e.part.index, pipeline: s.pipeline(e.source.pipeline), offset: e.offset, counted: true}
		was, ok, err := s.get(hash)
		if err != nil {
			return nil, nil, nil, err
		}
		if ok && was.part != at.part && !e.part.isHome(e.key) {
			return nil, nil, nil, nil // the item is newer: of the partition that the key's records go into now
		}
		if ok && was.offset == at.offset && was.part == at.part {
			at.discarded = was.discarded
			return nil, nil, nil, s.set(hash, at)
		}
		if err := s.set(hash, at); err != nil {
			return nil, nil, nil, err
		}
		value, err := json.Marshal(newItem(s.d.opt.Name, e, list[i].reason))
		return e.part, key, value, err
	})
}

// close takes the items of the records' keys out of quarantine.
func (s *shelf) close(ctx context.Context, list []*entry) error {
	return s.publish(ctx, len(list), func(i int) (*part, []byte, []byte, error) {
		e := list[i]
		key, hash := s.key(e.part, e.key, e.offset)
		return e.part, key, nil, s.remove(hash)
	})
}

// closeItems takes the items with these hashes of their keys out of quarantine.
func (s *shelf) closeItems(ctx context.Context, p *part, hashes map[uint64]bool) error {
	var keys [][]byte
	flush := func() error {
		err := s.publish(ctx, len(keys), func(i int) (*part, []byte, []byte, error) {
			return p, keys[i], nil, s.remove(xxh3.Hash(keys[i]))
		})
		keys = keys[:0]
		return err
	}
	_, err := s.d.opt.Client.Scan(ctx, s.topic, nil, func(_ int32, r *broker.Record) error {
		hash := xxh3.Hash(r.Key)
		if !hashes[hash] || r.Value == nil {
			return nil
		}
		delete(hashes, hash)
		if keys = append(keys, bytes.Clone(r.Key)); len(keys) < itemsAtOnce {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// itemsAtOnce is how many items are closed or given up in one transaction.
const itemsAtOnce = 1000

// publish writes n records, in one transaction for each part. On an error the attempt ends, and with it this view.
func (s *shelf) publish(ctx context.Context, n int, record func(i int) (p *part, key, value []byte, err error)) error {
	bodies := make(map[*part][]body)
	for i := range n {
		p, key, value, err := record(i)
		if err != nil {
			return fmt.Errorf("write quarantine %s: %w", s.topic, err)
		}
		if p != nil {
			b := body{broker.Partition(key, s.partitions), broker.AppendPlainBody(nil, key, value)}
			bodies[p] = append(bodies[p], b)
		}
	}
	for _, p := range s.parts {
		if len(bodies[p]) == 0 {
			continue
		}
		s.txn.Reset()
		for _, b := range bodies[p] {
			s.txn.Add(s.topic, b.partition, b.record)
		}
		if err := s.commit(ctx, p); err != nil {
			return fmt.Errorf("write quarantine %s: %w", s.topic, err)
		}
	}
	return nil
}

// body is a record on its way into the quarantine topic.
type body struct {
	partition int32
	record    []byte
}

// commit sends the transaction. One whose fate is unknown is sent again: the same items under the same keys.
func (s *shelf) commit(ctx context.Context, p *part) error {
	producer := s.producers[p]
	if producer == nil {
		id := fmt.Sprintf("%s._%s.%s.%s.%d", s.d.opt.Prefix, s.d.opt.Site, s.d.opt.Name, p.Topic, p.Partition)
		producer = s.d.opt.Client.NewProducer(id, s.d.opt.Producer)
		if err := producer.Start(ctx); err != nil {
			return err
		}
		s.producers[p] = producer
	}
	err := producer.Commit(ctx, &s.txn)
	for tries := 0; tries < 2 && errors.Is(err, broker.ErrTransactionLost) && ctx.Err() == nil; tries++ {
		if err = producer.Recover(ctx); err == nil {
			err = producer.Commit(ctx, &s.txn)
		}
	}
	if errors.Is(err, broker.ErrFenced) {
		return fmt.Errorf("%w: %w", connectors.ErrFenced, err)
	}
	return err
}
