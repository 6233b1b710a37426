package pipeline

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/fault"
	"github.com/datong-dx/datong/internal/keyindex"
	"github.com/datong-dx/datong/internal/quarantine"
)

// judge decides, in source order, what each row ends as, and fills transactions. It is one goroutine and owns all that
// the task remembers: what is on the topic where that matters, and which rows wait in quarantine.
type judge struct {
	*attempt
	now     *pending
	counts  Counts // base and everything judged so far
	rec     record // what the next commit will say
	scan    *scan
	touched bool // the position has moved, or there is something to publish
	first   time.Time
	window  refusals
	written map[uint64]struct{} // entity keys written by this batch, when it changes keys; else nil
	scratch []byte
}

func newJudge(a *attempt) *judge {
	return &judge{attempt: a, counts: a.base.Counts, rec: a.base, window: refusals{limit: a.opt.MaxRefused}}
}

// run judges jobs until there are no more, then commits what is left.
func (g *judge) run(work context.Context) error {
	defer close(g.filled)
	if err := g.next(work); err != nil {
		return err
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		var due <-chan time.Time
		if g.touched && g.committable() {
			timer.Reset(time.Until(g.first.Add(g.opt.CommitInterval)))
			due = timer.C
		}
		select {
		case j, ok := <-g.order:
			if !ok {
				return g.commit(work)
			}
			select {
			case <-j.ready:
			case <-work.Done():
				return work.Err()
			}
			if err := g.job(work, j); err != nil {
				return g.stopAfterCommit(work, err)
			}
		case <-due:
			if err := g.commit(work); err != nil {
				return err
			}
		case <-work.Done():
			return work.Err()
		}
	}
}

// stopAfterCommit commits what was judged before a limit stopped the pipeline, so that a person finds the refused rows
// in the quarantine; any other error ends the attempt at once and what is not committed is read again.
func (g *judge) stopAfterCommit(work context.Context, err error) error {
	var limit *connectors.Problem
	if !errors.As(err, &limit) || !errors.Is(limit, ErrLimit) && !errors.Is(limit, connectors.ErrStop) || !g.committable() {
		return err
	}
	g.verdict = err
	return g.commit(work)
}

// committable says that a commit may fall here. Inside a source transaction that is kept whole it may not.
func (g *judge) committable() bool { return g.now.whole }

// job judges one batch or one request.
func (g *judge) job(work context.Context, j *job) error {
	defer j.free()
	if j.err != nil {
		return j.err
	}
	if err := g.acquaint(work, j); err != nil {
		return err
	}
	if j.request != nil {
		return g.answer(work, j)
	}
	b := j.batch
	if b.Begin != nil {
		g.scan = &scan{Scan: b.Begin}
	}
	if err := g.decide(work, b); err != nil {
		return err
	}
	fault.Point("read", len(b.Rows))
	g.counts.Read += int64(len(b.Rows))
	if err := g.rows(j); err != nil {
		return err
	}
	g.now.whole = b.CanCommit
	if err := g.window.verdict(g.ID()); err != nil {
		return err
	}
	if b.End != nil {
		if err := g.endScan(work, b); err != nil {
			return err
		}
	}
	g.move(b)
	if g.committable() && (b.CaughtUp || g.full()) {
		if err := g.commit(work); err != nil {
			return err
		}
	}
	if b.CaughtUp {
		g.nothingWaits()
	}
	return nil
}

// move notes the batch's position for the next commit. While a scan is compared the position stands still: only at its
// end is it known what is gone.
func (g *judge) move(b *connectors.Batch) {
	if g.scan.holds() || !b.CanCommit || len(b.Position) == 0 || string(b.Position) == string(g.rec.Position) {
		return
	}
	g.rec.Position = append(connectors.Position(nil), b.Position...)
	g.now.ack = g.rec.Position
	g.touch()
}

func (g *judge) touch() {
	if !g.touched {
		g.touched, g.first = true, time.Now()
	}
}

// full says that the transaction has reached its size.
func (g *judge) full() bool {
	return g.now.txn.Records() >= g.opt.CommitRows || g.now.txn.Bytes() >= g.opt.CommitBytes ||
		g.touched && time.Since(g.first) >= g.opt.CommitInterval
}

