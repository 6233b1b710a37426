package memory

import (
	"bytes"
	"context"
	"fmt"
	"maps"

	"github.com/datong-dx/datong/connectors"
)

// Sink fills a store. See [connectors.Sink].
type Sink struct{ store *Store }

// NewSink returns a sink that fills the store.
func NewSink(s *Store) *Sink { return &Sink{store: s} }

// Ensure creates the tables, or widens them.
func (k *Sink) Ensure(_ context.Context, tables []*connectors.Table) error {
	for _, t := range tables {
		if err := k.store.Create(t); err != nil {
			return err
		}
	}
	return nil
}

// Offsets returns how far each partition was taken in.
func (k *Sink) Offsets(_ context.Context, partitions []connectors.Partition) ([]connectors.Offset, error) {
	k.store.mu.Lock()
	defer k.store.mu.Unlock()
	list := make([]connectors.Offset, len(partitions))
	for i, p := range partitions {
		list[i] = k.store.offset(p)
	}
	return list, nil
}

// Write applies the changes and moves the offsets while it holds the store's lock, which makes it one transaction.
func (k *Sink) Write(ctx context.Context, c *connectors.Changes, refused func(context.Context, []connectors.Refusal) error) error {
	s := k.store
	if err := s.fault("write"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range c.Offsets {
		if at := s.offset(o.Partition).Next; at != o.From {
			return fmt.Errorf("partition %d of %s stands at %d, not at %d: %w", o.ID, o.Topic, at, o.From, connectors.ErrFenced)
		}
	}
	refusals, err := s.examine(c.Rows)
	if err != nil {
		return err
	}
	if len(refusals) > 0 {
		list := make([]connectors.Refusal, 0, len(refusals))
		for i := range c.Rows {
			if reason := refusals[i]; reason != nil {
				list = append(list, connectors.Refusal{Row: i, Reason: reason})
			}
		}
		if err := refused(ctx, list); err != nil {
			return err
		}
	}
	s.apply(c, refusals)
	return nil
}

// examine finds the rows that the store refuses, by their index. s.mu must be held.
func (s *Store) examine(rows []connectors.Row) (map[int]error, error) {
	refusals := map[int]error{}
	for i := range rows {
		if s.table(rows[i].Table.Name) == nil {
			return nil, fmt.Errorf("write to table %s: it was not ensured: %w", rows[i].Table.Name, connectors.ErrStop)
		}
		if s.refuse != nil {
			if err := s.refuse(&rows[i]); err != nil {
				refusals[i] = err
			}
		}
	}
	return refusals, nil
}

// apply writes what was not refused, then the offsets. s.mu must be held.
func (s *Store) apply(c *connectors.Changes, refusals map[int]error) {
	for i := range c.Rows {
		row := &c.Rows[i]
		switch {
		case refusals[i] != nil:
		case row.Op == connectors.OpDelete:
			s.remove(s.table(row.Table.Name), row.Time, row.Values)
		default:
			s.put(s.table(row.Table.Name), row.Time, row.Values)
		}
	}
	for _, o := range c.Offsets {
		s.offsets[o.Partition] = connectors.Offset{Next: o.Next, State: bytes.Clone(o.State)}
	}
}

// offset needs s.mu held.
func (s *Store) offset(p connectors.Partition) connectors.Offset {
	if at, ok := s.offsets[p]; ok {
		return at
	}
	return connectors.Offset{Next: -1}
}

// Rewind empties the tables and forgets the partitions' offsets.
func (k *Sink) Rewind(_ context.Context, tables []*connectors.Table, partitions []connectors.Partition) error {
	s := k.store
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range tables {
		if mine := s.table(t.Name); mine != nil {
			mine.rows, mine.byKey = nil, map[string]uint64{}
		}
	}
	gone := make(map[connectors.Partition]bool, len(partitions))
	for _, p := range partitions {
		gone[p] = true
	}
	maps.DeleteFunc(s.offsets, func(p connectors.Partition, _ connectors.Offset) bool { return gone[p] })
	return nil
}

// Close does nothing: a store outlives its sinks.
func (k *Sink) Close() error { return nil }

var (
	_ connectors.Source = (*Source)(nil)
	_ connectors.Sink   = (*Sink)(nil)
)
