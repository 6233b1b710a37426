package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
)

// Item is a record that a delivery could not bring into its sink, as it waits in the site's quarantine topic.
type Item struct {
	Delivery   string          `json:"delivery"`
	Entity     string          `json:"entity"`
	Department string          `json:"department"`
	Key        string          `json:"key"` // the entity key, its elements joined by U+001F
	Topic      string          `json:"topic"`
	Partition  int32           `json:"partition"`
	Offset     int64           `json:"offset"`
	Source     string          `json:"source,omitempty"` // ce_source
	Record     json.RawMessage `json:"record,omitempty"` // null for a delete; left out above 512 KiB: the topic has it
	Raw        []byte          `json:"raw,omitempty"`    // in place of Record when that is not JSON
	Reason     string          `json:"reason"`           // what the sink said, without the record's content
	Changed    time.Time       `json:"changed,omitzero"` // in the source
	Time       time.Time       `json:"time"`             // of the refusal
}

// QuarantineTopic returns the name of a site's quarantine topic.
func QuarantineTopic(prefix, site string) string { return prefix + "._" + site + ".quarantine" }

// Items calls fn for every record of the site's quarantine, those of one key in their order: the last one of a key says
// whether it waits, and with what. item is nil where one was closed.
func Items(ctx context.Context, client *broker.Client, prefix, site string, fn func(key []byte, item *Item) error) error {
	_, err := client.Scan(ctx, QuarantineTopic(prefix, site), nil, func(_ int32, r *broker.Record) error {
		if r.Value == nil {
			return fn(r.Key, nil)
		}
		var item Item
		if err := json.Unmarshal(r.Value, &item); err != nil {
			return fmt.Errorf("read quarantine of site %s at offset %d: %w", site, r.Offset, err)
		}
		return fn(r.Key, &item)
	})
	return err
}

const (
	separator  = "\x1f"
	largestRaw = 512 << 10
)

// place is where the record of a waiting item stands.
type place struct {
	part   int32
	offset int64
}

// shelf is this attempt's view of the quarantine. Every partition's items are published under a transactional id of
// that partition, taken over when it is first needed: what a zombie that held the partition before may still send is
// then refused by the broker.
type shelf struct {
	d          *Delivery
	topic      string
	partitions int
	parts      []*part
	producers  map[*part]*broker.Producer
	// waiting holds the items of the partitions by a hash of their key: bounded memory, however large the records.
	waiting map[uint64]place
	txn     broker.Txn
}

// openShelf makes sure of the topic and reads what waits there.
func (d *Delivery) openShelf(ctx context.Context, parts []*part) (*shelf, error) {
	topic := broker.QuarantineTopic(QuarantineTopic(d.opt.Prefix, d.opt.Site), d.opt.Topics)
	if err := d.opt.Client.EnsureTopic(ctx, topic); err != nil {
		return nil, err
	}
	s := &shelf{d: d, topic: topic.Name, partitions: topic.Partitions, parts: parts,
		producers: map[*part]*broker.Producer{}, waiting: map[uint64]place{}}
	index := make(map[broker.TopicPartition]int32, len(parts))
	for _, p := range parts {
		index[p.TopicPartition] = p.index
	}
	mine := []byte(d.opt.Name + separator)
	err := Items(ctx, d.opt.Client, d.opt.Prefix, d.opt.Site, func(key []byte, item *Item) error {
		if !strings.HasPrefix(string(key), string(mine)) {
			return nil
		}
		delete(s.waiting, xxh3.Hash(key))
		if item == nil {
			return nil
		}
		if at, ok := index[broker.TopicPartition{Topic: item.Topic, Partition: item.Partition}]; ok {
			s.waiting[xxh3.Hash(key)] = place{at, item.Offset}
		}
		return nil
	})
	return s, err
}

// key is the item's key: what there can be one of.
func (s *shelf) key(e *entry) []byte {
	head := strings.Join([]string{s.d.opt.Name, e.part.table.Name, e.part.department, ""}, separator)
	if len(e.key) == 0 { // nothing else tells such records apart
		return fmt.Appendf([]byte(head), "%d/%d", e.part.Partition, e.offset)
	}
	return append([]byte(head), e.key...)
}

// refused is a record that does not get into the sink.
type refused struct {
	entry  *entry
	reason error
}

// put writes items and returns when they are durable. An item that waits already with the same record stays as it is.
func (s *shelf) put(ctx context.Context, list []refused) error {
	return s.publish(ctx, len(list), func(i int) (*part, []byte, []byte, error) {
		e := list[i].entry
		key := s.key(e)
		hash := xxh3.Hash(key)
		if was, ok := s.waiting[hash]; ok && was.offset == e.offset {
			return nil, nil, nil, nil
		}
		value, err := json.Marshal(s.item(e, list[i].reason))
		s.waiting[hash] = place{e.part.index, e.offset}
		return e.part, key, value, err
	})
}

func (s *shelf) item(e *entry, reason error) *Item {
	item := &Item{
		Delivery: s.d.opt.Name, Entity: e.part.table.Name, Department: e.part.department, Key: string(e.key),
		Topic: e.part.Topic, Partition: e.part.Partition, Offset: e.offset,
		Reason: reason.Error(), Changed: time.UnixMicro(e.changed).UTC(), Time: time.Now().UTC(),
	}
	switch {
	case e.value == nil:
		item.Record = json.RawMessage("null")
	case len(e.value) > largestRaw:
	case json.Valid(e.value):
		item.Record = e.value
	default:
		item.Raw = e.value
	}
	return item
}

// overtaken says that an item waits for the key of a record that has been applied, and is not newer than it.
func (s *shelf) overtaken(e *entry) bool {
	was, ok := s.waiting[xxh3.Hash(s.key(e))]
	return ok && was.part == e.part.index && was.offset <= e.offset
}

// close takes the items of the records' keys out of quarantine.
func (s *shelf) close(ctx context.Context, list []*entry) error {
	return s.publish(ctx, len(list), func(i int) (*part, []byte, []byte, error) {
		key := s.key(list[i])
		delete(s.waiting, xxh3.Hash(key))
		return list[i].part, key, nil, nil
	})
}

// publish writes n records, in one transaction for each part. On an error the attempt ends, and with it this view.
func (s *shelf) publish(ctx context.Context, n int, record func(i int) (p *part, key, value []byte, err error)) error {
	bodies := make(map[*part][][2][]byte)
	for i := range n {
		p, key, value, err := record(i)
		if err != nil {
			return fmt.Errorf("encode an item of the quarantine: %w", err)
		}
		if p != nil {
			bodies[p] = append(bodies[p], [2][]byte{key, broker.AppendPlainBody(nil, key, value)})
		}
	}
	for _, p := range s.parts {
		if len(bodies[p]) == 0 {
			continue
		}
		s.txn.Reset()
		for _, b := range bodies[p] {
			s.txn.Add(s.topic, broker.Partition(b[0], s.partitions), b[1])
		}
		if err := s.commit(ctx, p); err != nil {
			return fmt.Errorf("write quarantine %s: %w", s.topic, err)
		}
	}
	return nil
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