// rows judges the rows of a job one after the other.
func (g *judge) rows(j *job) error {
	g.written = nil
	if n := len(j.batch.Rows); n > 0 {
		last := j.batch.Rows[n-1].Order
		g.rec.Generation = max(g.rec.Generation, last.Generation)
		if g.scan != nil {
			g.scan.last = last
		}
	}
	if slices.ContainsFunc(j.batch.Rows, func(r connectors.Row) bool { return r.Old != nil }) {
		g.written = map[uint64]struct{}{}
	}
	for at := 0; at < len(j.results); {
		end := at + 1
		for end < len(j.results) && j.results[end].row == j.results[at].row {
			end++
		}
		if err := g.row(j, j.results[at:end]); err != nil {
			return err
		}
		at = end
	}
	return nil
}

// row judges what one row became for each of its feeds and counts it once.
func (g *judge) row(j *job, results []result) error {
	row := &j.batch.Rows[results[0].row]
	published, unchanged, waits := false, false, false
	for i := range results {
		res := &results[i]
		end, err := g.result(j, row, res)
		if err != nil {
			return err
		}
		published = published || end == toTopic
		unchanged = unchanged || end == asBefore
		waits = waits || end == toQuarantine
	}
	switch {
	case waits:
		g.counts.Quarantined++
	case published:
		g.counts.Published++
	case unchanged:
		g.counts.Unchanged++
	default:
		g.counts.Filtered++
	}
	g.now.last(row.Time)
	g.window.add(waits)
	return nil
}

// outcome is what a row ended as for one feed.
type outcome uint8

const (
	leftOut outcome = iota
	toTopic
	asBefore
	toQuarantine
	byProduct // a by-product: counted with the row's other result
)

// result judges what a row became for one feed.
func (g *judge) result(j *job, row *connectors.Row, res *result) (outcome, error) {
	switch res.kind {
	case unmapped:
		return leftOut, nil
	case broken, refused:
		return g.refuse(j, res, res.violations)
	case moved:
		return byProduct, g.moveKey(j, res)
	case filtered:
		return leftOut, g.release(j, res)
	}
	if res.kind == put {
		end, conflict, err := g.weigh(row, res)
		if err != nil {
			return 0, err
		}
		if conflict != nil {
			return g.refuse(j, res, conflict)
		}
		if end == asBefore {
			return asBefore, g.release(j, res)
		}
	}
	if err := g.release(j, res); err != nil {
		return 0, err
	}
	if err := g.publishResult(j, res); err != nil {
		return 0, err
	}
	if res.kind == leave {
		return leftOut, nil
	}
	return toTopic, nil
}

// publishResult adds the encoded record to the transaction.
func (g *judge) publishResult(j *job, res *result) error {
	f := res.feed
	g.now.txn.Add(f.topic, res.partition, j.bodies[res.from:res.to])
	g.counts.Records++
	if res.kind != put {
		g.counts.Deletes++
	}
	g.touch()
	if res.kind == put {
		g.bad.old.takenOver(f.topic, res.key)
	}
	if res.kind == put && g.written != nil {
		g.written[res.key] = struct{}{}
	}
	if f.index == nil {
		return nil
	}
	if res.kind == put {
		return f.index.Set(res.key, res.digest, res.rowKey, keyindex.Live|keyindex.Seen)
	}
	return f.index.Set(res.key, 0, 0, 0)
}

// moveKey withdraws a row's former key, unless another row of the same source transaction has taken it over.
func (g *judge) moveKey(j *job, res *result) error {
	if _, taken := g.written[res.key]; taken {
		return nil
	}
	for i := range j.results {
		// The new state is refused: its tombstone waits with it, so that the platform keeps the last good version.
		if r := &j.results[i]; r.row == res.row && r.feed == res.feed && r.kind == refused {
			return nil
		}
	}
	return g.publishResult(j, res)
}

// weigh compares a record with what is known of its key: it may be unchanged, or in conflict with another row.
func (g *judge) weigh(row *connectors.Row, res *result) (outcome, []quarantine.Violation, error) {
	f := res.feed
	if f.index == nil {
		return toTopic, nil, nil
	}
	e, err := f.index.Lookup(res.key)
	switch {
	case err != nil:
		return 0, nil, err
	case e.Flags&keyindex.Live == 0:
		return toTopic, nil, nil
	case e.Flags&keyindex.Foreign != 0:
		return 0, heldByAnotherSet(f), nil
	case !f.keyIsRow && e.Row != 0 && e.Row != res.rowKey && (!f.compare || e.Flags&keyindex.Seen != 0):
		return 0, duplicateKey(f), nil
	case f.compare && e.Flags&keyindex.Seen != 0 && !f.unique:
		return 0, duplicateKey(f), nil
	}
	if (f.compare || row.Doubtful) && e.Digest == res.digest {
		return asBefore, nil, f.index.Set(res.key, res.digest, res.rowKey, e.Flags|keyindex.Seen)
	}
	return toTopic, nil, nil
}
