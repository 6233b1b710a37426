package sqltable

import (
	"context"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// repeat reads everything again and again.
func (r *reader) repeat(ctx context.Context) error {
	for {
		begun := time.Now()
		for i := range r.sets {
			if err := r.scan(ctx, i, stageScan); err != nil {
				return err
			}
		}
		if err := r.caughtUp(ctx); err != nil {
			return err
		}
		if err := wait(ctx, max(0, r.every-time.Since(begun))); err != nil {
			return err
		}
		for i := range r.sets {
			if _, err := r.redescribe(ctx, i); err != nil {
				return err
			}
		}
	}
}

// scan reads all of a set, or what is left of it after the position, and leaves the table at the next stage.
//
// With a key it goes by ranges: each statement takes the rows after the last key, in order, so it can be resumed
// anywhere. Rows whose key holds a null are in no range; they come last, by a statement of their own. Without a key there
// is one statement, which begins again from the start after a crash.
func (r *reader) scan(ctx context.Context, i int, next stage) error {
	s, t := r.sets[i], r.state.tables[i]
	scan := &connectors.Scan{Set: s.name, Complete: true, Resumable: len(s.key) > 0}
	var begin *connectors.Scan
	if t.at == nil && !t.tail {
		begin = scan
		if err := r.beginScan(ctx, i, scan); err != nil {
			return err
		}
	}
	if err := r.readClock(ctx); err != nil {
		return err
	}
	unread := *t // what a position says where the scan cannot be resumed
	if begin != nil {
		t.scan++
	}
	scan.ID = t.scan
	out := &scanner{reader: r, i: i, scan: scan, begin: begin}
	if len(s.key) == 0 {
		out.fixed = &unread
		return out.stream(ctx, r.whole(i), next)
	}
	if !t.tail {
		if err := out.ranges(ctx); err != nil {
			return err
		}
		t.tail = true
	}
	s = r.sets[i]
	if !s.nullable {
		return out.finish(ctx, nil, next)
	}
	fixed := *t
	out.fixed, out.whole = &fixed, true
	return out.stream(ctx, r.nulls(i), next)
}

// beginScan estimates how long the scan will be, and takes the watermark from which to go on after it. That is taken
// before the first row is read, so that nothing falls between.
func (r *reader) beginScan(ctx context.Context, i int, scan *connectors.Scan) error {
	var err error
	if scan.Rows, err = r.db.estimate(ctx, r.sets[i].name, r.query != ""); err != nil {
		return err
	}
	if r.mode != modeWatermark {
		return nil
	}
	t := r.state.tables[i]
	t.mark = watermark{low: noMark, high: noMark, window: window{doubt: noDoubt}}
	ahead, err := r.ahead(ctx, i)
	if err != nil || !ahead.known {
		return err
	}
	t.mark.known, t.mark.high, t.mark.low, t.mark.like = true, ahead.high, ahead.low, ahead.like
	return nil
}

func (r *reader) readClock(ctx context.Context) (err error) {
	r.clock, err = r.db.clock(ctx)
	return err
}

// scanner sends the batches of one scan.
type scanner struct {
	*reader
	i     int
	scan  *connectors.Scan
	begin *connectors.Scan // not announced yet
	fixed *tableState      // what positions say of the table instead of where it stands
	whole bool             // no commit may fall inside
}

// ranges reads range after range of the key.
func (o *scanner) ranges(ctx context.Context) error {
	t := o.state.tables[o.i]
	for factor := 1; ; {
		from, batches := t.at, []*connectors.Batch(nil)
		g := o.gather(func(b *connectors.Batch, last []connectors.Value) error {
			t.at = cloneValues(last)
			b.Position = o.state.encode()
			batches = append(batches, b)
			return nil
		})
		limit := o.limit[o.i] * factor
		g.most = 2 * chunkBytes * factor
		if err := o.db.each(ctx, o.rangeOf(o.i, from, limit), g.add); err != nil {
			if err := o.reshaped(ctx, o.i, err); err != nil {
				return err
			}
			t.at = from
			continue
		}
		more := g.read >= limit || g.stopped
		if more && !g.dropTie() {
			factor *= 2
			continue
		}
		factor = 1
		o.learn(o.i, g)
		if err := g.flush(); err != nil {
			return err
		}
		for _, b := range batches {
			if err := o.emit(ctx, b); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// learn fits the next statement to the size of the rows.
func (r *reader) learn(i int, g *gather) {
	r.limit[i] = r.chunk
	if g.given > 0 {
		r.limit[i] = min(r.chunk, max(1, chunkBytes/(1+g.total/g.given)))
	}
}

// stream reads one statement to its end, sending batches as they fill up, and ends the scan.
func (o *scanner) stream(ctx context.Context, q *statement, next stage) error {
	position := o.at(o.fixed)
	g := o.gather(func(b *connectors.Batch, _ []connectors.Value) error {
		b.Position, b.CanCommit = position, !o.whole
		return o.emit(ctx, b)
	})
	g.orderBy, g.tied = nil, false
	err := o.db.each(ctx, q, g.add)
	if g.err != nil {
		return g.err
	}
	if err != nil {
		return failed("read", o.sets[o.i].name, err)
	}
	return o.finish(ctx, g.current, next)
}

// at encodes a position in which the table stands elsewhere than it does.
func (o *scanner) at(t *tableState) connectors.Position {
	tables := o.state.tables
	now := tables[o.i]
	tables[o.i] = t
	defer func() { tables[o.i] = now }()
	return o.state.encode()
}

// finish sends the scan's last batch.
func (o *scanner) finish(ctx context.Context, b *connectors.Batch, next stage) error {
	if b == nil {
		b = connectors.NewBatch()
		b.Origin = o.sets[o.i].name
	}
	t := o.state.tables[o.i]
	t.stage, t.at, t.tail = next, nil, false
	t.mark.settle()
	b.End = o.scan
	b.Position = o.state.encode()
	return o.emit(ctx, b)
}

func (o *scanner) emit(ctx context.Context, b *connectors.Batch) error {
	b.Begin, o.begin = o.begin, nil
	return o.send(ctx, b)
}

func (o *scanner) gather(full func(*connectors.Batch, []connectors.Value) error) *gather {
	s, t := o.sets[o.i], o.state.tables[o.i]
	return &gather{
		set: s, op: connectors.OpSnapshot, order: connectors.Order{Generation: o.state.generation},
		orderBy: s.key, tied: !s.unique, rows: min(o.chunk, batchRows), mark: &t.mark,
		inspect: o.inspect(s, &t.mark), full: full,
	}
}

// inspect remembers, in watermark mode, the rows that the first pass after the scan will meet again.
func (o *scanner) inspect(s *set, mark *watermark) func(record) (rowFacts, bool) {
	facts := rowFacts{time: o.clock.now, sequence: o.scan.ID}
	if s.mark < 0 {
		return func(record) (rowFacts, bool) { return facts, true }
	}
	var text scratch
	return func(rec record) (rowFacts, bool) {
		text.b = text.b[:0]
		v := rec.key(s.mark, &text)
		f := facts
		f.time = o.clock.instant(v)
		if n, ok := ordinal(v); ok && n >= mark.low {
			mark.addScanned(newEntry(n, rec.hash()))
		}
		return f, true
	}
}

// rangeOf selects the rows after a key.
func (r *reader) rangeOf(i int, at []connectors.Value, limit int) *statement {
	s := r.sets[i]
	b := newBuilder(r.db.dialect, s)
	if len(at) > 0 {
		b.after(s.key, at)
	}
	if s.nullable {
		for _, k := range s.key {
			b.and()
			b.text.WriteString(b.name(k) + " IS NOT NULL")
		}
	}
	b.order(s.key)
	return b.statement(limit)
}

// nulls selects the rows that are in no range.
func (r *reader) nulls(i int) *statement {
	b := newBuilder(r.db.dialect, r.sets[i])
	for n, k := range r.sets[i].key {
		if n == 0 {
			b.and()
		} else {
			b.text.WriteString(" OR ")
		}
		b.text.WriteString(b.name(k) + " IS NULL")
	}
	return b.statement(0)
}

// whole selects everything, in no order.
func (r *reader) whole(i int) *statement { return newBuilder(r.db.dialect, r.sets[i]).statement(0) }
