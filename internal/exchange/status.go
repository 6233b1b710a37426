package exchange

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/pipeline"
)

// Status is what an operator sees of an exchange: did everything arrive?
type Status struct {
	Dir        string            `json:"dir"`
	Site       string            `json:"site"`
	Running    bool              `json:"running"` // a process runs it; else the topics and the platform were asked
	PID        int               `json:"pid,omitempty"`
	Since      time.Time         `json:"since,omitzero"`
	Pipelines  []PipelineStatus  `json:"pipelines"`
	Deliveries []delivery.Status `json:"deliveries"`
	Total      Total             `json:"total"`
	Causes     []Group           `json:"causes,omitempty"` // of a dry run: why rows were refused
}

// PipelineStatus adds what has become of a pipeline's records on the platform.
type PipelineStatus struct {
	pipeline.Status

	Delivered int64 `json:"delivered"` // over all deliveries
}

// Total is the sum over the pipelines.
type Total struct {
	pipeline.Counts

	Delivered   int64 `json:"delivered"`
	Unaccounted int64 `json:"unaccounted"`
}

// Status tells what every task is doing, or, when no process runs them, what they had done last.
func (x *Exchange) Status(ctx context.Context) (Status, error) {
	s := Status{Dir: x.cfg.Dir, Site: x.cfg.Site}
	if x.tasks == nil && !x.isRunning() {
		if err := x.readStatus(ctx, &s); err != nil {
			return s, err
		}
	} else {
		s.Running, s.PID, s.Since = x.isRunning(), os.Getpid(), x.started
		x.liveStatus(&s)
	}
	s.sum()
	return s, nil
}

func (x *Exchange) liveStatus(s *Status) {
	for _, t := range x.tasks {
		s.Pipelines = append(s.Pipelines, PipelineStatus{Status: t.run.Status()})
		if t.causes != nil {
			s.Causes = append(s.Causes, t.causes.groups()...)
		}
	}
	for _, o := range x.outlets {
		s.Deliveries = append(s.Deliveries, o.run.Status())
	}
}

// readStatus asks the topics and the platform. What one task's topics or one platform do not tell is that one's error.
func (x *Exchange) readStatus(ctx context.Context, s *Status) error {
	s.Pipelines = make([]PipelineStatus, len(x.cfg.Pipelines))
	s.Deliveries = make([]delivery.Status, len(x.cfg.Deliveries))
	errs := make([]error, len(s.Deliveries))
	var g errgroup.Group
	g.SetLimit(8)
	for i, p := range x.cfg.Pipelines {
		g.Go(func() error {
			var err error
			s.Pipelines[i].Status, err = pipeline.ReadStatus(ctx, x.pipelineOptions(p))
			return err
		})
	}
	for i, d := range x.cfg.Deliveries {
		g.Go(func() error {
			s.Deliveries[i], errs[i] = x.readDelivery(ctx, d)
			return nil
		})
	}
	return errors.Join(append(errs, g.Wait())...)
}

func (x *Exchange) readDelivery(ctx context.Context, d *config.Delivery) (delivery.Status, error) {
	return delivery.ReadStatus(ctx, x.deliveryOptions(d))
}

// sum adds what deliveries tell of pipelines, and the totals.
func (s *Status) sum() {
	for i := range s.Pipelines {
		p := &s.Pipelines[i]
		for _, d := range s.Deliveries {
			p.Delivered += d.Pipelines[p.Department+"/"+p.Name].Delivered
		}
		s.Total.Counts.Add(p.Counts)
		s.Total.Delivered += p.Delivered
	}
	s.Total.Unaccounted = s.Total.Counts.Unaccounted()
}

// Ready says whether every task does its work: nothing has halted, been fenced, or fails again and again.
func (s *Status) Ready() bool {
	for _, p := range s.Pipelines {
		switch p.State {
		case pipeline.Halted, pipeline.Fenced, pipeline.Retrying, pipeline.Waiting, pipeline.Starting:
			return false
		}
	}
	for _, d := range s.Deliveries {
		switch d.State {
		case delivery.Halted, delivery.Retrying, delivery.Waiting, delivery.Starting:
			return false
		}
	}
	return true
}
