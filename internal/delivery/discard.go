package delivery

import (
	"context"
	"encoding/json"
	"time"
)

// unwanted is an item that is to be given up.
type unwanted struct {
	hash uint64
	key  []byte
	item *Item
}

// discard gives up the items that a request chooses. The item stays, without the record's content, until a newer state of
// the record comes: so the record stays accounted for.
func (a *attempt) discard(ctx context.Context, r *request) error {
	if err := a.stillOurs(ctx); err != nil {
		return err
	}
	var list []unwanted
	flush := func() error {
		n, err := a.shelf.discard(ctx, list)
		r.answer.Discarded += n
		list = list[:0]
		return err
	}
	err := a.choose(ctx, r, func(hash uint64, at placed, item *Item) error {
		key, _ := a.shelf.key(a.parts[at.part], []byte(item.Key), at.offset)
		list = append(list, unwanted{hash, append([]byte(nil), key...), item})
		if len(list) < itemsAtOnce {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	r.answer.Chosen = r.answer.Discarded
	return err
}

// stillOurs makes the sink compare the offsets of all partitions with ours, under their lock: a zombie learns here that
// another delivery has moved on.
func (a *attempt) stillOurs(ctx context.Context) error {
	b := newBatch(len(a.parts))
	defer b.mem.Release()
	for _, p := range a.parts {
		if p.applied >= 0 {
			b.next[p.index] = p.applied
		}
	}
	_, err := a.apply(ctx, b, time.Now())
	return err
}

// discard marks items as given up and says how many of them were not so before.
func (s *shelf) discard(ctx context.Context, list []unwanted) (n int64, err error) {
	now := time.Now().UTC()
	err = s.publish(ctx, len(list), func(i int) (*part, []byte, []byte, error) {
		at, ok, err := s.get(list[i].hash)
		if err != nil || !ok || at.discarded || at.offset != list[i].item.Offset {
			return nil, nil, nil, err // the topic still has several records of one item, or a newer one has come
		}
		n++
		at.discarded = true
		if err := s.set(list[i].hash, at); err != nil {
			return nil, nil, nil, err
		}
		item := *list[i].item
		item.Record, item.Raw, item.Discarded = nil, nil, now
		value, err := json.Marshal(item)
		return s.parts[at.part], list[i].key, value, err
	})
	return n, err
}
