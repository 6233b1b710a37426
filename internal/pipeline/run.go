package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
)

// Run does the pipeline's work until ctx is done, then drains what is in flight and returns nil. With UntilIdle it
// returns nil when the source has caught up and everything is committed. A pipeline that must stop (fenced, a limit
// exceeded, a cure needed) says so in its status and waits for [Pipeline.Approve], [Pipeline.Resume] or ctx; trouble that
// may pass is retried for ever. With UntilIdle nobody looks on: the one is returned as an error at once, the other when
// it has not passed for half a minute.
func (p *Pipeline) Run(ctx context.Context) error {
	backoff, since := firstBackoff, time.Now()
	if err := p.blocked; err != nil {
		p.setState(Halted, err)
		p.recall(ctx)
		if !p.opt.UntilIdle {
			p.waitForCure(ctx, Halted, false) // only a new start loads the cure
			return nil
		}
		return err
	}
	for {
		progressed, err := p.guarded(ctx)
		if err != nil {
			p.uncountRead()
		}
		if ctx.Err() != nil || err == nil {
			p.setState(map[bool]State{true: Done, false: Stopped}[err == nil && ctx.Err() == nil], err)
			return nil
		}
		state := classify(err)
		p.setState(state, err)
		if state != Retrying {
			p.log.Error("pipeline stopped", "state", string(state), "error", err)
			if p.opt.UntilIdle {
				return err
			}
			if !p.waitForCure(ctx, state, state != Fenced) {
				return nil
			}
			continue
		}
		if progressed {
			backoff, since = firstBackoff, time.Now()
		}
		if p.opt.UntilIdle && time.Since(since) > patience {
			return fmt.Errorf("%w: %w", ErrGaveUp, err)
		}
		p.log.Warn("attempt ended, trying again", "error", err, "in", backoff.String())
		sleep(ctx, backoff/2+rand.N(backoff/2))
		backoff = min(backoff*2, lastBackoff)
	}
}

// ErrLimit says that a limit stopped the pipeline, max_refused or max_deletes, for a person to look.
var ErrLimit error = connectors.Mark("stopped by a limit")

// ErrGaveUp says that trouble which may pass did not pass in time, and nobody looks on who would wait longer.
var ErrGaveUp error = connectors.Mark(fmt.Sprintf("nothing got on for %v", patience))

// Block keeps the pipeline from starting: Run says why, until the process is started anew.
func (p *Pipeline) Block(why error) { p.blocked = why }

// recall shows what a pipeline that must not begin had committed last; nothing where its topics do not tell.
func (p *Pipeline) recall(ctx context.Context) {
	if p.opt.Client == nil {
		return
	}
	if base, err := p.readRecord(ctx); err == nil {
		p.resumeAt(base)
	}
}

// guarded runs one attempt if the source's breaker lets it, and tells the breaker how the source fared. Trouble of the
// brokers is not the source's fault and leaves the breaker as it is.
func (p *Pipeline) guarded(ctx context.Context) (progressed bool, err error) {
	done, err := p.breaker.Allow()
	for err != nil {
		p.setState(Waiting, p.lastError())
		if p.opt.UntilIdle {
			// Nobody looks on who would have the source mended: Run gives up when its patience ends.
			sleep(ctx, lastBackoff/10)
			return false, p.lastError()
		}
		if !sleep(ctx, time.Second) {
			return false, ctx.Err()
		}
		done, err = p.breaker.Allow()
	}
	progressed, err = p.attempt(ctx)
	var fromSource *sourceError
	if errors.As(err, &fromSource) && !progressed && ctx.Err() == nil {
		done(err)
	} else {
		done(nil)
	}
	return progressed, err
}

// sourceError marks an error that the source returned.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// classify tells what an attempt's error means for the pipeline.
func classify(err error) State {
	switch {
	case errors.Is(err, broker.ErrFenced):
		return Fenced
	case errors.Is(err, connectors.ErrPosition), errors.Is(err, connectors.ErrStop), errors.Is(err, ErrLimit),
		errors.Is(err, broker.ErrAuthorization), errors.Is(err, broker.ErrTopicDiffers):
		return Halted
	}
	return Retrying
}

// waitForCure blocks until someone says that a halted pipeline may go on; false when ctx is done. A fenced task is not
// curable, it never takes itself back: its twin is the rightful one.
func (p *Pipeline) waitForCure(ctx context.Context, state State, curable bool) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case r := <-p.requests:
			r.fail(fmt.Errorf("pipeline %s is %s", p.ID(), state))
		case <-p.wake:
			if curable {
				return true
			}
		}
	}
}

// Resume lets a halted pipeline try again, after its cause was cured.
func (p *Pipeline) Resume() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Approve allows the deletes that the last comparison held back, once, and lets the pipeline go on. It reports false
// when none are held.
func (p *Pipeline) Approve() bool {
	p.mu.Lock()
	held := p.status.HeldDeletes
	if held != nil { // what is approved is not held any more
		p.status.HeldDeletes, p.status.err, p.status.Error, p.status.ErrorZh = nil, nil, "", ""
	}
	p.mu.Unlock()
	if held == nil {
		return false
	}
	p.approved.Store(held.Scan + 1)
	p.Resume()
	return true
}

// sleep waits for d, or reports false when ctx is done first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
