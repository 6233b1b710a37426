package mapping

import (
	"errors"
	"slices"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
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
// error joins them. An open table may lack columns, but not all of them: then it is another table than was expected.
func (p *Plan) Bind(t *connectors.Table) (*Bound, error) {
	missing := p.Missing(t)
	if len(missing) > 0 && (!t.Open || len(missing) == len(p.columns) && len(t.Columns) > 0) {
		return nil, errors.Join(missing...)
	}
	place := make(map[string]int, len(t.Columns))
	for i := range t.Columns {
		if _, twice := place[t.Columns[i].Name]; !twice {
			place[t.Columns[i].Name] = i
		}
	}
	for _, name := range p.columns {
		if _, ok := place[name]; !ok {
			place[name] = len(t.Columns) // behind the values of every row, where there is nothing
		}
	}
	b := &Bound{plan: p, table: t}
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

// Missing returns a [connectors.Problem] for each column that the mapping reads and the table lacks.
func (p *Plan) Missing(t *connectors.Table) []error {
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = t.Columns[i].Name
	}
	var wrong problems
	for _, name := range p.columns {
		if !slices.Contains(names, name) {
			wrong.add(t.Name, nearest.Suggest(name, names), "映射读取列 %[1]s，数据中没有这一列", "the mapping reads column %[1]s, which is not there", name)
		}
	}
	return wrong
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
