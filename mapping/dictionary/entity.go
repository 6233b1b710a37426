package dictionary

import "github.com/datong-dx/datong/connectors"

// Values of Standard, on entities, elements and code sets, where no published standard gives the rule.
const (
	// Practice marks what real exchange tables and registries carry, without a standard that was read for it.
	Practice = "practice"
	// Own marks what this dictionary sets itself.
	Own = "datong"
)

// Entity is one kind of thing that departments exchange: a standard topic, and a table of the platform, per entity.
type Entity struct {
	// Name is the identifier: [a-z][a-z0-9_]*. It is the last part of the topic's name.
	Name       string          `json:"name"`
	Title      connectors.Text `json:"title"`
	Definition connectors.Text `json:"definition,omitzero"`
	// Key names the elements that identify a record within a department, in key order. They are mandatory.
	Key []string `json:"key"`
	// DateElement names the date or datetime element whose day dated codes are checked at. When it is empty, or absent
	// from a record, the time of the change decides.
	DateElement string `json:"date_element,omitempty"`
	// Standard is the number of the standard that defines the entity, or [Practice] or [Own]; Clause its place there.
	Standard string `json:"standard"`
	Clause   string `json:"clause,omitempty"`
	// Elements in canonical order: the order of members in the JSON of a record and of columns in a table.
	Elements []*Element `json:"elements"`

	index map[string]int
	keys  []int
	at    position
}

// Element returns the named element, or nil.
func (e *Entity) Element(name string) *Element {
	if i := e.Index(name); i >= 0 {
		return e.Elements[i]
	}
	return nil
}

// Index returns the place of the named element in Elements, or -1.
func (e *Entity) Index(name string) int {
	if i, ok := e.index[name]; ok {
		return i
	}
	return -1
}

// KeyIndexes returns the places of the key elements in Elements, in key order. The slice is not to be changed.
func (e *Entity) KeyIndexes() []int { return e.keys }

// Element is one data element: a property of an entity with everything that decides whether a value conforms.
type Element struct {
	Name       string          `json:"name"`
	Title      connectors.Text `json:"title"`
	Definition connectors.Text `json:"definition,omitzero"`
	// Synonyms are other names that departments use for it, as column names or words.
	Synonyms []string `json:"synonyms,omitempty"`
	Type     Type     `json:"type"`
	// List says that a record holds several values, each of which has the type, length, format and code set.
	List bool `json:"list,omitempty"`
	// MinLength and Length bound the number of characters (not bytes) of a string; 0 means no bound.
	MinLength int `json:"min_length,omitempty"`
	Length    int `json:"length,omitempty"`
	// Precision is the largest number of digits of a decimal, Scale how many of them stand after the point.
	Precision int `json:"precision,omitempty"`
	Scale     int `json:"scale,omitempty"`
	// Min and Max bound the value, both inclusive, written as a value of the type; empty means no bound.
	Min string `json:"min,omitempty"`
	Max string `json:"max,omitempty"`
	// Format names a format of package identifier, empty when there is none.
	Format string `json:"format,omitempty"`
	// CodeSet names the code set that a value must belong to at the record's date, empty when there is none.
	CodeSet string `json:"code_set,omitempty"`
	// Unit of a number, such as 元.
	Unit       string     `json:"unit,omitempty"`
	Obligation Obligation `json:"obligation"`
	// RequiredWhen is the condition of a conditional element. A conditional element without it depends on something
	// that the record does not tell (its definition says what) and is not enforced.
	RequiredWhen *Condition `json:"required_when,omitempty"`
	// NotBefore names the element of the same record that this date or datetime must not precede when both are there.
	NotBefore   string      `json:"not_before,omitempty"`
	Sensitivity Sensitivity `json:"sensitivity"`
	// Standard is the number of the standard that gives the element, or [Practice] or [Own]; Clause its place there.
	Standard string `json:"standard"`
	Clause   string `json:"clause,omitempty"`

	at position
}

// Condition holds when the named element of the same record is present and its value is one of In (if any are given)
// and none of NotIn. Values are written as in JSON, without quotes; of a list it is enough that one item fulfils it.
type Condition struct {
	Element string   `json:"element"`
	In      []string `json:"in,omitempty"`
	NotIn   []string `json:"not_in,omitempty"`
}

// Type is the type of an element's values. Codes and identifiers are strings.
type Type string

// Types. A date has no time and no zone; a datetime is an instant.
const (
	String   Type = "string"
	Integer  Type = "integer"
	Decimal  Type = "decimal"
	Date     Type = "date"
	DateTime Type = "datetime"
	Boolean  Type = "boolean"
)

// Obligation says whether a record must have an element.
type Obligation string

// Obligations, from the weakest to the strongest.
const (
	Optional    Obligation = "optional"
	Conditional Obligation = "conditional"
	Mandatory   Obligation = "mandatory"
)

// Sensitivity says who may see an element's values, and so which of them logs, samples and displays mask.
type Sensitivity string

// Sensitivities, from the least to the most protected. Personal and Sensitive follow the distinction of personal
// information and sensitive personal information; both are masked.
const (
	Public    Sensitivity = "public"
	Internal  Sensitivity = "internal"
	Personal  Sensitivity = "personal"
	Sensitive Sensitivity = "sensitive"
)
