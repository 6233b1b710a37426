package mapping

import (
	"slices"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/dictionary"
	"github.com/datong-dx/datong/mapping/identifier"
)

// origin is where a step takes its value from.
type origin uint8

const (
	originColumn     origin = iota // one column
	originFirst                    // the first of several columns that is not null
	originConstant                 // a constant
	originParts                    // a concatenation
	originExpression               // an expression
)

// step makes the value of one element: take, convert, validate.
type step struct {
	slot    int // of the entity's elements
	element *dictionary.Element
	field   *Field
	origin  origin
	key     bool // the element is part of the entity key
	must    bool // the element is a required text of free form
	plain   bool // a value that is no list, from one column
	// read converts a text, trimmed and not null; convert a value of any other kind. Both check it.
	read    func(*Mapper, *boundStep, []byte, *cell)
	convert func(*Mapper, *boundStep, connectors.Value, *cell)

	nulls     nullWords
	halfwidth bool // full-width forms are made half-width
	width     int
	walk      *Crosswalk
	repairs   bool // there is a width or a crosswalk
	layouts   []layout
	unbounded bool // a layout is a word for no end: the year 9999 is one as well
	shift     int  // places by which a number's decimal point moves
	constant  []byte
	ready     *cell // the constant, converted; its code is checked at each record's date
	fallback  []byte
	expr      *expression

	set      *dictionary.CodeSet
	format   *identifier.Format
	min, max *number // of integers and decimals
	first    int64   // least and greatest day of dates and times
	last     int64

	name   []byte // ,"name": as it stands in the record, with the quote that opens a text
	bare   bool   // values stand without quotes
	quoted bool   // the value is one text
}

// boundStep is a step with the places of its columns in one table.
type boundStep struct {
	*step
	columns []int
	column  int // the first of columns
}

// reads returns the columns that the step takes its value from.
func (s *step) reads() []string {
	if s.expr != nil {
		return s.expr.columns
	}
	return s.field.columns()
}

// newStep prepares what depends on the element alone.
func newStep(e *dictionary.Entity, slot int, f *Field) step {
	el := e.Elements[slot]
	s := step{
		slot: slot, element: el, field: f, origin: originOf(f),
		key:       slices.Contains(e.Key, el.Name),
		halfwidth: el.Type != dictionary.String || el.CodeSet != "" || el.Format != "",
		width:     f.Width,
		nulls:     newNullWords(append(slices.Clone(standingNulls), f.Nulls...)),
		name:      appendString(append(make([]byte, 0, len(el.Name)+4), ','), []byte(el.Name), true),
		first:     firstDay, last: lastDay,
	}
	s.name = append(s.name, ':')
	s.bare = el.Type == dictionary.Integer || el.Type == dictionary.Boolean
	if s.quoted = !s.bare && !el.List; s.quoted {
		s.name = append(s.name, '"')
	}
	if f.Value != nil {
		s.constant = []byte(*f.Value)
	}
	if f.Default != nil {
		s.fallback = []byte(*f.Default)
	}
	s.must = (s.key || el.Obligation == dictionary.Mandatory) && !s.halfwidth
	s.plain = s.origin == originColumn && !el.List
	switch el.Type {
	case dictionary.Integer:
		s.read, s.convert = readInteger, convertInteger
	case dictionary.Decimal:
		s.read, s.convert = readDecimal, convertDecimal
	case dictionary.Date:
		s.read, s.convert = readDate, convertDate
	case dictionary.DateTime:
		s.read, s.convert = readDateTime, convertDateTime
	case dictionary.Boolean:
		s.read, s.convert = readBoolean, convertBoolean
	default:
		s.read, s.convert = readString, convertString
	}
	return s
}

func originOf(f *Field) origin {
	switch {
	case f.Value != nil:
		return originConstant
	case f.Expr != "":
		return originExpression
	case len(f.Concat) > 0:
		return originParts
	case len(f.From) > 1:
		return originFirst
	}
	return originColumn
}
