package quarantine

import (
	"bytes"
	"context"
	"fmt"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/internal/keyindex"
)

// Topic returns the quarantine topic of a department.
func Topic(prefix, department string) string { return prefix + "." + department + "._quarantine" }

// Partition returns the partition that holds all items of a pipeline, so that they lie in the order of refusal.
func Partition(pipeline string, partitions int) int32 {
	return broker.Partition([]byte(pipeline), partitions)
}

// Scan calls fn for every item that waits in the given partitions of a quarantine topic (nil: all), in order of refusal.
// It reads the topic twice, first to learn which record is the latest of each key, so that memory stays bounded
// whatever the size of the quarantine. An item that cannot be decoded ends the scan with an error naming its offset.
func Scan(ctx context.Context, c *broker.Client, topic string, partitions []int32, fn func(*Item) error) error {
	latest := keyindex.New("")
	defer latest.Close()
	_, err := c.Scan(ctx, topic, partitions, func(_ int32, r *broker.Record) error {
		if r.Value == nil {
			return latest.Set(xxh3.Hash(r.Key), 0, 0, 0)
		}
		return latest.Set(xxh3.Hash(r.Key), uint64(r.Offset), 0, keyindex.Live)
	})
	if err != nil {
		return err
	}
	pending := map[int32]*assembly{}
	_, err = c.Scan(ctx, topic, partitions, func(partition int32, r *broker.Record) error {
		e, err := latest.Lookup(xxh3.Hash(r.Key))
		if err != nil || e.Flags&keyindex.Live == 0 || e.Digest != uint64(r.Offset) {
			return err
		}
		if pending[partition] == nil {
			pending[partition] = new(assembly)
		}
		it, err := pending[partition].add(partition, r)
		if err != nil || it == nil {
			return err
		}
		return fn(it)
	})
	return err
}

// assembly puts the parts of split items together. The parts of one item were written in one transaction, one behind
// the other, so only one item per partition is incomplete at a time.
type assembly struct {
	key    []byte
	value  []byte
	offset int64
	parts  int
	left   int
}

// add returns the item that the record completes, or nil.
func (a *assembly) add(partition int32, r *broker.Record) (*Item, error) {
	name, part := PartOf(string(r.Key))
	if part == 0 {
		n, first, err := CountParts(r.Value)
		if err != nil {
			return nil, fmt.Errorf("partition %d offset %d: %w", partition, r.Offset, err)
		}
		*a = assembly{key: []byte(name), value: bytes.Clone(first), offset: r.Offset, parts: n, left: n - 1}
	} else {
		if string(a.key) != name || a.left == 0 {
			return nil, nil // a part whose beginning was replaced meanwhile
		}
		a.value = append(a.value, r.Value...)
		a.left--
	}
	if a.left > 0 {
		return nil, nil
	}
	it, err := Decode(a.value)
	if err != nil {
		return nil, fmt.Errorf("partition %d offset %d: %w", partition, a.offset, err)
	}
	it.Partition, it.Offset, it.Parts = partition, a.offset, a.parts
	return it, nil
}
