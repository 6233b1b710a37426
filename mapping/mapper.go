package mapping

import (
	"github.com/expr-lang/expr/vm"
	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/connectors"
)

// Outcome is what became of a row.
type Outcome uint8

// Outcomes of [Mapper.Map].
const (
	Accepted Outcome = iota + 1 // it conforms: publish it
	Filtered                    // the mapping's condition is not true for it
	Refused                     // it breaks rules: quarantine it
)

// String returns the outcome's name.
func (o Outcome) String() string {
	switch o {
	case Accepted:
		return "accepted"
	case Filtered:
		return "filtered"
	case Refused:
		return "refused"
	}
	return "unknown"
}

// Result is what a row was mapped to. It and everything in it belong to the mapper and are valid until its next call.
type Result struct {
	Outcome Outcome
	// Key of the entity: its key elements joined by U+001F. nil when it could not be made.
	Key []byte
	// Value is the standard record: JSON without white space, elements in the dictionary's order. nil for a delete
	// and for a row that was not accepted.
	Value []byte
	// Digest is the xxh3 hash of Value.
	Digest uint64
	// Violations are all rules that the row breaks, in the dictionary's order; empty unless it was refused.
	Violations []Violation
}

// keepScratch is the size up to which a mapper keeps its memory from one row to the next.
const keepScratch = 1 << 20

// Mapper maps rows of one table. It is not for concurrent use.
type Mapper struct {
	bound  *Bound
	values []connectors.Value // of the row being mapped
	day    int32              // at which codes are checked
	cells  []cell             // one for each step
	items  []item             // of list elements
	one    cell               // of the list item being converted
	taken  int                // column that a step with several took its value from, or -1

	scratch []byte // converted texts of the row
	key     []byte
	value   []byte
	noted   []noted
	result  Result

	former    *Mapper        // maps rows with their old key only
	variables map[string]any // what expressions see, once filled for the row
	filled    bool
	machine   vm.VM
}

// cell holds the converted value of one step.
type cell struct {
	state  cellState
	escape bool // text needs escaping in JSON
	text   []byte
	first  int // items of a list
	end    int
	day    int64 // of a date or time
	micros int64 // of a time, Unix microseconds
}

type cellState uint8

const (
	cellAbsent cellState = iota
	cellSet
	cellBroken // there is a value and it was refused
)

// item is one value of a list.
type item struct {
	text   []byte
	escape bool
}

func newMapper(b *Bound) *Mapper {
	return &Mapper{bound: b, cells: make([]cell, len(b.steps)), taken: -1}
}

// Map maps a row of the mapper's table. A delete gives the key alone, whatever the mapping's condition says, because it
// may lack the columns to compute it; a row that is filtered or refused gives the key when it can be made. A row that is accepted costs no allocation in steady state, but for expressions.
func (m *Mapper) Map(row *connectors.Row) *Result {
	m.begin(row.Values, row.Time)
	if row.Op == connectors.OpDelete {
		return m.keyOnly(Accepted)
	}
	if when := m.bound.plan.when; when != nil {
		switch truth, computed := m.holds(when); {
		case !computed:
			m.refuseCondition()
		case !truth:
			return m.keyOnly(Filtered)
		}
	}
	m.take()
	m.require()
	m.compare()
	m.makeKey()
	if len(m.noted) > 0 {
		return m.refused()
	}
	m.encode()
	m.result.Outcome, m.result.Value, m.result.Digest = Accepted, m.value, xxh3.Hash(m.value)
	return &m.result
}

func (m *Mapper) begin(values []connectors.Value, micros int64) {
	if cap(m.scratch)+cap(m.value) > keepScratch {
		m.scratch, m.value = nil, nil
	}
	m.values, m.day = values, int32(chinaDay(micros))
	m.scratch, m.items, m.noted, m.filled = m.scratch[:0], m.items[:0], m.noted[:0], false
	m.result = Result{Violations: m.result.Violations[:0]}
	for i := range m.cells {
		m.cells[i].state = cellAbsent
	}
}

// take fills all cells. The date comes first, because codes are checked at it.
func (m *Mapper) take() {
	date := m.bound.plan.date
	if date >= 0 {
		m.takeStep(date)
		if c := &m.cells[date]; c.state == cellSet {
			m.day = int32(c.day)
		}
	}
	for i := range m.bound.steps {
		if i != date {
			m.takeStep(i)
		}
	}
}

func (m *Mapper) takeStep(i int) {
	s, c := &m.bound.steps[i], &m.cells[i]
	m.taken = -1
	if s.plain && s.column < len(m.values) { // the way of nearly all values
		v := &m.values[s.column]
		if k := v.Kind(); k == connectors.KindText {
			if b := trim(v.Bytes()); !s.nulls.has(b) {
				c.state = cellSet
				s.read(m, s, b, c)
				return
			}
		}
	}
	if s.ready != nil {
		c.state, c.text, c.escape = cellSet, s.ready.text, s.ready.escape
		c.day, c.micros = s.ready.day, s.ready.micros
		if s.set != nil && !m.member(s, c.text) {
			c.state = cellBroken
		}
		return
	}
	v, ok := m.fetch(s)
	if !ok {
		c.state = cellBroken
		return
	}
	if !v.IsNull() {
		m.fill(s, v, c)
	}
}

// fill converts and checks one value, a list item by item.
func (m *Mapper) fill(s *boundStep, v connectors.Value, c *cell) {
	if s.element.List {
		m.fillList(s, v, c)
		return
	}
	m.fillOne(s, v, c)
}

func (m *Mapper) fillOne(s *boundStep, v connectors.Value, c *cell) {
	c.state = cellSet
	if v.Kind() == connectors.KindText {
		s.read(m, s, v.Bytes(), c)
		return
	}
	s.convert(m, s, v, c)
}

func (m *Mapper) refused() *Result {
	m.settle()
	m.result.Outcome = Refused
	return &m.result
}
