package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// Spec is one mapping as it stands in a pipeline's file: which entity the rows become, and where each element comes
// from. [ParseSpec] reads it from YAML; a Spec built in Go works as well.
type Spec struct {
	// Entity of the dictionary that the rows become.
	Entity string
	// Table whose rows are mapped; empty for every table of the source.
	Table string
	// When is an expression; rows for which it is not true are filtered. Empty: every row is mapped.
	When string
	// Fields in the order of the file, at most one per element.
	Fields []Field
	// File and Line say where the mapping stands, for messages.
	File string
	Line int

	lines map[string]int
}

// Field says where one element comes from. Exactly one of From, Value, Expr and Concat is set.
type Field struct {
	// Element of the entity.
	Element string
	// From names one column, or several of which the first that is not null is taken.
	From []string
	// Value is a constant.
	Value *string
	// Expr is an expression of the expr language over the row's columns.
	Expr string
	// Concat joins columns and literal texts, with Separator between them; columns that are null are left out.
	Concat []Part
	// Separator parts the items of a list element, and joins the parts of Concat. A list element without one takes
	// the whole text as its only item, unless the column holds a JSON array.
	Separator string
	// Codes names the crosswalk that turns the source's code into the standard one.
	Codes string
	// Layouts are the forms in which a date or time is written, tried in order; empty: the unambiguous ones. They are
	// patterns of the letters yyyy M d H m s S XXX (a letter alone takes one or two digits, twice exactly two; XXX is
	// the zone), the names rfc3339, excel (serial of the 1900 system), unix and unixms, or a word of Han characters
	// such as 长期, which means that there is no end: 9999-12-31. With such a word every day of the year 9999 means it.
	Layouts []string
	// Unit of the source's number, such as 万元: it is shifted to the element's unit.
	Unit string
	// Nulls are words that mean null, besides those that always do.
	Nulls []string
	// Default is the value taken when there is none. It is converted as if the source had given it.
	Default *string
	// Width is the number of digits up to which lost leading zeros are put back; 0: none.
	Width int
	// Line of the field in its file.
	Line int

	lines map[string]int
}

// Part is one part of a concatenation: a column, or a literal text.
type Part struct {
	Column string
	Text   string
}

// where returns file:line of the named key of the mapping, or what is known of it.
func (s *Spec) where(key string) string { return s.at(s.lines[key], s.Line) }

// whereField returns file:line of the named key of a field, or of the field.
func (s *Spec) whereField(f *Field, key string) string {
	if at := s.at(f.lines[key], f.Line); at != "" {
		return at
	}
	return "mapping to " + s.Entity + ", " + f.Element
}

func (s *Spec) at(line, otherwise int) string {
	if line == 0 {
		line = otherwise
	}
	switch {
	case s.File != "" && line > 0:
		return fmt.Sprintf("%s:%d", s.File, line)
	case line > 0:
		return fmt.Sprintf("line %d", line)
	}
	return s.File
}

// columns returns the columns that the field names itself; those of an expression are known once it is compiled.
func (f *Field) columns() []string {
	list := slices.Clone(f.From)
	for _, p := range f.Concat {
		if p.Column != "" {
			list = append(list, p.Column)
		}
	}
	return list
}

// source describes where the field's value comes from, as in the mapping file.
func (f *Field) source() string {
	switch {
	case f.Value != nil:
		return fmt.Sprintf("%q", *f.Value)
	case f.Expr != "":
		return f.Expr
	case len(f.Concat) > 0:
		parts := make([]string, len(f.Concat))
		for i, p := range f.Concat {
			parts[i] = p.Column
			if p.Column == "" {
				parts[i] = fmt.Sprintf("%q", p.Text)
			}
		}
		return strings.Join(parts, " + ")
	}
	return strings.Join(f.From, " | ")
}
