package mapping

import (
	"bytes"

	"github.com/datong-dx/datong/mapping/dictionary"
)

// require notes the elements that must be there and are not.
func (m *Mapper) require() {
	musts := m.bound.plan.musts
	for i := range musts {
		if u := &musts[i]; !m.has(u.step) && (u.when == nil || m.meets(u.when)) {
			m.refuseAbsent(u)
		}
	}
}

func (m *Mapper) has(step int) bool { return step >= 0 && m.cells[step].state != cellAbsent }

func (m *Mapper) meets(w *condition) bool {
	c := &m.cells[w.step]
	if c.state != cellSet {
		return false
	}
	if !m.bound.steps[w.step].element.List {
		return w.met(c.text)
	}
	for _, it := range m.items[c.first:c.end] {
		if w.met(it.text) {
			return true
		}
	}
	return false
}

func (w *condition) met(text []byte) bool {
	return (len(w.in) == 0 || hasText(w.in, text)) && !hasText(w.notIn, text)
}

func hasText(list [][]byte, text []byte) bool {
	for _, t := range list {
		if bytes.Equal(t, text) {
			return true
		}
	}
	return false
}

// compare notes the dates that come before one that they must follow. Two times are compared to the microsecond,
// anything else by the day.
func (m *Mapper) compare() {
	for _, o := range m.bound.plan.orders {
		later, earlier := &m.cells[o.later], &m.cells[o.earlier]
		if later.state != cellSet || earlier.state != cellSet {
			continue
		}
		timed := m.bound.steps[o.later].element.Type == dictionary.DateTime && m.bound.steps[o.earlier].element.Type == dictionary.DateTime
		if later.day < earlier.day || timed && later.micros < earlier.micros {
			m.refuseOrder(&m.bound.steps[o.later], &m.bound.steps[o.earlier])
		}
	}
}
