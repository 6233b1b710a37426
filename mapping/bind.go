package mapping

import (
	"slices"

	"github.com/datong-dx/datong/connectors"
)

// Bound is a plan tied to the columns of one table. It is immutable and may be used by any number of goroutines.
type Bound struct {
	plan  *Plan
	table *connectors.Table
	steps []boundStep
	seen  []int // places of the columns that expressions see
	old   bool  // Row.Old holds every column that the entity key is made of
}

// Bind ties the plan to a table. Each column that the mapping reads and the table lacks is a [connectors.Problem]; the
// error joins them.
func (p *Plan) Bind(t *connectors.Table) (*Bound, error) {
	names := make([]string, len(t.Columns))
	place := make(map[string]int, len(t.Columns))
	for i := range t.Columns {
		names[i] = t.Columns[i].Name
		if _, twice := place[names[i]]; !twice {
			place[names[i]] = i
		}
	}
	b := &Bound{plan: p, table: t}
	var wrong problems
	for _, name := range p.columns {
		if _, ok := place[name]; !ok {
			wrong.add(t.Name, suggest(name, names), "映射读取列 %[1]s，而 %[2]s 没有这一列", "the mapping reads column %[1]s, which %[2]s does not have", name, t.Name)
		}
	}
	if len(wrong) > 0 {
		return nil, wrong.err()
	}
	for _, name := range p.seen {
		b.seen = append(b.seen, place[name])
	}
	for i := range p.steps {
		s := boundStep{step: &p.steps[i]}
		for _, name := range s.reads() {
			s.columns = append(s.columns, place[name])
		}
		if len(s.columns) > 0 {
			s.column = s.columns[0]
		}
		b.steps = append(b.steps, s)
	}
	b.old = b.oldKeyed()
	return b, nil
}

// oldKeyed says whether a row's former key gives its former entity key.
func (b *Bound) oldKeyed() bool {
	reads := 0
	for _, k := range b.plan.keys {
		for _, column := range b.steps[k].columns {
			if !slices.Contains(b.table.Key, column) {
				return false
			}
			reads++
		}
	}
	return reads > 0
}

// Plan returns the plan that was bound.
func (b *Bound) Plan() *Plan { return b.plan }

// Table returns the table that the plan was bound to.
func (b *Bound) Table() *connectors.Table { return b.table }

// NewMapper returns a mapper for rows of the table. It holds memory of its own, so each goroutine needs its own.
func (b *Bound) NewMapper() *Mapper { return newMapper(b) }
