// Package identifier knows the identifiers of Chinese government data: how each is written, checked and brought into
// its one canonical form.
//
// A caller normalises first and checks the result:
//
//	f := identifier.Lookup("uscc")
//	buf = f.Normalise(buf[:0], value)
//	if err := f.Check(buf); err != nil { … }
//
// Checks follow the published algorithms exactly and know nothing of lists that change (which divisions exist, which
// numbers were issued): those are code sets, with dates. An error is always a [*Reason], names the rule that is broken,
// and never holds the value.
package identifier

import (
	"slices"
	"strings"

	"github.com/datong-dx/datong/connectors"
)

// Format is a named way of writing an identifier.
type Format struct {
	Name  string
	Title connectors.Text
	// Standard that gives the layout and the check, with its clause where known; "practice" where none does.
	Standard string
	// Layout tells in words how the identifier is made up.
	Layout connectors.Text
	// Check returns nil for a well-formed identifier in canonical form, which Normalise leaves as it is, and a *Reason
	// otherwise. It allocates nothing.
	Check func(b []byte) error
	// Normalise appends the canonical form of src to dst and returns the extended slice: upper case and half-width,
	// without spaces and without hyphens that are not part of the form. What cannot be understood is appended all the
	// same, so that Check refuses it. Normalising a canonical form changes nothing. dst and src must not overlap.
	Normalise func(dst, src []byte) []byte
}

// Reason is why a value does not have a format.
type Reason struct {
	// Rule is what is broken: one of the Rule constants.
	Rule string
	Text connectors.Text
}

// Rules that a malformed identifier breaks.
const (
	RuleLength    = "length"    // too short or too long
	RuleCharacter = "character" // a character that cannot stand where it stands
	RuleCheck     = "check"     // the check character does not agree with the rest
	RuleRegion    = "region"    // the part that names a division has not the shape of one
	RuleDate      = "date"      // the part that is a date is no day of the calendar
	RuleLevel     = "level"     // the part that tells a level is none of the defined ones
)

// Error returns the reason in English.
func (r *Reason) Error() string { return r.Text.En }

// Lookup returns the named format, or nil.
func Lookup(name string) *Format {
	i, ok := slices.BinarySearchFunc(formats, name, func(f *Format, n string) int { return strings.Compare(f.Name, n) })
	if !ok {
		return nil
	}
	return formats[i]
}

// Formats returns all formats in order of their names.
func Formats() []*Format { return slices.Clone(formats) }

// formats in order of their names, which a test checks.
var formats = []*Format{
	citizenID,
	entType,
	handlingItemCode,
	industryCode,
	investProjectCode,
	itemBaseCode,
	itemImplCode,
	mobile,
	orgCode,
	phone,
	postcode,
	region,
	uscc,
}

func reason(rule, zh, en string) *Reason {
	return &Reason{Rule: rule, Text: connectors.Text{Zh: zh, En: en}}
}
