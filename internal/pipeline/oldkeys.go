package pipeline

import (
	"context"
	"fmt"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/quarantine"
)

// oldKeys are the former entity keys of rows that were given another key and refused in that state. The tombstone of the
// former key waits with the item, so that the platform keeps the last good version. It is given up when another row takes
// the key over, whose record it would withdraw.
type oldKeys struct {
	byItem map[uint64]oldKey
	keys   map[uint64]int // items by hash of their former key, so that a row that takes none over costs nothing
}

type oldKey struct {
	key   []byte
	topic string
	since connectors.Order // of the refused state
}

func newOldKeys() oldKeys { return oldKeys{map[uint64]oldKey{}, map[uint64]int{}} }

// of returns the former key that waits with an item, or nil.
func (k *oldKeys) of(item uint64) []byte { return k.byItem[item].key }

func (k *oldKeys) add(item uint64, topic string, it *quarantine.Item) {
	k.drop(item)
	k.byItem[item] = oldKey{it.OldKey, topic, connectors.Order{Generation: it.Generation, Sequence: it.Sequence}}
	k.keys[xxh3.Hash(it.OldKey)]++
}

func (k *oldKeys) drop(item uint64) {
	old, ok := k.byItem[item]
	if !ok {
		return
	}
	delete(k.byItem, item)
	hash := xxh3.Hash(old.key)
	if k.keys[hash]--; k.keys[hash] == 0 {
		delete(k.keys, hash)
	}
}

// takenOver gives up the tombstones of a key that a row has just been published under.
func (k *oldKeys) takenOver(topic string, key uint64) {
	if k.keys[key] == 0 {
		return
	}
	for item, old := range k.byItem {
		if old.topic == topic && xxh3.Hash(old.key) == key {
			k.drop(item)
		}
	}
}

// review gives up the tombstones of keys that were published after the refusal: by other rows, since the refused one has
// another key now. The quarantine itself does not tell, because an item is not written again when that happens.
func (k *oldKeys) review(ctx context.Context, c *broker.Client) error {
	topics := map[string]map[string][]uint64{} // topic → key → items
	for item, old := range k.byItem {
		if topics[old.topic] == nil {
			topics[old.topic] = map[string][]uint64{}
		}
		topics[old.topic][string(old.key)] = append(topics[old.topic][string(old.key)], item)
	}
	for topic, keys := range topics {
		_, err := c.Scan(ctx, topic, nil, func(_ int32, r *broker.Record) error {
			items := keys[string(r.Key)]
			if len(items) == 0 {
				return nil
			}
			var ev broker.Event
			if err := ev.Parse(r); err != nil {
				return err
			}
			for _, item := range items {
				if old, ok := k.byItem[item]; ok && after(ev.Order, old.since) {
					k.drop(item)
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("look for former keys in %s: %w", topic, err)
		}
	}
	return nil
}

// after says that a comes after b in the life of a source.
func after(a, b connectors.Order) bool {
	return a.Generation > b.Generation || a.Generation == b.Generation && a.Sequence > b.Sequence
}
