package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/keyindex"
	"github.com/datong-dx/datong/internal/quarantine"
)

// Action is what a request does with the items it chooses.
type Action = quarantine.Action

// Actions on quarantined rows.
const (
	Retry   = quarantine.Retry   // map again, and publish what now conforms
	Discard = quarantine.Discard // give the row up
)

// Answer tells what became of the items that a request chose.
type Answer struct {
	Chosen    int64 `json:"chosen"`
	Published int64 `json:"published"` // now on the topic, or there already
	Discarded int64 `json:"discarded"`
	Refused   int64 `json:"refused"` // still do not conform
	Stale     int64 `json:"stale"`   // a newer state of the row had come
}

// request asks the task about its quarantine. The task serves it between batches, in its own transactions, so that an
// older state never overtakes a newer one.
type request struct {
	action Action
	filter quarantine.Filter
	answer Answer
	done   chan error // holds one
}

func (r *request) fail(err error) { r.end(err) }

// end answers once; later answers are dropped.
func (r *request) end(err error) {
	select {
	case r.done <- err:
	default:
	}
}

// ErrBusy says that the task could not serve a request in time: it is starting, stopped or stuck.
var ErrBusy = errors.New("the pipeline does not take requests now")

// errInterrupted answers requests that were under way when an attempt ended; what was committed stays committed.
var errInterrupted = errors.New("interrupted: the pipeline began again; ask once more")

// requestPatience is how long a request waits to be taken up.
const requestPatience = 20 * time.Second

