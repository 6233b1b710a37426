package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/internal/keyindex"
	"github.com/datong-dx/datong/internal/quarantine"
)

// Item is a record that a delivery could not bring into its sink, as it lies in the site's quarantine topic.
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
	// Discarded is when a person gave the record up. Such an item waits for nothing and holds no content; it lies there
	// so that the record stays accounted for.
	Discarded time.Time `json:"discarded,omitzero"`
}

// Match says whether the filter chooses the item. Element, rule and shape choose no delivery's items.
func (it *Item) Match(f *quarantine.Filter) bool {
	_, pipeline, set := sourceParts(it.Source)
	return f.Covers(it.Time) && strings.Contains(it.Reason, f.Reason) && quarantine.AllEqual(
		f.Department, it.Department, f.Pipeline, pipeline, f.Set, set, f.Entity, it.Entity, f.RowKey, it.Key,
		f.Element, "", f.Rule, "", f.Shape, "")
}

// QuarantineTopic returns the name of a site's quarantine topic.
func QuarantineTopic(prefix, site string) string { return prefix + "._" + site + ".quarantine" }

// Scan calls fn for every item that waits in a site's quarantine, in order of refusal per key. It reads the topic
// twice, first to learn which record is the latest of each key, so that memory stays bounded whatever its size. A
// quarantine that nothing was ever put into is empty.
func Scan(ctx context.Context, client *broker.Client, prefix, site string, fn func(*Item) error) error {
	latest := keyindex.New("")
	defer latest.Close()
	err := records(ctx, client, prefix, site, func(r *broker.Record) error {
		return latest.Set(xxh3.Hash(r.Key), uint64(r.Offset), 0, keyindex.Live)
	})
	if err != nil {
		return err
	}
	return records(ctx, client, prefix, site, func(r *broker.Record) error {
		e, err := latest.Lookup(xxh3.Hash(r.Key))
		if err != nil || r.Value == nil || e.Digest != uint64(r.Offset) {
			return err
		}
		item, err := decodeItem(site, r)
		if err != nil || !item.Discarded.IsZero() {
			return err
		}
		return fn(item)
	})
}

// records calls fn for every record of a site's quarantine, those of one key in their order.
func records(ctx context.Context, client *broker.Client, prefix, site string, fn func(*broker.Record) error) error {
	topic := QuarantineTopic(prefix, site)
	topics, err := client.Topics(ctx)
	if err != nil {
		return fmt.Errorf("look for topic %s: %w", topic, err)
	}
	if topics[topic] == 0 {
		return nil
	}
	_, err = client.Scan(ctx, topic, nil, func(_ int32, r *broker.Record) error { return fn(r) })
	return err
}

func decodeItem(site string, r *broker.Record) (*Item, error) {
	item := new(Item)
	if err := json.Unmarshal(r.Value, item); err != nil {
		return nil, fmt.Errorf("read quarantine of site %s at offset %d: %w", site, r.Offset, err)
	}
	return item, nil
}

const (
	separator  = quarantine.Separator
	largestRaw = 512 << 10
)

// newItem makes the item of a record that was refused.
func newItem(delivery string, e *entry, reason error) *Item {
	item := &Item{
		Delivery: delivery, Entity: e.part.table.Name, Department: e.part.department, Key: string(e.key),
		Topic: e.part.Topic, Partition: e.part.Partition, Offset: e.offset, Source: e.source.name,
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
