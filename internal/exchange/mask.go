package exchange

import (
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// masking says which columns of a pipeline's rows are shown only to who asks for them by name: those that feed an element
// that the dictionary calls neither public nor internal, and those that no mapping reads, of which nobody has said what
// they hold. A column that feeds several elements is as private as the most private.
func masking(p *config.Pipeline) func(entity, column string) bool {
	open := map[string]map[string]bool{} // entity → column → may be shown
	for _, plan := range p.Plans {
		e := plan.Entity()
		columns := open[e.Name]
		if columns == nil {
			columns = map[string]bool{}
			open[e.Name] = columns
		}
		for _, element := range e.Elements {
			shown := element.Sensitivity == dictionary.Public || element.Sensitivity == dictionary.Internal
			for _, c := range plan.Reads(element.Name) {
				before, known := columns[c]
				columns[c] = shown && (before || !known)
			}
		}
	}
	return func(entity, column string) bool { return !open[entity][column] }
}