// Quarantine retries or discards the items that the filter chooses, in the order in which they were refused. It returns
// when the outcome is committed.
func (p *Pipeline) Quarantine(ctx context.Context, action Action, filter quarantine.Filter) (Answer, error) {
	filter.Pipeline = p.opt.Name
	r := &request{action: action, filter: filter, done: make(chan error, 1)}
	select {
	case p.requests <- r:
	case <-time.After(requestPatience):
		return Answer{}, fmt.Errorf("pipeline %s: %w", p.ID(), ErrBusy)
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
	select {
	case err := <-r.done:
		return r.answer, err
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
}

// requestRows is how many items travel in one job.
const requestRows = 500

// serve sends the items that a request chooses down the same way as batches from the source. The last job carries no
// rows: when the judge reaches it, everything before has been judged.
func (a *attempt) serve(work context.Context, r *request) error {
	a.mu.Lock()
	a.asked = append(a.asked, r)
	a.mu.Unlock()
	j := newRequestJob(r)
	tables := map[string]*connectors.Table{}
	err := quarantine.Scan(work, a.opt.Client, a.topic(quarantineTopic), []int32{a.quarantinePartition()}, func(it *quarantine.Item) error {
		if !r.filter.Match(it) {
			return nil
		}
		if err := j.addItem(it, tables); err != nil {
			return err
		}
		if len(j.items) < requestRows {
			return nil
		}
		full := j
		j = newRequestJob(r)
		return a.send(work, full)
	})
	if err != nil {
		return fmt.Errorf("read the quarantine of %s: %w", a.ID(), err)
	}
	if err := a.send(work, j); err != nil {
		return err
	}
	last := newRequestJob(r)
	last.last = true
	return a.send(work, last)
}

func newRequestJob(r *request) *job {
	j := newJob(connectors.NewBatch())
	j.request, j.items = r, []*quarantine.Item{}
	return j
}

// addItem appends the row that an item keeps. Rows of one shape share one table, so that it is bound once.
func (j *job) addItem(it *quarantine.Item, tables map[string]*connectors.Table) error {
	shape := it.Set
	for _, c := range it.Columns {
		shape += quarantine.Separator + c.Name
		if c.Key {
			shape += "*"
		}
	}
	t := tables[shape]
	if t == nil {
		t = it.Table()
		tables[shape] = t
	}
	row, err := it.Row(t)
	if err != nil {
		return fmt.Errorf("offset %d: %w", it.Offset, err)
	}
	if it.Entity == "" {
		row.Err = &connectors.Problem{What: connectors.Text{Zh: "无法拆分的行", En: "a row that could not be split"}}
	}
	j.batch.Rows = append(j.batch.Rows, row)
	j.items = append(j.items, it)
	return nil
}

// answer judges the rows of a request.
func (g *judge) answer(work context.Context, j *job) error {
	r := j.request
	if j.last {
		return g.finish(work, r)
	}
	results := j.results
	for i, it := range j.items {
		r.answer.Chosen++
		var res *result
		for ; len(results) > 0 && int(results[0].row) <= i; results = results[1:] {
			if int(results[0].row) == i {
				res = &results[0]
			}
		}
		if err := g.judgeItem(j, it, res); err != nil {
			return err
		}
	}
	if g.full() {
		return g.commit(work)
	}
	return nil
}

// judgeItem gives one item up or tries it again. An item that a newer state of its row has closed meanwhile is stale.
func (g *judge) judgeItem(j *job, it *quarantine.Item, res *result) error {
	r, key := j.request, it.Key()
	e, err := g.bad.index.Lookup(xxh3.Hash(key))
	if err != nil {
		return err
	}
	if e.Flags&keyindex.Live == 0 {
		r.answer.Stale++
		return nil
	}
	if r.action == Discard {
		r.answer.Discarded++
		return g.closeItem(key, e, nil, connectors.Order{})
	}
	if res != nil {
		res.rowKey = xxh3.HashString(it.RowKey) // a row without a key is known by where it was read
	}
	published, violations, err := g.tryAgain(j, it, res)
	if err != nil {
		return err
	}
	if violations != nil {
		r.answer.Refused++
		return g.refuseAgain(it, e, res, violations)
	}
	r.answer.Published++
	if e.Flags&counted != 0 {
		g.counts.Quarantined--
		if published {
			g.counts.Published++
		} else {
			g.counts.Unchanged++
		}
	}
	return g.closeItem(key, e, res.feed, j.batch.Rows[res.row].Order)
}

// tryAgain publishes the row if it conforms now, and says whether there was anything to publish.
func (g *judge) tryAgain(j *job, it *quarantine.Item, res *result) (bool, []quarantine.Violation, error) {
	switch {
	case res == nil || res.kind == broken || res.kind == unmapped:
		return false, it.Violations, nil
	case res.kind == refused:
		return false, res.violations, nil
	case res.kind == filtered:
		return false, nil, nil
	}
	if res.kind == put {
		end, conflict, err := g.weigh(&j.batch.Rows[res.row], res)
		if err != nil || conflict != nil {
			return false, conflict, err
		}
		if end == asBefore {
			return false, nil, nil
		}
	}
	return true, nil, g.publishResult(j, res)
}

// refuseAgain keeps an item that still does not conform, with the reasons of today's mapping.
func (g *judge) refuseAgain(it *quarantine.Item, e keyindex.Entry, res *result, violations []quarantine.Violation) error {
	if slices.Equal(it.Violations, violations) {
		return nil
	}
	it.Violations, it.Counted = violations, e.Flags&counted != 0
	if res != nil && res.feed != nil {
		it.Mapping = formatHash(res.feed.plan.Digest())
	}
	parts, err := g.putItem(it)
	if err != nil {
		return err
	}
	g.closeParts(it.Key(), parts, int(e.Row))
	return g.bad.index.Set(xxh3.Hash(it.Key()), e.Digest, uint64(parts), e.Flags)
}

// finish answers the request when everything it caused is durable.
func (g *judge) finish(work context.Context, r *request) error {
	g.now.answers = append(g.now.answers, func() { r.end(nil) })
	g.touch() // even when nothing changed: the answer rides on the next commit
	if !g.committable() {
		return nil
	}
	return g.commit(work)
}
