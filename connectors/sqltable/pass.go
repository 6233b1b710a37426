package sqltable

import (
	"context"

	"github.com/datong-dx/datong/connectors"
)

// pass delivers what is new in one table. A pass that a position stands in goes on there.
func (r *reader) pass(ctx context.Context, i int) (given int, err error) {
	t := r.state.tables[i]
	if t.mark.bound.Kind() != connectors.KindAbsent {
		err = r.readClock(ctx)
	} else if begun, e := r.beginPass(ctx, i); e != nil || !begun {
		return 0, e
	}
	if err != nil {
		return 0, err
	}
	if len(r.sets[i].passOrder()) == 0 {
		given, err = r.streamPass(ctx, i)
	} else {
		given, err = r.pagePass(ctx, i)
	}
	return given, err
}

// beginPass sets the pass's end. begun is false when the table has no watermark.
func (r *reader) beginPass(ctx context.Context, i int) (begun bool, err error) {
	mark := &r.state.tables[i].mark
	a, err := r.ahead(ctx, i)
	if err != nil {
		return false, err
	}
	back := r.overlap.micros
	if isID(r.markKind(i, a.bound)) {
		back = r.overlap.ids
	}
	if mark.known && (!a.known || mark.high > noMark+back && a.top < mark.high-back) {
		r.restored("the highest watermark of " + r.sets[i].name + " has stepped back: its newest rows were deleted, or an older state was restored")
		return false, errRestored
	}
	if !a.known {
		return false, nil
	}
	mark.known, mark.bound, mark.like = true, a.bound, a.like
	mark.next = [2]int64{max(mark.high, a.high), a.low}
	mark.restart()
	return true, nil
}

// endPass moves the watermark.
func (r *reader) endPass(i int) {
	t := r.state.tables[i]
	t.at = nil
	t.mark.high, t.mark.low = t.mark.next[0], t.mark.next[1]
	t.mark.bound, t.mark.next = connectors.Value{}, [2]int64{}
	t.mark.dropUnmet()
	t.mark.settle()
	t.mark.prune(t.mark.low)
	t.mark.forget()
}

// pagePass reads a pass page by page.
func (r *reader) pagePass(ctx context.Context, i int) (given int, err error) {
	t := r.state.tables[i]
	for factor := 1; ; {
		from, batches := t.at, []*connectors.Batch(nil)
		g := r.gatherPass(i, func(b *connectors.Batch, last []connectors.Value) error {
			t.at = cloneValues(last)
			b.Position = r.state.encode()
			batches = append(batches, b)
			return nil
		})
		limit := r.limit[i] * factor
		g.most = 2 * chunkBytes * factor
		if err := r.db.each(ctx, r.pageOf(i, from, limit), g.add); err != nil {
			if err := r.reshaped(ctx, i, err); err != nil {
				return given, err
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
		if g.given > 0 {
			r.learn(i, g)
		}
		if more {
			t.at = cloneValues(g.last)
			r.forgetBehind(t)
		} else {
			r.endPass(i)
		}
		if b := g.current; b != nil && len(b.Rows) > 0 {
			b.Position = r.state.encode()
			batches = append(batches, b)
		}
		given += g.given
		for _, b := range batches {
			if err := r.send(ctx, b); err != nil {
				return given, err
			}
		}
		if !more {
			return given, nil
		}
	}
}

// forgetBehind drops from the window what neither the rest of this pass nor the next one can meet.
func (r *reader) forgetBehind(t *tableState) {
	if n, ok := ordinal(t.at[0]); ok {
		t.mark.prune(min(n, t.mark.next[1]))
	}
	t.mark.forget()
}

// streamPass reads a pass by one statement, for a table without a key: a position inside the pass begins it again, and
// the window tells what was delivered.
func (r *reader) streamPass(ctx context.Context, i int) (given int, err error) {
	g := r.gatherPass(i, func(b *connectors.Batch, _ []connectors.Value) error {
		b.Position = r.state.encode()
		return r.send(ctx, b)
	})
	g.orderBy, g.tied = nil, false
	g.mark.restart()
	err = r.db.each(ctx, r.pageOf(i, nil, 0), g.add)
	if g.err != nil {
		return g.given, g.err
	}
	if err != nil {
		return g.given, failed("read", r.sets[i].name, err)
	}
	r.endPass(i)
	if g.current == nil {
		return g.given, nil
	}
	g.current.Position = r.state.encode()
	return g.given, r.send(ctx, g.current)
}

// pageOf selects rows of the pass that come after a cursor, or all of them.
func (r *reader) pageOf(i int, at []connectors.Value, limit int) *statement {
	s, mark := r.sets[i], &r.state.tables[i].mark
	b := newBuilder(r.db.dialect, s)
	if len(at) > 0 {
		b.after(s.passOrder(), at)
	} else if mark.low > noMark {
		b.and()
		b.compare(s.mark, " >= ", markValue(mark.low, r.markKind(i, mark.bound), mark.like))
	}
	b.and()
	b.compare(s.mark, " <= ", mark.bound)
	b.order(s.passOrder())
	return b.statement(limit)
}

func (r *reader) gatherPass(i int, full func(*connectors.Batch, []connectors.Value) error) *gather {
	s, t := r.sets[i], r.state.tables[i]
	return &gather{
		set: s, op: connectors.OpUpsert, order: connectors.Order{Generation: r.state.generation},
		orderBy: s.passOrder(), tied: !s.unique, rows: min(r.chunk, batchRows), mark: &t.mark,
		inspect: r.inspectPass(s, &t.mark), full: full,
	}
}

// inspectPass leaves out what was delivered before and remembers what will be met again.
func (r *reader) inspectPass(s *set, mark *watermark) func(record) (rowFacts, bool) {
	remember := mark.next[1] // a pass that can be resumed never meets lower rows again
	if len(s.passOrder()) == 0 {
		remember = noMark
	}
	var text scratch
	return func(rec record) (rowFacts, bool) {
		text.b = text.b[:0]
		v := rec.key(s.mark, &text)
		n, ok := ordinal(v)
		if !ok {
			n = unreadableMark
		}
		e := newEntry(n, rec.hash())
		if e.mark < mark.low || mark.meet(e) {
			return rowFacts{}, false
		}
		if e.mark >= remember {
			mark.add(e)
		}
		return rowFacts{time: r.clock.instant(v), sequence: uint64(max(0, e.mark)), doubtful: mark.doubtful(e.mark)}, true
	}
}

// unreadableMark stands for a watermark that is text in no layout of time: its row is remembered for good.
const unreadableMark = -noMark - 1
