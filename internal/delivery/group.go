package delivery

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
)

// member joins the group for the topics that there are, and serves each generation, until the topics change.
func (d *Delivery) member(ctx context.Context) error {
	topics, err := d.topics(ctx)
	if err != nil {
		return err
	}
	if len(topics) == 0 {
		d.join(topics)
		d.setState(Idle, nil)
		d.awaitTopics(ctx, topics)
		return nil
	}
	group, err := d.joinGroup(topics)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		if d.awaitTopics(ctx, topics) {
			cancel(errTopics)
		}
	})
	err = d.generations(ctx, group, topics)
	if cause := context.Cause(ctx); errors.Is(cause, errTopics) {
		err = cause
	}
	cancel(nil)
	watching.Wait()
	return errors.Join(err, group.Close())
}

func (d *Delivery) joinGroup(topics []string) (*broker.Group, error) {
	return d.opt.Client.JoinGroup(broker.GroupConfig{
		ID: d.groupID(), Topics: topics, Heartbeat: d.opt.Heartbeat, SessionTimeout: d.opt.SessionTimeout,
	})
}

// groupID names the site too: two sites may call their deliveries alike.
func (d *Delivery) groupID() string { return d.opt.Prefix + "._" + d.opt.Site + "." + d.opt.Name }

// generations serves one generation of the group after the other.
func (d *Delivery) generations(ctx context.Context, group *broker.Group, topics []string) error {
	for ctx.Err() == nil {
		gen, err := group.Next(ctx)
		if err != nil {
			if ctx.Err() != nil || halts(err) || errors.Is(err, broker.ErrClosed) || errors.Is(err, broker.ErrAuthentication) {
				return err
			}
			d.setState(Retrying, err)
			sleep(ctx, firstBackoff)
			continue
		}
		d.join(topics)
		done := make(chan error, 1)
		gen.Run(func(ended context.Context) {
			held, cancel := context.WithCancel(ended)
			defer cancel()
			defer context.AfterFunc(ctx, cancel)()
			done <- d.hold(held, gen)
		})
		err = <-done
		d.forget()
		if errors.Is(err, connectors.ErrFenced) {
			// Another delivery has written our partitions, so they are no longer ours: join anew and see whose they are.
			d.log.Warn("fenced, giving the partitions up", "error", err)
			sleep(ctx, firstBackoff)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hold delivers the partitions of one generation, attempt after attempt, until it ends.
func (d *Delivery) hold(ctx context.Context, gen *broker.Generation) error {
	backoff := firstBackoff
	for {
		wrote, err := d.guarded(ctx, gen)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the generation has ended, and the attempt with it
		}
		if err == nil || halts(err) || errors.Is(err, connectors.ErrFenced) {
			return err
		}
		if wrote {
			backoff = firstBackoff
		}
		if errors.Is(err, errAgain) {
			continue
		}
		d.setState(Retrying, err)
		d.log.Warn("attempt ended, trying again", "error", err, "in", backoff.String())
		if !sleep(ctx, backoff/2+rand.N(backoff/2)) {
			return nil
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

// guarded makes one attempt when the sink's breaker lets it, and tells the breaker how the sink fared. Trouble of the
// brokers is not the sink's fault.
func (d *Delivery) guarded(ctx context.Context, gen *broker.Generation) (wrote bool, err error) {
	done, err := d.breaker.Allow()
	for err != nil {
		d.setState(Waiting, d.lastError())
		if !sleep(ctx, time.Second) {
			return false, nil
		}
		done, err = d.breaker.Allow()
	}
	wrote, err = d.interruptible(ctx, gen)
	var fromSink *sinkError
	if errors.As(err, &fromSink) && !wrote && ctx.Err() == nil && !errors.Is(err, connectors.ErrFenced) {
		done(err)
	} else {
		done(nil)
	}
	return wrote, err
}

// interruptible is an attempt that [Delivery.Rebuild] can end.
func (d *Delivery) interruptible(ctx context.Context, gen *broker.Generation) (wrote bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d.mu.Lock()
	d.again = cancel
	d.mu.Unlock()
	wrote, err = d.attempt(ctx, gen, (*attempt).deliver)
	if cause := context.Cause(ctx); errors.Is(cause, errAgain) {
		return true, cause
	}
	return wrote, err
}
