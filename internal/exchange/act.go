package exchange

import (
	"context"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/pipeline"
	"github.com/datong-dx/datong/internal/quarantine"
)

// actOnPipeline lets the pipeline's task act. Where no process runs it, a task is made for the moment.
func (x *Exchange) actOnPipeline(ctx context.Context, p *config.Pipeline, action quarantine.Action, filter quarantine.Filter) (pipeline.Answer, error) {
	for _, t := range x.tasks {
		if t.cfg == p {
			return t.run.Quarantine(ctx, action, filter)
		}
	}
	return pipeline.Once(ctx, x.pipelineOptions(p), action, filter)
}

func (x *Exchange) actOnDelivery(ctx context.Context, d *config.Delivery, action quarantine.Action, filter quarantine.Filter) (pipeline.Answer, error) {
	for _, o := range x.outlets {
		if o.cfg == d {
			return answerOf(o.run.Quarantine(ctx, action, filter))
		}
	}
	return answerOf(delivery.Once(ctx, x.deliveryOptions(d), action, filter))
}

// ApproveDeletes lets a pipeline delete, once, what its last comparison held back. The pipeline must be running: what
// was held is known to its task alone, and a comparison after a restart holds it back again.
func (x *Exchange) ApproveDeletes(_ context.Context, id string) (pipeline.HeldDeletes, error) {
	for _, t := range x.tasks {
		if t.cfg.ID() != id {
			continue
		}
		held := t.run.Status().HeldDeletes
		if held == nil || !t.run.Approve() {
			return pipeline.HeldDeletes{}, &connectors.Problem{Where: id, What: connectors.Text{
				Zh: "没有等待批准的删除", En: "no deletes are held back here",
			}}
		}
		return *held, nil
	}
	return pipeline.HeldDeletes{}, unknownTask(id, x.idle)
}

func unknownTask(id string, idle bool) error {
	if idle {
		return &connectors.Problem{Where: id, What: connectors.Text{
			Zh: "没有进程在运行这个交换", En: "no process runs this exchange",
		}, Try: connectors.Text{Zh: "先 `datong run`", En: "`datong run` first"}}
	}
	return &connectors.Problem{Where: id, Err: connectors.ErrStop, What: connectors.Text{
		Zh: "没有这条流水线", En: "there is no such pipeline",
	}, Try: connectors.Text{Zh: "datong status 列出全部", En: "datong status lists them all"}}
}

// ResetPipeline makes a pipeline forget how far it had read: the source is read from its start and compared with what was
// published. A pipeline that runs must have halted; one that nobody runs begins anew at the next start.
func (x *Exchange) ResetPipeline(ctx context.Context, id string) error {
	for _, t := range x.tasks {
		if t.cfg.ID() != id {
			continue
		}
		if !t.run.Reset() {
			return &connectors.Problem{
				Where: id,
				What:  connectors.Text{Zh: "流水线没有停下", En: "the pipeline has not halted"},
				Try:   connectors.Text{Zh: "先停止 `datong run`，再重置", En: "stop `datong run` first, then reset it"},
			}
		}
		return nil
	}
	for _, p := range x.cfg.Pipelines {
		if p.ID() != id || !x.idle {
			continue
		}
		if err := x.absent(ctx); err != nil {
			return err
		}
		return pipeline.ResetIdle(ctx, x.pipelineOptions(p))
	}
	return unknownTask(id, false)
}

// Rebuild empties the tables of a delivery and fills them anew from the topics. It returns when they are empty and, with
// this process running the delivery, being filled.
func (x *Exchange) Rebuild(ctx context.Context, name string) error {
	for _, o := range x.outlets {
		if o.cfg.Name == name {
			return o.run.Rebuild(ctx)
		}
	}
	for _, d := range x.cfg.Deliveries {
		if d.Name != name {
			continue
		}
		run, err := delivery.New(x.deliveryOptions(d))
		if err != nil {
			return err
		}
		return run.Rebuild(ctx)
	}
	return &connectors.Problem{Where: name, Err: connectors.ErrStop, What: connectors.Text{
		Zh: "没有这个投递", En: "there is no such delivery",
	}, Try: connectors.Text{Zh: "datong status 列出全部", En: "datong status lists them all"}}
}

// Resume lets every halted task try again, after its cause was cured outside: what stands in the directory is read at a
// start only.
func (x *Exchange) Resume(context.Context) error {
	if x.idle {
		return unknownTask(x.cfg.Dir, true)
	}
	for _, t := range x.tasks {
		t.run.Resume()
	}
	for _, o := range x.outlets {
		o.run.Resume()
	}
	return nil
}

// answerOf tells a delivery's answer in the words of a pipeline's: what was let in is on the platform.
func answerOf(d delivery.Answer, err error) (pipeline.Answer, error) {
	return pipeline.Answer{Chosen: d.Chosen, Published: d.Delivered, Discarded: d.Discarded, Refused: d.Refused, Stale: d.Stale}, err
}
