// Package dictionary is the standard data dictionary: what every entity of the exchange is made of, in which words,
// under which rules, and by which standard.
//
// A [Dictionary] holds entities and code sets. An [Entity] (法人和其他组织, 办件申请 …) is an ordered list of data
// elements; an [Element] has a type, lengths, a named format of package identifier, a code set and an obligation, and
// names the standard it comes from. A [CodeSet] holds dated codes. All of it is text under standard/ (YAML for entities,
// CSV for codes), embedded in the program, and a city lays its own directory over it with [Dictionary.Extend], which
// adds and strengthens but never weakens.
//
// A Dictionary and everything reached from it is immutable and may be used by any number of goroutines.
package dictionary

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

//go:embed standard
var embedded embed.FS

// Dictionary is one version of the entities and code sets that an exchange shares.
type Dictionary struct {
	// Version is a semantic version. A city's extension stands in its build metadata: "1.0.0+yangquan.2.1.0".
	Version string

	entities []*Entity  // by name
	codeSets []*CodeSet // by name
}

// Builtin returns the dictionary that comes with the program. It is parsed once; a broken one is a programming mistake
// and panics.
func Builtin() *Dictionary { return builtin() }

var builtin = sync.OnceValue(func() *Dictionary {
	root, err := fs.Sub(embedded, "standard")
	if err == nil {
		var d *Dictionary
		if d, err = load(nil, root, "standard"); err == nil {
			return d
		}
	}
	panic("built-in dictionary: " + err.Error())
})

// Entity returns the named entity, or nil.
func (d *Dictionary) Entity(name string) *Entity {
	i, ok := slices.BinarySearchFunc(d.entities, name, func(e *Entity, n string) int { return strings.Compare(e.Name, n) })
	if !ok {
		return nil
	}
	return d.entities[i]
}

// Entities returns all entities in order of their names.
func (d *Dictionary) Entities() []*Entity { return slices.Clone(d.entities) }

// CodeSet returns the named code set, or nil.
func (d *Dictionary) CodeSet(name string) *CodeSet {
	i, ok := slices.BinarySearchFunc(d.codeSets, name, func(c *CodeSet, n string) int { return strings.Compare(c.Name, n) })
	if !ok {
		return nil
	}
	return d.codeSets[i]
}

// CodeSets returns all code sets in order of their names.
func (d *Dictionary) CodeSets() []*CodeSet { return slices.Clone(d.codeSets) }
