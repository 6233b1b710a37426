package mapping

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/mapping/dictionary"
)

// Plan is a mapping made ready: one step per mapped element, in the dictionary's order, with everything looked up that a
// name stands for. It is immutable and may be used by any number of goroutines.
type Plan struct {
	spec    *Spec
	entity  *dictionary.Entity
	steps   []step
	keys    []int // steps of the key elements, in key order
	date    int   // step of the element that dates the record's codes, or -1
	musts   []must
	orders  []order
	when    *expression
	columns []string // that the mapping reads, sorted
	seen    []string // those of them that expressions see
	digest  uint64
}

// must is an element that a record has to have, always or on a condition.
type must struct {
	slot    int // of the entity's elements
	element *dictionary.Element
	step    int // -1 when nothing maps to it
	when    *condition
}

// condition is met when the value of a step is one of in, if there are any, and none of notIn.
type condition struct {
	step      int
	in, notIn [][]byte
}

// order says that one date must not come before another.
type order struct{ later, earlier int }

// Entity returns the entity that rows become.
func (p *Plan) Entity() *dictionary.Entity { return p.entity }

// Spec returns the mapping as it was written. It must not be changed.
func (p *Plan) Spec() *Spec { return p.spec }

// Digest changes whenever the mapping, one of its crosswalks, the dictionary's entity or one of its code sets changes:
// whenever a row might be mapped in another way.
func (p *Plan) Digest() uint64 { return p.digest }

// Columns returns the names of the source columns that the mapping reads, sorted.
func (p *Plan) Columns() []string { return slices.Clone(p.columns) }

// Reads returns the source columns that an element of the entity is made from; none when it is not mapped.
func (p *Plan) Reads(element string) []string {
	for i := range p.steps {
		if p.steps[i].field.Element == element {
			return slices.Clone(p.steps[i].reads())
		}
	}
	return nil
}

// KeyColumns returns the source columns that feed the entity key, in key order. ok says that each key element takes
// exactly one column without crosswalk, layout, expression or default, so that rows can be looked up by these columns.
// The source may still write a value in another way than the key does (lower case, inner hyphens): a lookup compares
// what it finds by its mapped key.
func (p *Plan) KeyColumns() (columns []string, ok bool) {
	ok = true
	for _, i := range p.keys {
		f := p.steps[i].field
		columns = append(columns, p.steps[i].reads()...)
		ok = ok && len(f.From) == 1 && f.Codes == "" && f.Unit == "" && f.Width == 0 && f.Default == nil && len(f.Layouts) == 0
	}
	return columns, ok
}

// keyed says that a step feeds the entity key.
func (p *Plan) keyed(i int) bool { return slices.Contains(p.keys, i) }

// sum computes the digest.
func (p *Plan) sum(codes map[string]*Crosswalk) (uint64, error) {
	h := xxh3.New()
	// The same mapping in another place, or with its fields in another order, is the same mapping.
	spec := *p.spec
	spec.File, spec.Line, spec.Fields = "", 0, slices.Clone(spec.Fields)
	for i := range spec.Fields {
		spec.Fields[i].Line = 0
	}
	slices.SortFunc(spec.Fields, func(a, b Field) int { return p.entity.Index(a.Element) - p.entity.Index(b.Element) })
	out := json.NewEncoder(h)
	if err := out.Encode(spec); err != nil {
		return 0, fmt.Errorf("digest of the mapping to %s: %w", p.entity.Name, err)
	}
	if err := out.Encode(p.entity); err != nil {
		return 0, fmt.Errorf("digest of entity %s: %w", p.entity.Name, err)
	}
	for i := range p.steps {
		if err := p.steps[i].sum(h, codes); err != nil {
			return 0, fmt.Errorf("digest of element %s: %w", p.steps[i].element.Name, err)
		}
	}
	return h.Sum64(), nil
}

func (s *step) sum(h *xxh3.Hasher, codes map[string]*Crosswalk) error {
	if walk := codes[s.field.Codes]; walk != nil {
		for _, r := range walk.Rows {
			fmt.Fprintf(h, "%q %q %d %d\n", r.Source, r.Standard, r.From, r.To)
		}
	}
	if s.set == nil {
		return nil
	}
	fmt.Fprintf(h, "%q %d\n", s.set.Name, s.set.Prefix)
	for i := range s.set.Codes {
		c := &s.set.Codes[i]
		fmt.Fprintf(h, "%q %d %d\n", c.Value, c.From, c.To)
	}
	return nil
}
