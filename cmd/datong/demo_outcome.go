package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/demo"
	"github.com/datong-dx/datong/internal/exchange"
)

// outcome is what became of everything. It is what --json prints.
type outcome struct {
	exchange.Status

	Seed     uint64       `json:"seed"`
	First    float64      `json:"first_delivered_seconds"`
	Initial  float64      `json:"initial_load_seconds"`
	Changes  demo.Changes `json:"changes"`  // that the departments made while the exchange ran
	Repaired int          `json:"repaired"` // rows that came oddly written and were put right
	Platform []holding    `json:"platform"`
	Refused  []refusal    `json:"refused"`
}

// holding compares what the platform has of a department with what the department's systems hold.
type holding struct {
	Department string `json:"department"`
	Entity     string `json:"entity"`
	Expected   int    `json:"expected"`
	Rows       int    `json:"rows"`
}

// refusal is why some of a department's rows wait in quarantine. Expected is how many of its rows the city knows to be
// wrong in this way.
type refusal struct {
	Department string `json:"department"`
	Pipeline   string `json:"pipeline"`
	Entity     string `json:"entity"`
	Element    string `json:"element"`
	Rule       string `json:"rule"`
	Rows       int64  `json:"rows"`
	Expected   int    `json:"expected"`
	Zh         string `json:"zh"`
	En         string `json:"en"`

	shape, example string
	mistake        connectors.Text // that was made in the department
}

// outcome gathers what the exchange, the platform and the city each know.
func (d *demonstration) outcome(ctx context.Context, x *exchange.Exchange) (*outcome, error) {
	status, err := x.Status(ctx)
	if err != nil {
		return nil, err
	}
	groups, err := x.Groups(ctx, exchange.Selection{})
	if err != nil {
		return nil, err
	}
	out := &outcome{
		Status: status, Seed: d.seed, First: d.first.Seconds(), Initial: d.initial.Seconds(),
		Changes: d.town.Changes(), Repaired: d.town.Repaired(), Refused: d.refusals(groups),
	}
	if !d.kept {
		out.Dir = "" // it is about to be removed
	}
	platform, err := demo.OpenPlatform(d.dir)
	if err != nil {
		return nil, err
	}
	defer platform.Close() // it was only read
	for _, s := range d.town.Standing() {
		rows, err := platform.Rows(ctx, s.Department, s.Entity)
		if err != nil {
			return nil, err
		}
		out.Platform = append(out.Platform, holding{s.Department, s.Entity, s.Rows, rows})
	}
	return out, nil
}

// refusals puts the causes in quarantine together by rule, whatever the values look like, beside what is known to be wrong.
func (d *demonstration) refusals(groups []exchange.Group) []refusal {
	type key struct{ department, pipeline, entity, element, rule string }
	at := map[key]*refusal{}
	var list []*refusal
	entry := func(k key) *refusal {
		if at[k] == nil {
			at[k] = &refusal{Department: k.department, Pipeline: k.pipeline, Entity: k.entity, Element: k.element, Rule: k.rule}
			list = append(list, at[k])
		}
		return at[k]
	}
	for i := range groups {
		g := &groups[i]
		r := entry(key{g.Department, g.Pipeline, g.Entity, g.Element, g.Rule})
		r.Rows += g.Count
		if r.Zh == "" { // the first is the most frequent
			r.Zh, r.En, r.shape, r.example = g.Zh, g.En, g.Shape, g.Example
		}
	}
	for f, n := range d.town.Wrong() {
		r := entry(key{f.Department, f.Pipeline, f.Entity, f.Element, f.Rule})
		r.Expected += n
		r.mistake = f.Title
	}
	slices.SortFunc(list, func(a, b *refusal) int {
		return cmp.Or(slices.Index(demo.Departments, a.Department)-slices.Index(demo.Departments, b.Department), cmp.Compare(b.Rows, a.Rows),
			cmp.Compare(a.Element, b.Element), cmp.Compare(a.Rule, b.Rule))
	})
	out := make([]refusal, len(list))
	for i, r := range list {
		out[i] = *r
	}
	return out
}

// verdict says what does not add up, nil when everything does.
func (o *outcome) verdict() error {
	var errs []error
	if t := &o.Total; t.Unaccounted != 0 || t.Delivered != t.Records {
		errs = append(errs, fmt.Errorf("%d rows are unaccounted for, and of %d records %d were delivered", t.Unaccounted, t.Records, t.Delivered))
	}
	for _, h := range o.Platform {
		if h.Rows != h.Expected {
			errs = append(errs, fmt.Errorf("the platform holds %d records of %s from %s, and should hold %d", h.Rows, h.Entity, h.Department, h.Expected))
		}
	}
	for _, r := range o.Refused {
		if r.Rows != int64(r.Expected) {
			errs = append(errs, fmt.Errorf("%d rows of %s/%s wait for %s %s, and should be %d", r.Rows, r.Department, r.Pipeline, r.Element, r.Rule, r.Expected))
		}
	}
	return errors.Join(errs...)
}
