package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/datong-dx/datong/broker"
)

// retriesAtOnce bounds the items that are held in memory for a retry; those of a larger quarantine are taken in turns,
// by their hash.
const retriesAtOnce = 1 << 18

// recall is a record that is to be tried again.
type recall struct {
	offset int64 // of the record that was refused
	latest int64 // of the key's last record in the topic below what is applied; -1 none is left
}

// retry brings every key that waits to the latest state that the topic has below what is applied. Not the item decides
// what is written but the topic, so a retry never puts an older state over a newer one, whatever a kill or a zombie has
// left in the quarantine.
func (a *attempt) retry(ctx context.Context, r *request) error {
	turns := uint64(a.shelf.size/retriesAtOnce + 1)
	for turn := range turns {
		chosen := make([]map[uint64]*recall, len(a.parts))
		err := a.shelf.choose(ctx, r, func(hash uint64, at placed, _ *Item) error {
			if hash>>32*turns>>32 != turn {
				return nil
			}
			if chosen[at.part] == nil {
				chosen[at.part] = map[uint64]*recall{}
			}
			chosen[at.part][hash] = &recall{offset: at.offset, latest: -1}
			return nil
		})
		if err != nil {
			return err
		}
		for i, recalls := range chosen {
			if err := a.retryPart(ctx, a.parts[i], recalls, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// retryPart reads the partition from the oldest of the items on, once to see which record is the last of each key, and
// once more to write those.
func (a *attempt) retryPart(ctx context.Context, p *part, recalls map[uint64]*recall, r *request) error {
	if len(recalls) == 0 {
		return nil
	}
	r.answer.Chosen += int64(len(recalls))
	oldest := p.applied
	for _, rc := range recalls {
		oldest = min(oldest, rc.offset)
	}
	err := a.readAgain(ctx, p, oldest, func(rec *broker.Record) error {
		_, hash := a.shelf.key(p, rec.Key, rec.Offset)
		if rc := recalls[hash]; rc != nil && rec.Offset >= rc.offset {
			rc.latest = rec.Offset
		}
		return nil
	})
	if err != nil {
		return err
	}
	b, rd := newBatch(len(a.parts)), newReading()
	defer func() { b.mem.Release() }()
	err = a.readAgain(ctx, p, oldest, func(rec *broker.Record) error {
		_, hash := a.shelf.key(p, rec.Key, rec.Offset)
		rc := recalls[hash]
		if rc == nil || rec.Offset != rc.latest {
			return nil
		}
		b.add(rd, p, rec)
		if !a.isFull(b) {
			return nil
		}
		return a.rewrite(ctx, p, rd, b, recalls, r)
	})
	if err == nil {
		err = a.rewrite(ctx, p, rd, b, recalls, r)
	}
	if err != nil {
		return err
	}
	return a.closeLost(ctx, p, recalls, r)
}

// rewrite writes a batch of records that were refused, and empties it.
func (a *attempt) rewrite(ctx context.Context, p *part, rd *reading, b *batch, recalls map[uint64]*recall, r *request) error {
	if len(b.entries) == 0 {
		return nil
	}
	b.seal(rd)
	clear(b.counts[p.index]) // they were counted when they came
	if err := a.shelf.put(ctx, b.unreadable()); err != nil {
		return err
	}
	b.next[p.index] = p.applied // where it stands already: the write holds the lock and moves nothing
	late, err := a.apply(ctx, b, time.Now())
	if err != nil {
		return err
	}
	done := b.written(late)
	for _, e := range done {
		if _, hash := a.shelf.key(p, e.key, e.offset); recalls[hash].offset == e.offset {
			r.answer.Delivered++
		} else {
			r.answer.Stale++
		}
	}
	r.answer.Refused += int64(len(late) + len(b.broken))
	if err := a.shelf.close(ctx, done); err != nil {
		return err
	}
	b.reset()
	return nil
}

// closeLost closes the items of keys of which a compacted topic has nothing left: a newer record came, and it was a
// tombstone, for nothing else goes without a successor. A topic that deletes by age says nothing; its items stay.
func (a *attempt) closeLost(ctx context.Context, p *part, recalls map[uint64]*recall, r *request) error {
	lost := map[uint64]bool{}
	for hash, rc := range recalls {
		if rc.latest < 0 {
			lost[hash] = true
		}
	}
	if len(lost) == 0 {
		return nil
	}
	starts, err := a.d.opt.Client.StartOffsets(ctx, p.Topic)
	if err != nil {
		return err
	}
	compacted, err := a.d.isCompacted(ctx, p.Topic, len(starts))
	if err != nil {
		return err
	}
	if !compacted {
		r.answer.Refused += int64(len(lost))
		return nil
	}
	r.answer.Stale += int64(len(lost))
	return a.shelf.closeItems(ctx, p, lost)
}

// readAgain reads a partition from an offset up to what is applied.
func (a *attempt) readAgain(ctx context.Context, p *part, from int64, each func(*broker.Record) error) error {
	reader := a.d.opt.Client.NewReader(readAhead)
	defer reader.Close()
	reader.Assign(p.Topic, p.Partition, from)
	for next := from; next < p.applied; {
		fetched, err := reader.Poll(ctx, time.Second)
		if gap := (*broker.OffsetError)(nil); errors.As(err, &gap) && gap.Offset < gap.Start {
			reader.Assign(p.Topic, p.Partition, gap.Start) // compaction has moved the start of the log
			next = gap.Start
			continue
		}
		if err != nil {
			return fmt.Errorf("read refused records again: %w", err)
		}
		for i := range fetched {
			for k := range fetched[i].Records {
				if r := &fetched[i].Records[k]; r.Offset < p.applied {
					if err := each(r); err != nil {
						return err
					}
				}
			}
			next = fetched[i].Next
		}
	}
	return nil
}
