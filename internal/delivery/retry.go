package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
)

// Retried tells what became of refused rows that were tried again.
type Retried struct {
	Accepted int `json:"accepted"`
	Refused  int `json:"refused"`

	err error
}

// Retry tries the refused rows of the partitions that this process holds again, now, and returns what became of them.
// The delivery must be running.
func (d *Delivery) Retry(ctx context.Context) (Retried, error) {
	answer := make(chan Retried, 1)
	select {
	case d.retries <- answer:
	case <-ctx.Done():
		return Retried{}, ctx.Err()
	}
	select {
	case r := <-answer:
		return r, r.err
	case <-ctx.Done():
		return Retried{}, ctx.Err()
	}
}

func (a *attempt) retryWhenDue(ctx context.Context) error {
	if time.Now().Before(a.retryAt) {
		return nil
	}
	result, err := a.retry(ctx)
	if result.Accepted > 0 {
		a.retryPause = a.d.opt.RetryInterval
	} else {
		a.retryPause = min(2*a.retryPause, longestRetryInterval)
	}
	a.retryAt = time.Now().Add(a.retryPause)
	return err
}

// retry brings every key that waits to the latest state that the topic has below what is applied. Not the item decides
// what is written but the topic, so a retry never puts an older state over a newer one, whatever a kill or a zombie has
// left in the quarantine.
func (a *attempt) retry(ctx context.Context) (total Retried, err error) {
	byPart := make([][]uint64, len(a.parts))
	for hash, at := range a.shelf.waiting {
		if at.offset < a.parts[at.part].applied {
			byPart[at.part] = append(byPart[at.part], hash)
		}
	}
	for i, hashes := range byPart {
		slices.SortFunc(hashes, func(x, y uint64) int {
			return int(a.shelf.waiting[x].offset - a.shelf.waiting[y].offset)
		})
		for chunk := range slices.Chunk(hashes, a.d.opt.BatchRows) {
			result, err := a.retrySome(ctx, a.parts[i], chunk)
			total.Accepted += result.Accepted
			total.Refused += result.Refused
			if err != nil {
				return total, err
			}
		}
	}
	return total, nil
}

// retrySome reads the topic from the oldest of the items on, keeps the last record of each key, and writes those.
func (a *attempt) retrySome(ctx context.Context, p *part, hashes []uint64) (Retried, error) {
	wanted := make(map[uint64]bool, len(hashes))
	for _, h := range hashes {
		wanted[h] = true
	}
	b := newBatch(len(a.parts))
	defer b.mem.Release()
	rd := newReading()
	if err := a.readAgain(ctx, p, a.shelf.waiting[hashes[0]].offset, func(r *broker.Record) {
		e := entry{part: p, offset: r.Offset, key: r.Key}
		if wanted[xxh3.Hash(a.shelf.key(&e))] {
			b.add(rd, p, r)
		}
	}); err != nil {
		return Retried{}, err
	}
	b.seal(rd)
	if err := a.shelf.put(ctx, b.unreadable()); err != nil {
		return Retried{}, err
	}
	if len(b.mem.Rows) == 0 {
		return Retried{Refused: len(b.broken)}, nil
	}
	b.next[p.index] = p.applied // where it stands already: the write holds the lock and moves nothing
	late, err := a.apply(ctx, &connectors.Changes{Rows: b.mem.Rows, Offsets: a.moves(b)}, b)
	if err != nil {
		return Retried{}, err
	}
	a.wrote = true
	result := Retried{Accepted: len(b.mem.Rows) - len(late), Refused: len(late) + len(b.broken)}
	still := make(map[*entry]bool, len(late))
	for _, r := range late {
		still[r.entry] = true
	}
	var done []*entry
	for _, at := range b.rowEntry {
		if e := &b.entries[at]; !still[e] {
			done = append(done, e)
		}
	}
	a.accept(rd, done)
	err = a.shelf.close(ctx, done)
	a.showWaiting()
	return result, err
}

// accept counts rows that were refused before as delivered.
func (a *attempt) accept(rd *reading, done []*entry) {
	a.d.mu.Lock()
	defer a.d.mu.Unlock()
	for _, e := range done {
		a.d.status.Delivered++
		a.d.status.Pipelines[pipelineOf(rd.names[e.source])]++
	}
}

// readAgain reads a partition from an offset up to what is applied.
func (a *attempt) readAgain(ctx context.Context, p *part, from int64, each func(*broker.Record)) error {
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
					each(r)
				}
			}
			next = fetched[i].Next
		}
	}
	return nil
}
