package exchange

import (
	"context"
	"fmt"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/pipeline"
	"github.com/datong-dx/datong/internal/quarantine"
)

// Selection chooses among everything that waits: what pipelines refused, and what a delivery's platform refused.
type Selection struct {
	quarantine.Filter

	Delivery string `json:"delivery,omitempty"` // items of this delivery only; else those of pipelines and of all deliveries
}

// Waiting is one thing that waits: a row that a pipeline refused, or a record that a platform refused.
type Waiting struct {
	Row    *quarantine.Item `json:"row,omitempty"`
	Record *delivery.Item   `json:"record,omitempty"`
}

// Answer tells what became of what was chosen, at one pipeline or delivery.
type Answer struct {
	pipeline.Answer

	Pipeline string `json:"pipeline,omitempty"` // department/name
	Delivery string `json:"delivery,omitempty"`
	Error    string `json:"error,omitempty"`
	ErrorZh  string `json:"error_zh,omitempty"`
}

// pipelines returns the pipelines that a selection can concern.
func (s *Selection) pipelines(cfg *config.Exchange) []*config.Pipeline {
	var list []*config.Pipeline
	for _, p := range cfg.Pipelines {
		if s.Delivery == "" && (s.Department == "" || s.Department == p.Department) && (s.Pipeline == "" || s.Pipeline == p.Name) {
			list = append(list, p)
		}
	}
	return list
}

// deliveries returns the deliveries that a selection can concern. Those of pipelines have what no record has.
func (s *Selection) deliveries(cfg *config.Exchange) []*config.Delivery {
	var list []*config.Delivery
	for _, d := range cfg.Deliveries {
		if s.Delivery == d.Name || s.Delivery == "" && s.Pipeline == "" && s.Set == "" && s.Element == "" && s.Rule == "" && s.Shape == "" {
			list = append(list, d)
		}
	}
	return list
}

// check refuses names that there are not.
func (s *Selection) check(cfg *config.Exchange) error {
	if len(s.pipelines(cfg)) > 0 || len(s.deliveries(cfg)) > 0 {
		return nil
	}
	return &connectors.Problem{
		Err:  connectors.ErrStop,
		What: connectors.Text{Zh: "没有这样的部门、流水线或投递", En: "there is no such department, pipeline or delivery"},
		Try:  connectors.Text{Zh: "datong status 列出全部", En: "datong status lists them all"},
	}
}

// Each calls fn for everything that waits and that the selection chooses, pipelines first, in order of refusal.
func (x *Exchange) Each(ctx context.Context, sel Selection, fn func(Waiting) error) error {
	if err := sel.check(x.cfg); err != nil {
		return err
	}
	topics, err := x.client.Topics(ctx)
	if err != nil {
		return fmt.Errorf("look for quarantine topics: %w", err)
	}
	done := map[string]bool{}
	for _, p := range sel.pipelines(x.cfg) {
		topic := quarantine.Topic(x.cfg.Prefix, p.Department)
		if _, there := topics[topic]; !there || done[topic] {
			continue
		}
		done[topic] = true
		err := quarantine.Scan(ctx, x.client, topic, nil, func(it *quarantine.Item) error {
			if !sel.Match(it) {
				return nil
			}
			return fn(Waiting{Row: it})
		})
		if err != nil {
			return fmt.Errorf("read the quarantine of %s: %w", p.Department, err)
		}
	}
	return x.eachRecord(ctx, sel, topics, fn)
}

func (x *Exchange) eachRecord(ctx context.Context, sel Selection, topics map[string]int, fn func(Waiting) error) error {
	chosen := map[string]bool{}
	for _, d := range sel.deliveries(x.cfg) {
		chosen[d.Name] = true
	}
	if _, there := topics[delivery.QuarantineTopic(x.cfg.Prefix, x.cfg.Site)]; !there || len(chosen) == 0 {
		return nil
	}
	err := delivery.Scan(ctx, x.client, x.cfg.Prefix, x.cfg.Site, func(it *delivery.Item) error {
		if !chosen[it.Delivery] || !it.Discarded.IsZero() || !it.Match(&sel.Filter) {
			return nil
		}
		return fn(Waiting{Record: it})
	})
	if err != nil {
		return fmt.Errorf("read the quarantine of deliveries: %w", err)
	}
	return nil
}

// Groups counts what waits by its cause, the most frequent first.
func (x *Exchange) Groups(ctx context.Context, sel Selection) ([]Group, error) {
	c := newCauses()
	err := x.Each(ctx, sel, func(w Waiting) error {
		if w.Row != nil {
			c.add(w.Row)
			return nil
		}
		r := w.Record
		c.count(Group{
			Cause:    quarantine.Cause{Department: r.Department, Entity: r.Entity, Rule: "platform"},
			Delivery: r.Delivery, First: r.Time, Last: r.Time, Zh: r.Reason, En: r.Reason,
			Example: fmt.Sprintf("%s[%d]@%d", r.Topic, r.Partition, r.Offset),
		})
		return nil
	})
	return c.groups(), err
}

// Act retries or discards what the selection chooses. Every pipeline and delivery answers for its own; the error of one
// stands in its answer and keeps the others from nothing.
func (x *Exchange) Act(ctx context.Context, action quarantine.Action, sel Selection) ([]Answer, error) {
	if err := sel.check(x.cfg); err != nil {
		return nil, err
	}
	if x.idle {
		if err := x.absent(ctx); err != nil {
			return nil, err
		}
	}
	var answers []Answer
	for _, p := range sel.pipelines(x.cfg) {
		a, err := x.actOnPipeline(ctx, p, action, sel.Filter)
		answers = appendAnswer(answers, Answer{Answer: a, Pipeline: p.ID()}, err)
	}
	for _, d := range sel.deliveries(x.cfg) {
		a, err := x.actOnDelivery(ctx, d, action, sel.Filter)
		answers = appendAnswer(answers, Answer{Answer: a, Delivery: d.Name}, err)
	}
	return answers, nil
}

// appendAnswer leaves out who had nothing to say.
func appendAnswer(list []Answer, a Answer, err error) []Answer {
	if err != nil {
		a.Error, a.ErrorZh = bothLanguages(err)
	} else if a.Chosen == 0 {
		return list
	}
	return append(list, a)
}
