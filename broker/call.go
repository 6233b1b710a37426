package broker

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// call runs f, whose errors are classified, until it succeeds, fails for good, or ctx is done: then the error is
// [ErrUnreachable] with the last cause.
func (c *Client) call(ctx context.Context, what string, f func(ctx context.Context) error) error {
	var wait backoff
	for {
		err := f(ctx)
		if err == nil {
			return nil
		}
		if !retriable(err) {
			return fmt.Errorf("%s: %w", what, c.advise(err))
		}
		if !wait.sleep(ctx) {
			return c.gaveUp(what, err, ctx.Err())
		}
	}
}

// gaveUp is the error of a call that ran out of time; its last cause decides what it means.
func (c *Client) gaveUp(what string, last, end error) error {
	switch {
	case errors.Is(end, context.Canceled):
		return fmt.Errorf("%s: %w (last: %w)", what, end, last)
	case unrouted(last):
		return fmt.Errorf("%s: %w: %w", what, ErrNoTopic, last)
	}
	return fmt.Errorf("%s: %w", what, c.advise(fmt.Errorf("%w: %w", ErrUnreachable, last)))
}

// limit bounds a call that its caller gave no deadline.
func (c *Client) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.cfg.Timeout)
}

// backoff grows from the few milliseconds that a coordinator needs after a commit to what a restarting broker needs.
type backoff struct{ next time.Duration }

const (
	firstBackoff = 2 * time.Millisecond
	maxBackoff   = 250 * time.Millisecond
)

// sleep waits a little longer each time. It returns false when ctx is done first.
func (b *backoff) sleep(ctx context.Context) bool {
	b.next = min(max(b.next*3/2, firstBackoff), maxBackoff)
	timer := time.NewTimer(b.next)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
