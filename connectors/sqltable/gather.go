package sqltable

import (
	"bytes"
	"slices"

	"github.com/datong-dx/datong/connectors"
)

const (
	// batchRows and batchBytes bound a batch. Some ten of them are on their way through a pipeline at once.
	batchRows  = 512
	batchBytes = 256 << 10
	// chunkBytes is about how much one statement reads. That is held in memory, so that no statement stays open in
	// the department's database while the pipeline is slow.
	chunkBytes = 3 << 20
	valueBytes = 24 // of one connectors.Value
)

// rowFacts is what a row carries beside its values.
type rowFacts struct {
	time     int64
	sequence uint64
	doubtful bool
}

// gather collects the rows of one statement into batches.
type gather struct {
	set     *set
	op      connectors.Op
	order   connectors.Order // of the rows, except for a sequence of their own
	orderBy []int            // columns whose values are the cursor; empty: none
	tied    bool             // rows of equal cursor stay together, because the cursor is not unique
	rows    int              // most rows in a batch
	most    int              // bytes after which to stop, 0 without limit

	// inspect looks at each row first; false leaves it out.
	inspect func(record) (rowFacts, bool)
	// full takes a batch that is full, and the cursor of its last row.
	full func(b *connectors.Batch, last []connectors.Value) error

	current *connectors.Batch // nil while it would be empty
	bytes   int               // in the current batch
	total   int               // bytes in all
	read    int               // rows read
	given   int               // rows delivered
	stopped bool              // before the statement's end
	err     error             // of full

	last, next         []connectors.Value // cursor of the row before, and of this one
	lastText, nextText scratch
	tie                tie
	mark               *watermark
}

// tie remembers where the rows that have one cursor began, so that they can be given back and read again together.
type tie struct {
	rows, fresh, given int
	before             []connectors.Value // cursor of the row before them, nil when there was none
}

// add takes one row; false ends the statement.
func (g *gather) add(rec record) bool {
	g.next, g.nextText.b = g.next[:0], g.nextText.b[:0]
	for _, i := range g.orderBy {
		g.next = append(g.next, rec.key(i, &g.nextText))
	}
	if !g.tied || g.read == 0 || !sameCursor(g.last, g.next) {
		if g.isFull() {
			if g.err = g.flush(); g.err != nil {
				return false
			}
		}
		g.beginTie()
	}
	g.read++
	g.take(rec)
	g.last, g.next = g.next, g.last
	g.lastText, g.nextText = g.nextText, g.lastText
	g.stopped = g.most > 0 && g.total > g.most
	return !g.stopped
}

func (g *gather) isFull() bool {
	return g.current != nil && (len(g.current.Rows) >= g.rows || g.bytes >= batchBytes)
}

func (g *gather) take(rec record) {
	facts, deliver := g.inspect(rec)
	if !deliver {
		return
	}
	if g.current == nil {
		g.current, g.bytes = connectors.NewBatch(), 0
		g.current.Origin = g.set.name
	}
	values := g.current.Values(len(g.set.columns))
	n := rec.values(g.current, values)
	g.bytes += n
	g.total += n + valueBytes*len(values)
	g.given++
	shown := len(g.set.table.Columns)
	g.current.Rows = append(g.current.Rows, connectors.Row{
		Table: g.set.table, Op: g.op, Values: values[:shown:shown], Time: facts.time, Doubtful: facts.doubtful,
		Order: connectors.Order{Generation: g.order.Generation, Sequence: facts.sequence},
	})
}

// flush hands the current batch on.
func (g *gather) flush() error {
	b := g.current
	g.current = nil
	if b == nil {
		return nil
	}
	return g.full(b, g.last)
}

func (g *gather) beginTie() {
	if !g.tied {
		return
	}
	g.tie = tie{given: g.given, fresh: len(g.mark.fresh)}
	if g.current != nil {
		g.tie.rows = len(g.current.Rows)
	}
	if g.read > 0 {
		g.tie.before = cloneValues(g.last)
	}
}

// dropTie gives the last rows of equal cursor back, because the statement may have ended among them. It returns false
// when there was nothing before them.
func (g *gather) dropTie() bool {
	if !g.tied {
		return true
	}
	g.mark.fresh = g.mark.fresh[:min(g.tie.fresh, len(g.mark.fresh))]
	g.given = g.tie.given
	if g.current != nil {
		g.current.Rows = g.current.Rows[:min(g.tie.rows, len(g.current.Rows))]
	}
	g.last = append(g.last[:0], g.tie.before...)
	return g.tie.before != nil
}

func sameCursor(a, b []connectors.Value) bool {
	return slices.EqualFunc(a, b, func(a, b connectors.Value) bool {
		return a.Kind() == b.Kind() && a.Int() == b.Int() && bytes.EqualFold(bytes.TrimRight(a.Bytes(), " "), bytes.TrimRight(b.Bytes(), " "))
	})
}

func cloneValues(values []connectors.Value) []connectors.Value {
	clone := make([]connectors.Value, len(values))
	for i, v := range values {
		switch v.Kind() {
		case connectors.KindText:
			v = connectors.String(bytes.Clone(v.Bytes()))
		case connectors.KindBytes:
			v = connectors.Bytes(bytes.Clone(v.Bytes()))
		case connectors.KindDecimal:
			v = connectors.Decimal(bytes.Clone(v.Bytes()))
		case connectors.KindJSON:
			v = connectors.JSON(bytes.Clone(v.Bytes()))
		}
		clone[i] = v
	}
	return clone
}
