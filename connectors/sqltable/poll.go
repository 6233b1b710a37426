package sqltable

import (
	"context"
	"errors"
	"time"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// Polling by a watermark. After a scan of everything the reader makes pass after pass. A pass reads, in the order of
// watermark and key, the rows from low up to the highest watermark that there was when it began:
//
//	──────────────┬───────────────┬──────────────────────▶ watermark
//	             low            high                 bound
//	              └── overlap ────┘└── new to this pass ──┘
//	              └────────────────── the pass ───────────┘
//
// Rows in the overlap are read again each time, because a transaction that commits late shows rows there that were not
// to be seen before. The window remembers what was delivered of the overlap, so that only what is new is delivered.
// A row that commits later than the overlap, behind the watermark, is not promised. On PostgreSQL the overlap reaches
// back to the start of the oldest transaction still running, so there nothing is missed that takes its watermark in its
// transaction.

// errRestored says that a table's watermarks have stepped back.
var errRestored = errors.New("the source was restored")

// poll scans what was not scanned yet, then makes passes.
func (r *reader) poll(ctx context.Context) error {
	told := false
	for {
		given, err := r.round(ctx)
		if errors.Is(err, errRestored) {
			continue
		}
		if err != nil {
			return err
		}
		if given > 0 || !told {
			if err := r.caughtUp(ctx); err != nil {
				return err
			}
			told = true
		}
		if given < r.chunk {
			if err := wait(ctx, r.settings.poll); err != nil {
				return err
			}
		}
	}
}

// round makes one pass over every table and returns how many rows it delivered.
func (r *reader) round(ctx context.Context) (given int, err error) {
	look := time.Since(r.described) > describeEvery
	for i, t := range r.state.tables {
		if look {
			if _, err := r.redescribe(ctx, i); err != nil {
				return given, err
			}
			r.described = time.Now()
		}
		if t.stage == stageScan {
			if err := r.scan(ctx, i, stagePoll); err != nil {
				return given, err
			}
			given++
		}
	}
	for i := range r.state.tables {
		n, err := r.pass(ctx, i)
		given += n
		if err != nil {
			return given, err
		}
	}
	return given, nil
}

// ahead is what a pass has before it.
type ahead struct {
	known bool             // there is a row with a watermark
	bound connectors.Value // the highest watermark, as it is stored
	top   int64            // the same as a number
	high  int64            // the highest that can be true by the database's clock
	low   int64            // from where a row may still appear
	like  []byte
}

// ahead looks at the table's highest watermark, and then at the clock and the transactions that still run.
func (r *reader) ahead(ctx context.Context, i int) (a ahead, err error) {
	if a.bound, err = r.maxMark(ctx, i, connectors.Value{}); err != nil || a.bound.IsNull() {
		return a, err
	}
	if err := r.readClock(ctx); err != nil {
		return a, err
	}
	var ok bool
	if a.top, ok = ordinal(a.bound); !ok {
		return a, noOrder(r.sets[i].name, r.watermark)
	}
	if a.bound.Kind() == connectors.KindText {
		a.like = a.bound.Bytes()
	}
	kind := r.markKind(i, a.bound)
	a.known, a.high = true, a.top
	if latest := r.clock.latest(kind, r.overlap.micros); a.top > latest {
		below, err := r.maxMark(ctx, i, markValue(latest, kind, a.like))
		if err != nil {
			return a, err
		}
		if a.high, ok = ordinal(below); !ok {
			a.high = noMark
		}
	}
	a.low = r.lowest(i, kind, a.high)
	if floor, ok := ordinal(markValue(a.low, kind, a.like)); ok && a.low > noMark {
		a.low = floor // what the column can say: a date is a whole day
	}
	return a, nil
}

// lowest returns the watermark from which rows may still appear when high is the highest. It never steps back: what lies
// below an earlier one was complete then and is no longer remembered.
func (r *reader) lowest(i int, kind connectors.Kind, high int64) int64 {
	mark := &r.state.tables[i].mark
	high = min(high, r.clock.latest(kind, 0)) // a clock that is fast must not use the overlap up
	back := r.overlap.micros
	if isID(kind) {
		back = r.overlap.ids
		if r.clock.oldest > 0 {
			back = max(back, high-mark.since(r.clock.now-r.clock.oldest))
		}
		mark.remember(r.clock.now, high)
	} else {
		back = max(back, r.clock.oldest)
	}
	if high < noMark+back {
		return mark.low
	}
	return max(mark.low, high-back)
}

// markKind returns the kind that the watermark column is compared as.
func (r *reader) markKind(i int, v connectors.Value) connectors.Kind {
	if r.db.dialect == sqldb.SQLite {
		return v.Kind()
	}
	return r.sets[i].columns[r.sets[i].mark].Kind
}

// maxMark returns the highest watermark, or the highest up to a limit.
func (r *reader) maxMark(ctx context.Context, i int, limit connectors.Value) (connectors.Value, error) {
	for {
		v, err := r.db.one(ctx, r.maxOf(i, limit))
		if err == nil {
			return v, nil
		}
		if err := r.reshaped(ctx, i, err); err != nil {
			return v, err
		}
	}
}

func (r *reader) maxOf(i int, limit connectors.Value) *statement {
	s := r.sets[i]
	mark := s.columns[s.mark]
	mark.expr = "max(" + r.db.dialect.Quote(mark.Name) + ")"
	b := newBuilder(r.db.dialect, &set{from: s.from, columns: []column{mark}})
	if limit.Kind() != connectors.KindAbsent {
		b.and()
		b.compare(0, " <= ", limit)
	}
	return b.statement(1)
}
