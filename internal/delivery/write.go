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
			if err := a.turnOver(lasting, b); err != nil {
				return err
			}
		case r := <-a.d.requests:
			err := a.serve(lasting, r)
			r.done <- err
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

// turnOver writes a batch and gives it back to be filled.
func (a *attempt) turnOver(ctx context.Context, b *batch) error {
	if err := a.write(ctx, b); err != nil {
		return err
	}
	b.reset()
	a.free <- b
	return nil
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
	now := time.Now()
	late, err := a.apply(ctx, b, now)
	if err != nil {
		return err
	}
	visible := time.Now()
	fault.Point("delivery-committed", len(b.entries))
	for i, p := range a.parts {
		if b.next[i] >= 0 {
			p.progress = p.progress.after(b, p, now)
			p.applied = b.next[i]
		}
	}
	if err := a.closeOvertaken(ctx, b, late); err != nil {
		return err
	}
	a.show()
	a.reach(b)
	a.observe(b, visible)
	return nil
}

// moves are the offsets that the batch moves, in the order of the partitions.
func (a *attempt) moves(b *batch, now time.Time) ([]connectors.Advance, error) {
	var list []connectors.Advance
	for i, p := range a.parts {
		if b.next[i] < 0 {
			continue
		}
		then := p.progress.after(b, p, now)
		state, err := then.encode()
		if err != nil {
			return nil, err
		}
		list = append(list, connectors.Advance{Partition: p.sink, From: p.applied, Next: b.next[i], State: state})
	}
	return list, nil
}

// apply writes the rows of b and returns those that the sink refused, which are in quarantine by then.
func (a *attempt) apply(ctx context.Context, b *batch, now time.Time) ([]refused, error) {
	moves, err := a.moves(b, now)
	if err != nil {
		return nil, err
	}
	var late []refused
	var shelfErr error
	err = a.sink.Write(ctx, &connectors.Changes{Rows: b.mem.Rows, Offsets: moves}, func(ctx context.Context, refusals []connectors.Refusal) error {
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
	if err != nil {
		return nil, fromSink("write", err)
	}
	a.wrote = true
	return late, nil
}

// closeOvertaken takes the keys that have now been applied out of quarantine. It comes after the commit: a zombie, which
// cannot commit, closes nothing. An item that a kill leaves behind is closed by its next retry.
func (a *attempt) closeOvertaken(ctx context.Context, b *batch, late []refused) error {
	if a.shelf.size == 0 {
		return nil
	}
	var done []*entry
	for _, e := range b.written(late) {
		overtaken, err := a.shelf.overtaken(e)
		if err != nil {
			return err
		}
		if overtaken {
			done = append(done, e)
		}
	}
	return a.shelf.close(ctx, done)
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
	d.showLag(a.parts)
}

// show publishes the counts.
func (a *attempt) show() {
	pipelines := tally(a.parts, a.shelf)
	var total Counts
	for _, c := range pipelines {
		total.add(c)
	}
	d := a.d
	d.mu.Lock()
	defer d.mu.Unlock()
	d.status.Counts, d.status.Pipelines = total, pipelines
	for _, p := range a.parts {
		if p.progress.Written.After(d.status.Written) {
			d.status.Written = p.progress.Written
		}
	}
}

// observe tells the latencies of the batch's records, those alike to the millisecond at once.
func (a *attempt) observe(b *batch, visible time.Time) {
	if a.d.opt.Observe == nil {
		return
	}
	same, n := time.Duration(-1), 0
	for i := range b.entries {
		latency := max(0, visible.Sub(time.UnixMicro(b.entries[i].changed)).Truncate(time.Millisecond))
		if latency != same && n > 0 {
			a.d.opt.Observe(same, n)
			n = 0
		}
		same = latency
		n++
	}
	a.d.opt.Observe(same, n)
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
