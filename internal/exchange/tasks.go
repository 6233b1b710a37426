package exchange

import (
	"slices"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/pipeline"
	"github.com/datong-dx/datong/mapping"
)

// newTask prepares a pipeline. One whose fixtures fail is kept from starting.
func (x *Exchange) newTask(p *config.Pipeline) *task {
	t := &task{cfg: p}
	opt := x.pipelineOptions(p)
	if x.opt.Dry {
		t.causes = newCauses()
		opt.Refused = t.causes.add
	}
	t.run = pipeline.New(opt)
	results, err := p.RunCases()
	if err != nil {
		t.blocked = err
	}
	for _, r := range results {
		if !r.Passed() && t.blocked == nil {
			t.blocked = failedFixture(&r)
		}
	}
	if t.blocked != nil {
		t.run.Block(t.blocked)
	}
	return t
}

func failedFixture(r *mapping.CaseResult) error {
	return &connectors.Problem{
		Where: r.Where(), Err: connectors.ErrStop,
		What: connectors.Text{Zh: "用例“" + r.Name + "”未通过，流水线不启动", En: "the fixture " + r.Name + " fails, so the pipeline does not start"},
		Try:  connectors.Text{Zh: "`datong test` 显示差异", En: "`datong test` shows the differences"},
	}
}

func (x *Exchange) pipelineOptions(p *config.Pipeline) pipeline.Options {
	opt := pipeline.Options{
		Department: p.Department, Name: p.Name,
		Connector: p.Connector, Settings: p.Settings, Plans: p.Plans,
		Dictionary: x.cfg.Dictionary.Version,
		Dir:        x.cfg.Dir,
		Prefix:     x.cfg.Prefix,
		Client:     x.client,
		Log:        x.log,
		Topics:     x.cfg.Topics.TopicOptions,
		Producer:   x.producerOptions(),

		CommitInterval: p.CommitInterval,
		CommitRows:     p.CommitRows,
		CommitBytes:    p.CommitBytes,
		MaxRefused:     pipeline.Limit(p.MaxRefused),
		MaxDeletes:     pipeline.Limit(p.MaxDeletes),
		RowsPerSecond:  p.RowsPerSecond,
		TempDir:        x.data.path("tmp"),
		Shared:         x.sharedEntities(p),
		Masked:         masking(p),
		UntilIdle:      x.opt.UntilIdle || x.opt.Dry,
	}
	if x.data.held == nil {
		opt.TempDir = "" // another process owns the directory's
	}
	for _, w := range p.Windows {
		opt.Windows = append(opt.Windows, pipeline.Window(w))
	}
	return opt
}

func (x *Exchange) producerOptions() broker.ProducerOptions {
	return broker.ProducerOptions{
		TransactionTimeout: x.cfg.TransactionTimeout,
		Compression:        x.cfg.Topics.Compression,
		MaxMessageBytes:    x.cfg.Topics.MaxMessageBytes,
	}
}

// sharedEntities names the pipeline's entities that other pipelines of its department publish too: a record there may be
// theirs, so its absence here proves nothing.
func (x *Exchange) sharedEntities(p *config.Pipeline) []string {
	var shared []string
	for _, other := range x.cfg.Pipelines {
		if other == p || other.Department != p.Department {
			continue
		}
		for _, plan := range other.Plans {
			if name := plan.Entity().Name; !slices.Contains(shared, name) {
				shared = append(shared, name)
			}
		}
	}
	return shared
}

func (x *Exchange) newOutlet(d *config.Delivery) (*outlet, error) {
	opt := x.deliveryOptions(d)
	if x.latency != nil {
		opt.Observe = func(took time.Duration, n int) { x.latency.observe(d.Name, took, n) }
	}
	run, err := delivery.New(opt)
	return &outlet{cfg: d, run: run}, err
}

func (x *Exchange) deliveryOptions(d *config.Delivery) delivery.Options {
	return delivery.Options{
		Name: d.Name, Prefix: x.cfg.Prefix, Site: x.cfg.Site, Dir: x.cfg.Dir,
		Client: x.client, Dictionary: x.cfg.Dictionary,
		Connector: d.Connector, Settings: d.Settings,
		Entities: d.Entities, Departments: d.Departments,
		BatchRows: d.BatchRows, BatchInterval: d.BatchInterval,
		Topics: x.cfg.Topics.TopicOptions, Producer: x.producerOptions(),
		Log: x.log,
	}
}
