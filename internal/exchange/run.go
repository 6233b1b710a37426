package exchange

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/pipeline"
)

const (
	// topicPatience is how long deliveries wait for the pipelines' topics to be there, so that they find them at once.
	topicPatience = 10 * time.Second
	// idlePatience is how long a run until idle waits for a delivery that gets nowhere.
	idlePatience = 30 * time.Second
	// brokerPatience is how long a run until idle waits for a broker to answer at all.
	brokerPatience = 15 * time.Second
)

// Run works until ctx is done, or, with UntilIdle, until every source has caught up and everything that was published is
// on the platform. Its error joins the [TaskError] of each task that did not end well; one task's trouble never ends
// another.
func (x *Exchange) Run(ctx context.Context) error {
	x.setRunning(true)
	defer x.setRunning(false)
	if x.client != nil && x.opt.UntilIdle {
		if err := x.answer(ctx); err != nil {
			return err
		}
	}
	// Deliveries outlive the pipelines: what was published last is to arrive too.
	outlets, stop := context.WithCancel(ctx)
	defer stop()
	var deliveries errgroup.Group
	x.prepare(ctx)
	if x.client != nil {
		deliveries.Go(func() error { x.present(outlets); return nil })
	}
	for _, o := range x.outlets {
		deliveries.Go(func() error { return o.run.Run(outlets) })
	}
	err := x.runTasks(ctx)
	if x.opt.UntilIdle && ctx.Err() == nil {
		err = errors.Join(err, x.settle(ctx))
	} else if !x.opt.Dry {
		<-ctx.Done()
	}
	stop()
	return errors.Join(err, deliveries.Wait())
}

// answer waits until the broker answers.
func (x *Exchange) answer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, brokerPatience)
	defer cancel()
	if _, err := x.client.ClusterID(ctx); err != nil {
		return fmt.Errorf("reach the brokers: %w", err)
	}
	return nil
}

// prepare creates the topics before anybody looks for them. A pipeline that cannot says so itself when it starts.
func (x *Exchange) prepare(ctx context.Context) {
	if x.client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, topicPatience)
	defer cancel()
	for _, t := range x.tasks {
		if err := t.run.EnsureTopics(ctx); err != nil {
			x.log.Debug("topics are not ready yet", "pipeline", t.cfg.ID(), "error", err)
		}
	}
}

// TaskError is why a pipeline or a delivery did not end well.
type TaskError struct {
	Task string // department/pipeline, or the delivery's name
	Err  error
}

func (e *TaskError) Error() string { return e.Task + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *TaskError) Unwrap() error { return e.Err }

// taskError names the task, which its own error does not.
func taskError(task string, err error) error {
	if err == nil {
		return nil
	}
	return &TaskError{task, err}
}

// runTasks runs the pipelines side by side, each on its own.
func (x *Exchange) runTasks(ctx context.Context) error {
	errs := make([]error, len(x.tasks))
	var tasks errgroup.Group
	for i, t := range x.tasks {
		tasks.Go(func() error {
			errs[i] = taskError(t.cfg.ID(), t.run.Run(ctx))
			return nil
		})
	}
	_ = tasks.Wait() // the errors are in errs, all of them
	return errors.Join(errs...)
}

// settle waits until every delivery has what the topics hold.
func (x *Exchange) settle(ctx context.Context) error {
	errs := make([]error, len(x.outlets))
	var waits errgroup.Group
	for i, o := range x.outlets {
		waits.Go(func() error {
			errs[i] = taskError(o.cfg.Name, settleOne(ctx, o))
			return nil
		})
	}
	_ = waits.Wait() // the errors are in errs, all of them
	return errors.Join(errs...)
}

// settleOne gives a delivery up that has had the same trouble for too long: nobody looks on who would cure it.
func settleOne(ctx context.Context, o *outlet) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan error, 1)
	go func() { ended <- o.run.WaitIdle(ctx) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last, since := int64(-1), time.Now()
	for {
		select {
		case err := <-ended:
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return err
		case <-tick.C:
			s := o.run.Status()
			troubled := s.State == delivery.Retrying || s.State == delivery.Waiting
			if !troubled || s.Delivered != last {
				last, since = s.Delivered, time.Now()
			}
			if time.Since(since) > idlePatience {
				cancel(&connectors.Problem{Err: pipeline.ErrGaveUp, What: connectors.Text{Zh: s.ErrorZh, En: s.Error}})
			}
		}
	}
}

func (x *Exchange) setRunning(yes bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.running = yes
}

func (x *Exchange) isRunning() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.running
}
