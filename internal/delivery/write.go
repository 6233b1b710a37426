package delivery

import (
	"context"
	"time"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/fault"
)

// saveInterval is how often the group is told where the sink stands, for tools that show lag.
const saveInterval = time.Second

// writeAll writes batch after batch. Between them it tries refused rows again, when it is time or when asked.
func (a *attempt) writeAll(ctx, lasting context.Context) error {
	a.retryAt = time.Now().Add(a.retryPause)
	tick := time.NewTicker(saveInterval)
	defer tick.Stop()
	for {
		select {
		case b, more := <-a.full:
			if !more {
				return nil
			}
			if err := a.write(lasting, b); err != nil {
				return err
			}
			b.reset()
			a.free <- b
		case answer := <-a.d.retries:
			result, err := a.retry(lasting)
			result.err = err
			answer <- result
			if err != nil {
				return err
			}
		case <-tick.C:
			if err := a.retryWhenDue(lasting); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
		if time.Since(a.savedAt) >= saveInterval {
			a.saveOffsets()
		}
	}
}

// write applies one batch. Its refused records are in quarantine before the sink commits.
func (a *attempt) write(ctx context.Context, b *batch) error {
	if len(b.entries) == 0 {
		a.reach(b)
		return nil
	}
	early := b.unreadable()
	if err := a.shelf.put(ctx, early); err != nil {
		return err
	}
	fault.Point("delivery-collected", len(b.entries))
	late, err := a.apply(ctx, &connectors.Changes{Rows: b.mem.Rows, Offsets: a.moves(b)}, b)
	if err != nil {
		return err
	}
	a.wrote = true
	fault.Point("delivery-committed", len(b.entries))
	for i, p := range a.parts {
		if b.next[i] >= 0 {
			p.applied = b.next[i]
		}
	}
	a.count(b, append(early, late...))
	a.reach(b)
	return a.closeItems(ctx, b, late)
}

// moves are the offsets that the batch moves, in the order of the partitions.
func (a *attempt) moves(b *batch) []connectors.Advance {
	var list []connectors.Advance
	for i, p := range a.parts {
		if b.next[i] >= 0 {
			list = append(list, connectors.Advance{Partition: p.sink, From: p.applied, Next: b.next[i]})
		}
	}
	return list
}

// apply writes the rows of b and returns those that the sink refused, which are in quarantine by then.
func (a *attempt) apply(ctx context.Context, changes *connectors.Changes, b *batch) ([]refused, error) {
	var late []refused
	var shelfErr error
	err := a.sink.Write(ctx, changes, func(ctx context.Context, refusals []connectors.Refusal) error {
		for _, r := range refusals {
			late = append(late, refused{&b.entries[b.rowEntry[r.Row]], r.Reason})
		}
		shelfErr = a.shelf.put(ctx, late)
		fault.Point("delivery-refused", len(late))
		return shelfErr
	})
	if shelfErr != nil {
		return nil, shelfErr // not the sink's fault
	}
	return late, fromSink("write", err)
}

// closeItems takes the keys that have now been applied out of quarantine. It comes after the commit: a zombie, which
// cannot commit, closes nothing. An item that a kill leaves behind is closed by its next retry.
func (a *attempt) closeItems(ctx context.Context, b *batch, late []refused) error {
	if len(a.shelf.waiting) == 0 {
		return nil
	}
	still := make(map[*entry]bool, len(late))
	for _, r := range late {
		still[r.entry] = true
	}
	var done []*entry
	for _, at := range b.rowEntry {
		if e := &b.entries[at]; !still[e] && a.shelf.overtaken(e) {
			done = append(done, e)
		}
	}
	err := a.shelf.close(ctx, done)
	a.showWaiting()
	return err
}

// reach publishes how far everything is in the sink.
func (a *attempt) reach(b *batch) {
	d := a.d
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, p := range a.parts {
		if b.next[i] < 0 {
			continue
		}
		d.reached[p.TopicPartition] = b.next[i]
		a.unsaved[p.TopicPartition] = b.next[i]
		p.behind = b.behind[i]
	}
	d.status.LagRecords = 0
	for _, p := range a.parts {
		d.status.LagRecords += p.behind
	}
	d.status.State = Running
	if d.status.LagRecords == 0 {
		d.status.State = Idle
	}
}

// count adds the batch to the figures and tells how long its records took.
func (a *attempt) count(b *batch, notDelivered []refused) {
	for _, r := range notDelivered {
		b.counts[r.entry.source]--
	}
	now := time.Now()
	d := a.d
	d.mu.Lock()
	for source, n := range b.counts {
		if n != 0 {
			d.status.Delivered += n
			d.status.Pipelines[pipelineOf(b.names[source])] += n
		}
	}
	d.status.Refused += int64(len(notDelivered))
	d.status.Waiting = int64(len(a.shelf.waiting))
	d.status.Written = now
	d.status.changed = time.UnixMicro(b.entries[len(b.entries)-1].changed)
	d.mu.Unlock()
	a.observe(b, now)
}

// observe tells the latencies of the batch's records, those alike to the millisecond at once.
func (a *attempt) observe(b *batch, now time.Time) {
	if a.d.opt.Observe == nil {
		return
	}
	same, n := time.Duration(-1), 0
	for i := range b.entries {
		latency := max(0, now.Sub(time.UnixMicro(b.entries[i].changed)).Truncate(time.Millisecond))
		if latency != same && n > 0 {
			a.d.opt.Observe(same, n)
			n = 0
		}
		same = latency
		n++
	}
	a.d.opt.Observe(same, n)
}

func (a *attempt) showWaiting() {
	a.d.mu.Lock()
	defer a.d.mu.Unlock()
	a.d.status.Waiting = int64(len(a.shelf.waiting))
}

// saveOffsets tells the group where the sink stands. Nothing depends on it but what lag tools show.
func (a *attempt) saveOffsets() {
	a.savedAt = time.Now()
	if len(a.unsaved) == 0 {
		return
	}
	if err := a.gen.Commit(a.unsaved); err != nil {
		a.d.log.Debug("the group was not told the offsets", "error", err)
		return
	}
	clear(a.unsaved)
}
