package quarantine

import (
	"strings"
	"time"
)

// Action is what is done with the items that a filter chooses.
type Action string

// Actions on what waits in a quarantine.
const (
	Retry   Action = "retry"   // try again, and let in what is now accepted
	Discard Action = "discard" // give the record up
)

// Filter chooses items, those of pipelines and those of deliveries. Its zero value chooses all. What an item does not
// have (a delivery's has no element, rule or shape) only an empty field chooses.
type Filter struct {
	Department string    `json:"department,omitempty"`
	Pipeline   string    `json:"pipeline,omitempty"`
	Set        string    `json:"set,omitempty"`
	Entity     string    `json:"entity,omitempty"`
	Element    string    `json:"element,omitempty"`
	Rule       string    `json:"rule,omitempty"`
	Shape      string    `json:"shape,omitempty"`
	RowKey     string    `json:"row_key,omitempty"` // in the source; of a delivery's items the entity key
	Reason     string    `json:"reason,omitempty"`  // part of a message, in either language
	Since      time.Time `json:"since,omitzero"`    // of the refusal
	Until      time.Time `json:"until,omitzero"`
}

// Match says whether the filter chooses the item.
func (f *Filter) Match(it *Item) bool {
	if !f.Covers(it.RefusedAt) || !AllEqual(
		f.Department, it.Department, f.Pipeline, it.Pipeline, f.Set, it.Set, f.Entity, it.Entity, f.RowKey, it.RowKey) {
		return false
	}
	if f.Element == "" && f.Rule == "" && f.Shape == "" && f.Reason == "" {
		return true
	}
	for _, v := range it.Violations {
		if AllEqual(f.Element, v.Element, f.Rule, v.Rule, f.Shape, v.Shape) &&
			(strings.Contains(v.Zh, f.Reason) || strings.Contains(v.En, f.Reason)) {
			return true
		}
	}
	return false
}

// Covers says whether a refusal at that time is between Since and Until.
func (f *Filter) Covers(refused time.Time) bool {
	return (f.Since.IsZero() || !refused.Before(f.Since)) && (f.Until.IsZero() || !refused.After(f.Until))
}

// AllEqual takes pairs of what is wanted and what there is, and says whether each wanted text is empty or equal.
func AllEqual(pairs ...string) bool {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] != "" && pairs[i] != pairs[i+1] {
			return false
		}
	}
	return true
}
