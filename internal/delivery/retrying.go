package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/datong-dx/datong/broker"
)

// recall is an item that is tried again.
type recall struct {
	offset int64 // of the record that was refused
	latest int64 // of the key's last record in the topic; -1: none is left
	done   bool
}

// retrying brings the keys of items to the latest state that the topic has. Not the item decides what is written but the
// topic, so an older state is never put over a newer one, whatever a kill or a zombie has left in the quarantine. Batches
// of new records are let pass in between; what they overtake is left alone.
type retrying struct {
	a       *attempt
	p       *part
	recalls map[uint64]*recall
	answer  *Answer
	until   int64 // the offset up to which the topic is read: what comes behind it comes with new batches
	rd      *reading
	b       *batch
}

// run reads the partition from the oldest of the items on, once to see which record is the last of each key, and once
// more to write those.
func (t *retrying) run(ctx context.Context) error {
	oldest := t.until
	for _, rc := range t.recalls {
		oldest = min(oldest, rc.offset)
	}
	err := t.read(ctx, oldest, func(rec *broker.Record) error {
		_, hash := t.a.shelf.key(t.p, rec.Key, rec.Offset)
		if rc := t.recalls[hash]; rc != nil && rec.Offset >= rc.offset {
			rc.latest = rec.Offset
		}
		return nil
	})
	if err == nil {
		err = t.read(ctx, oldest, func(rec *broker.Record) error { return t.take(ctx, rec) })
	}
	if err == nil {
		err = t.write(ctx)
	}
	if err == nil {
		err = t.closeLost(ctx)
	}
	for _, rc := range t.recalls {
		if !rc.done {
			t.answer.Stale++ // overtaken by a new record meanwhile
		}
	}
	return err
}

// take puts the last record of a key into the batch, unless a new one has come meanwhile.
func (t *retrying) take(ctx context.Context, rec *broker.Record) error {
	_, hash := t.a.shelf.key(t.p, rec.Key, rec.Offset)
	rc := t.recalls[hash]
	if rc == nil || rec.Offset != rc.latest {
		return nil
	}
	if waits, err := t.stillWaits(hash, rc); err != nil || !waits {
		return err
	}
	if !t.p.isHome(rec.Key) {
		// The topic has more partitions than it had, and newer states of the key go into another one: which is the
		// latest cannot be told.
		rc.done = true
		t.answer.Refused++
		return nil
	}
	t.b.add(t.rd, t.p, rec)
	if len(t.b.entries) < retryRows && !t.a.isFull(t.b) {
		return nil
	}
	if err := t.write(ctx); err != nil {
		return err
	}
	return t.letPass(ctx)
}

func (t *retrying) stillWaits(hash uint64, rc *recall) (bool, error) {
	at, ok, err := t.a.shelf.get(hash)
	return ok && at.offset == rc.offset && !at.discarded, err
}

// write writes the batch and empties it.
func (t *retrying) write(ctx context.Context) error {
	a, b := t.a, t.b
	if len(b.entries) == 0 {
		return nil
	}
	b.seal(t.rd)
	clear(b.counts[t.p.index]) // they were counted when they came
	if err := a.shelf.put(ctx, b.unreadable()); err != nil {
		return err
	}
	b.next[t.p.index] = t.p.applied // where it stands already: the write holds the lock and moves nothing
	late, err := a.apply(ctx, b, time.Now())
	if err != nil {
		return err
	}
	done := b.written(late)
	for _, e := range done {
		if t.finish(e).offset == e.offset {
			t.answer.Delivered++
		} else {
			t.answer.Stale++
		}
	}
	for _, r := range append(late, b.unreadable()...) {
		t.finish(r.entry)
		t.answer.Refused++
	}
	err = a.shelf.close(ctx, done)
	b.reset()
	return err
}

func (t *retrying) finish(e *entry) *recall {
	_, hash := t.a.shelf.key(t.p, e.key, e.offset)
	rc := t.recalls[hash]
	rc.done = true
	return rc
}

// closeLost closes the items of keys of which a compacted topic has nothing left: a newer record came, and it was a
// tombstone, for nothing else goes without a successor. A topic that deletes by age says nothing; its items stay.
func (t *retrying) closeLost(ctx context.Context) error {
	lost := map[uint64]bool{}
	for hash, rc := range t.recalls {
		waits, err := t.stillWaits(hash, rc)
		if err != nil {
			return err
		}
		if rc.latest < 0 && waits {
			lost[hash], rc.done = true, true
		}
	}
	if len(lost) == 0 {
		return nil
	}
	compacted, err := t.a.d.isCompacted(ctx, t.p)
	if err != nil {
		return err
	}
	if !compacted {
		t.answer.Refused += int64(len(lost))
		return nil
	}
	t.answer.Stale += int64(len(lost))
	return t.a.shelf.closeItems(ctx, t.p, lost)
}

// read reads the partition from an offset up to t.until.
func (t *retrying) read(ctx context.Context, from int64, each func(*broker.Record) error) error {
	reader := t.a.d.opt.Client.NewReader(readAhead)
	defer reader.Close()
	reader.Assign(t.p.Topic, t.p.Partition, from)
	for next := from; next < t.until; {
		fetched, err := reader.Poll(ctx, time.Second)
		if gap := (*broker.OffsetError)(nil); errors.As(err, &gap) && gap.Offset < gap.Start {
			reader.Assign(t.p.Topic, t.p.Partition, gap.Start) // compaction has moved the start of the log
			next = gap.Start
			continue
		}
		if err != nil {
			return fmt.Errorf("read refused records again: %w", err)
		}
		for i := range fetched {
			for k := range fetched[i].Records {
				if r := &fetched[i].Records[k]; r.Offset < t.until {
					if err := each(r); err != nil {
						return err
					}
				}
			}
			next = fetched[i].Next
		}
		if err := t.letPass(ctx); err != nil {
			return err
		}
	}
	return nil
}

// letPass writes a batch of new records that waits, after what has been taken for the retry: that is older.
func (t *retrying) letPass(ctx context.Context) error {
	b := t.a.atTheDoor()
	if b == nil {
		return nil
	}
	if err := t.write(ctx); err != nil {
		return err
	}
	return t.a.turnOver(ctx, b)
}
