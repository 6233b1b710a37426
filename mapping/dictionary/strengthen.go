package dictionary

import (
	"reflect"
	"slices"

	"github.com/datong-dx/datong/connectors"
)

// strengthenRule says when an extension's value for a key is at least as strong as the built-in one.
type strengthenRule struct {
	key   string
	verb  connectors.Text // what the extension must not do
	try   connectors.Text
	keeps func(before, after *Element) bool
}

var (
	weaken = connectors.Text{Zh: "放宽", En: "weaken"}
	change = connectors.Text{Zh: "改变", En: "change"}
)

var (
	obligations   = []Obligation{Optional, Conditional, Mandatory}
	sensitivities = []Sensitivity{Public, Internal, Personal, Sensitive}
)

// strengthenRules hold for every key of an element but synonyms, which only ever grow.
var strengthenRules = []strengthenRule{
	{key: "title", verb: change, try: connectors.Text{Zh: "本地叫法写入 synonyms", En: "put the local name among the synonyms"}, keeps: func(b, a *Element) bool { return a.Title == b.Title }},
	{key: "definition", verb: change, keeps: func(b, a *Element) bool { return a.Definition == b.Definition }},
	{key: "type", verb: change, keeps: func(b, a *Element) bool { return a.Type == b.Type }},
	{key: "list", verb: change, keeps: func(b, a *Element) bool { return a.List == b.List }},
	{key: "unit", verb: change, keeps: func(b, a *Element) bool { return a.Unit == b.Unit }},
	{key: "standard", verb: change, keeps: func(b, a *Element) bool { return a.Standard == b.Standard }},
	{key: "clause", verb: change, keeps: func(b, a *Element) bool { return a.Clause == b.Clause }},
	{key: "min_length", verb: weaken, keeps: func(b, a *Element) bool { return a.MinLength >= b.MinLength }},
	{key: "length", verb: weaken, keeps: func(b, a *Element) bool { return narrower(b.Length, a.Length) }},
	{key: "precision", verb: weaken, keeps: func(b, a *Element) bool { return narrower(b.Precision, a.Precision) }},
	{key: "scale", verb: weaken, keeps: func(b, a *Element) bool { return a.Scale <= b.Scale }},
	{key: "min", verb: weaken, keeps: func(b, a *Element) bool { return bounded(a.Type, b.Min, a.Min, 1) }},
	{key: "max", verb: weaken, keeps: func(b, a *Element) bool { return bounded(a.Type, b.Max, a.Max, -1) }},
	{key: "format", verb: change, keeps: func(b, a *Element) bool { return b.Format == "" || a.Format == b.Format }},
	{key: "code_set", verb: change, keeps: func(b, a *Element) bool { return b.CodeSet == "" || a.CodeSet == b.CodeSet }},
	{key: "not_before", verb: change, keeps: func(b, a *Element) bool { return b.NotBefore == "" || a.NotBefore == b.NotBefore }},
	{key: "required_when", verb: change, keeps: func(b, a *Element) bool {
		return b.RequiredWhen == nil || reflect.DeepEqual(a.RequiredWhen, b.RequiredWhen)
	}},
	{key: "obligation", verb: weaken, keeps: func(b, a *Element) bool {
		return slices.Index(obligations, a.Obligation) >= slices.Index(obligations, b.Obligation)
	}},
	{key: "sensitivity", verb: weaken, keeps: func(b, a *Element) bool {
		return slices.Index(sensitivities, a.Sensitivity) >= slices.Index(sensitivities, b.Sensitivity)
	}},
}

// narrower reports whether the upper bound after is as strong as before, where 0 is no bound.
func narrower(before, after int) bool {
	return before == 0 || after > 0 && after <= before
}

// bounded reports whether the bound after lies at or beyond before in the given direction. A bound that is no value of
// the type is reported by validation.
func bounded(t Type, before, after string, direction int) bool {
	if before == "" || before == after {
		return true
	}
	order, err := compareValues(t, after, before)
	return err != nil || order*direction >= 0
}
