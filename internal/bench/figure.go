package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"text/tabwriter"
)

// figure is a measured value beside its limit.
type figure struct {
	name         string // with its unit at the end
	value, limit float64
	target       target
	note         string // what the limit is
}

// target says what the ratio of value to limit must be.
type target struct {
	ratio float64
	most  bool // at most, for costs; else at least
}

func atLeast(ratio float64) target { return target{ratio: ratio} }

// withinLimit is the target of a cost whose limit is absolute.
var withinLimit = target{ratio: 1, most: true}

// ratio is how the value stands to its limit. Where nothing is allowed it is the value itself.
func (f *figure) ratio() float64 {
	if f.limit == 0 {
		return f.value
	}
	return f.value / f.limit
}

func (f *figure) met() bool {
	switch {
	case f.limit == 0:
		return f.value == 0
	case f.target.most:
		return f.ratio() <= f.target.ratio
	}
	return f.ratio() >= f.target.ratio
}

func (f *figure) verdict() string {
	sign := "≥"
	if f.target.most {
		sign = "≤"
	}
	if f.limit == 0 {
		sign = "="
	}
	met := "met"
	if !f.met() {
		met = "MISSED"
	}
	want := f.target.ratio
	if f.limit == 0 {
		want = 0
	}
	return fmt.Sprintf("%s %g %s", sign, want, met)
}

// median returns the round whose ratio is the median, so that value, limit and ratio belong together.
func median(rounds []figure) figure {
	slices.SortFunc(rounds, func(a, b figure) int { return cmp.Compare(a.ratio(), b.ratio()) })
	return rounds[len(rounds)/2]
}

// repeat measures figures in several rounds and returns the median round of each. A value and its limit are measured in
// one round, one after the other, so that a machine whose speed drifts treats them alike.
func (s *session) repeat(measure func(round int) ([]figure, error)) ([]figure, error) {
	var byPlace [][]figure
	for round := range s.opt.rounds {
		list, err := measure(round)
		if err != nil {
			return nil, err
		}
		for i, f := range list {
			if i == len(byPlace) {
				byPlace = append(byPlace, nil)
			}
			byPlace[i] = append(byPlace[i], f)
			s.say("  round %d: %s %s, limit %s, ratio %.3f", round+1, f.name, number(f.value), number(f.limit), f.ratio())
		}
	}
	list := make([]figure, len(byPlace))
	for i := range byPlace {
		list[i] = median(byPlace[i])
	}
	return list, nil
}

// report prints the figures for people, then for programs.
func report(out io.Writer, figures []figure) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nfigure\tvalue\tlimit\tratio\ttarget\tthe limit is")
	for i := range figures {
		f := &figures[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%.3f\t%s\t%s\n", f.name, number(f.value), number(f.limit), f.ratio(), f.verdict(), f.note)
	}
	_ = w.Flush()
	fmt.Fprintln(out)
	for i := range figures {
		f := &figures[i]
		fmt.Fprintf(out, "%s\t%s\t%s\t%.3f\n", f.name, number(f.value), number(f.limit), f.ratio())
	}
}

// number prints four digits that count, and whole numbers whole.
func number(v float64) string {
	if v == math.Trunc(v) || math.Abs(v) >= 1000 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
