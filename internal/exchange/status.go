package exchange

import (
	"context"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/pipeline"
)

// Status is what an operator sees of an exchange: did everything arrive?
type Status struct {
	Dir        string            `json:"dir"`
	Site       string            `json:"site"`
	Running    bool              `json:"running"`       // a process runs it; else the topics and the platform were asked
	Dry        bool              `json:"dry,omitempty"` // of a dry run: nothing was published, the counts say what would have been
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

// Total is the sum over the pipelines, and what all deliveries have delivered.
type Total struct {
	pipeline.Counts

	Delivered   int64 `json:"delivered"`
	Unaccounted int64 `json:"unaccounted"`
}

// Status tells what every task is doing, or, when no process runs them, what they had done last.
func (x *Exchange) Status(ctx context.Context) (Status, error) {
	s := Status{Dir: x.cfg.Dir, Site: x.cfg.Site, Dry: x.opt.Dry, Pipelines: []PipelineStatus{}, Deliveries: []delivery.Status{}}
	if x.idle {
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

// readStatus asks the topics and the platform. What one pipeline's topics or one platform do not tell is that one's
// error; without the brokers nothing can be told.
func (x *Exchange) readStatus(ctx context.Context, s *Status) error {
	topics, err := x.client.Topics(ctx)
	if err != nil {
		return err
	}
	s.Pipelines = make([]PipelineStatus, len(x.cfg.Pipelines))
	s.Deliveries = make([]delivery.Status, len(x.cfg.Deliveries))
	var g errgroup.Group
	g.SetLimit(readAtOnce)
	for i, p := range x.cfg.Pipelines {
		g.Go(func() error {
			s.Pipelines[i].Status = x.readPipeline(ctx, p, topics)
			return nil
		})
	}
	for i, d := range x.cfg.Deliveries {
		g.Go(func() error {
			s.Deliveries[i] = x.readDelivery(ctx, d)
			return nil
		})
	}
	_ = g.Wait() // what one does not tell is in its status
	return ctx.Err()
}

// readAtOnce is how many topics and platforms are asked at the same time.
const readAtOnce = 8

// readPipeline reads what a pipeline committed last: nothing yet, where its topic is not there.
func (x *Exchange) readPipeline(ctx context.Context, p *config.Pipeline, topics map[string]int) pipeline.Status {
	never := pipeline.Status{Department: p.Department, Name: p.Name, State: pipeline.Stopped}
	if _, there := topics[pipeline.PositionsTopic(x.cfg.Prefix, p.Department)]; !there {
		return never
	}
	s, err := pipeline.ReadStatus(ctx, x.pipelineOptions(p))
	if err != nil {
		never.Error, never.ErrorZh = bothLanguages(err)
		return never
	}
	return s
}

func (x *Exchange) readDelivery(ctx context.Context, d *config.Delivery) delivery.Status {
	s, err := delivery.ReadStatus(ctx, x.deliveryOptions(d))
	s.Name = d.Name
	if err != nil {
		s.Error, s.ErrorZh = bothLanguages(err)
	}
	return s
}

// bothLanguages returns the text of an error, in Chinese as far as it has problems for a person.
func bothLanguages(err error) (en, zh string) { return err.Error(), connectors.Message(err, "zh") }

// sum adds what deliveries tell of pipelines, and the totals.
func (s *Status) sum() {
	for i := range s.Pipelines {
		p := &s.Pipelines[i]
		for _, d := range s.Deliveries {
			p.Delivered += d.Pipelines[p.Department+"/"+p.Name].Delivered
		}
		s.Total.Counts.Add(p.Counts)
	}
	for _, d := range s.Deliveries {
		s.Total.Delivered += d.Delivered // records of other sites' departments too
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
