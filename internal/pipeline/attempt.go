package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/zeebo/xxh3"
	"golang.org/x/sync/errgroup"

	"github.com/datong-dx/datong/connectors"
)

// drainTimeout bounds how long an orderly stop waits for what is in flight.
const drainTimeout = 20 * time.Second

// attempt is one life of the task: from fencing and the committed position to the first trouble or the end.
type attempt struct {
	*Pipeline
	source  connectors.Source
	feeds   *feeds
	base    record // as committed when the attempt began
	stop    context.Context
	batches chan *connectors.Batch // read, not yet dispatched
	jobs    chan *job              // for any mapper
	order   chan *job              // the same jobs, for the judge
	filled  chan *pending          // full transactions, for the publisher
	empty   chan *pending          // used ones, for the judge
	bad     *waiting
	sent    uint64 // jobs so far; the dispatcher's

	progressed bool  // something was committed; the publisher's
	broken     error // what the source returned, set before batches is closed
	verdict    error // why the judge stopped the pipeline, set before it closes filled
}

// attempt fences older twins, opens the source at the committed position and works until ctx is done (then it drains),
// the source ends, or something goes wrong. It reports whether anything was committed.
func (p *Pipeline) attempt(ctx context.Context) (bool, error) {
	p.setState(Starting, p.lastError())
	// What is in flight survives the request to stop, for as long as an orderly stop may take.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(drainTimeout, cancel) })()

	a, err := p.open(work, ctx)
	if err != nil {
		return false, err
	}
	defer a.close()
	g, work := errgroup.WithContext(work)
	g.Go(func() error { return a.read(work) })
	g.Go(func() error { return a.dispatch(work) })
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error { return a.mapJobs(work) })
	}
	g.Go(func() error { return newJudge(a).run(work) })
	g.Go(func() error { return a.publish(work) })
	err = g.Wait()
	return a.progressed, err
}

// open brings the task to its committed position. work outlives stop by the time of an orderly stop.
func (p *Pipeline) open(work, stop context.Context) (*attempt, error) {
	if err := p.claim(work); err != nil {
		return nil, err
	}
	a := &attempt{
		Pipeline: p,
		stop:     stop,
		batches:  make(chan *connectors.Batch, 1),
		jobs:     make(chan *job, runtime.GOMAXPROCS(0)),
		order:    make(chan *job, 2*runtime.GOMAXPROCS(0)),
		filled:   make(chan *pending),
		empty:    make(chan *pending, transactionsInFlight),
	}
	for range transactionsInFlight {
		a.empty <- a.newPending()
	}
	var err error
	if a.base, err = p.readRecord(work); err != nil {
		return nil, err
	}
	p.resumeAt(a.base)
	if p.forget.Swap(false) {
		a.base.begin()
	}
	a.feeds = newFeeds(p)
	if a.bad, err = p.readWaiting(work); err != nil {
		return nil, err
	}
	a.source, err = p.opt.Connector.OpenSource(stop, connectors.SourceRequest{
		Settings: p.opt.Settings, Position: a.base.Position, Dir: p.opt.Dir, Log: p.log,
	})
	if err != nil {
		a.bad.close()
		return nil, &sourceError{fmt.Errorf("open source: %w", err)}
	}
	p.begin()
	return a, nil
}

// claim makes this process the only one that can publish for the task. A task newly started fences an older twin; a
// running one goes on from its own epoch, so that a zombie that wakes up finds itself fenced and stays so.
func (p *Pipeline) claim(ctx context.Context) error {
	if p.opt.Client == nil {
		return nil
	}
	if !p.claimed {
		if err := p.EnsureTopics(ctx); err != nil {
			return err
		}
		if err := p.producer.Start(ctx); err != nil {
			return fmt.Errorf("fence older tasks of %s: %w", p.ID(), err)
		}
		p.claimed = true
		return nil
	}
	if err := p.producer.Recover(ctx); err != nil {
		return fmt.Errorf("recover the producer of %s: %w", p.ID(), err)
	}
	return nil
}

// reading tells apart the events of a row that is read again and again at the same place, in a scan that is begun anew or
// by a watermark of whole days: it may have changed and changed back meanwhile. It is made of what had been published when
// the attempt began and of the batch's number since, so that what is published again after an abort stays the same.
func (a *attempt) reading(batch uint64) uint64 {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(a.base.Counts.Records))
	binary.BigEndian.PutUint64(b[8:], batch)
	return xxh3.Hash(b[:])
}

func (a *attempt) close() {
	a.mu.Lock()
	for _, r := range a.asked {
		r.end(errInterrupted)
	}
	a.asked = nil
	a.mu.Unlock()
	if err := a.source.Close(); err != nil {
		a.log.Warn("close source", "error", err)
	}
	a.feeds.close()
	a.bad.close()
}

// read pulls batches from the source, inside its windows and limits, until the source ends or the task is to stop.
func (a *attempt) read(work context.Context) error {
	defer close(a.batches)
	ctx, cancel := context.WithCancel(a.stop)
	defer cancel()
	defer context.AfterFunc(work, cancel)()
	throttle := newThrottle(a.opt.RowsPerSecond, a.opt.Windows)
	for {
		if err := throttle.window(ctx, func() { a.setState(Outside, nil) }); err != nil {
			return work.Err()
		}
		b, err := a.source.Read(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return a.rest(work)
		case ctx.Err() != nil:
			return work.Err()
		case err != nil:
			// What was read before is good: it is committed before the attempt ends, so that a source that
			// breaks often still gets on.
			a.broken = &sourceError{fmt.Errorf("read source: %w", err)}
			return nil
		}
		for i := range b.Rows {
			b.Rows[i].Order.Generation += a.base.Since
		}
		rows, caughtUp := len(b.Rows), b.CaughtUp
		a.countRead(rows)
		select {
		case a.batches <- b:
		case <-work.Done():
			return work.Err()
		}
		if caughtUp && a.opt.UntilIdle {
			return nil
		}
		if err := throttle.rows(ctx, rows); err != nil {
			return work.Err()
		}
	}
}

// rest hands on the news that a finite source has ended. The task then stays, for requests about its quarantine, until
// it is to stop; with UntilIdle it ends at once.
func (a *attempt) rest(work context.Context) error {
	last := connectors.NewBatch()
	last.CaughtUp = true
	select {
	case a.batches <- last:
	case <-work.Done():
		return work.Err()
	}
	if a.opt.UntilIdle {
		return nil
	}
	select {
	case <-a.stop.Done():
		return nil
	case <-work.Done():
		return work.Err()
	}
}

// dispatch gives every batch to a mapper and, in the same order, to the judge. Requests about the quarantine come in
// between batches, so that they keep their place among newer states of the same rows.
func (a *attempt) dispatch(work context.Context) error {
	defer close(a.order)
	defer close(a.jobs)
	requests := a.requests
	for {
		var j *job
		select {
		case b, ok := <-a.batches:
			if !ok {
				return nil
			}
			j = newJob(b)
		case r := <-requests:
			if err := a.serve(work, r); err != nil {
				return err
			}
			continue
		case <-work.Done():
			return work.Err()
		}
		if err := a.send(work, j); err != nil {
			return err
		}
	}
}

// send gives a job to the judge, in order, and to any mapper.
func (a *attempt) send(work context.Context, j *job) error {
	a.sent++
	j.reading = a.reading(a.sent)
	for _, to := range []chan *job{a.order, a.jobs} {
		select {
		case to <- j:
		case <-work.Done():
			return work.Err()
		}
	}
	return nil
}
