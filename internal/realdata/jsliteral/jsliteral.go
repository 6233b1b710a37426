// Package jsliteral turns a JavaScript file that holds one literal, as web pages carry their data, into JSON.
//
// Only literals are read: objects, arrays, strings, template strings without substitutions, decimal numbers, true,
// false, null and undefined (which becomes null). Names without quotes, single quotes, trailing commas and comments may
// stand where JavaScript allows them. What would have to be computed is an error that names its line.
package jsliteral

import (
	"bytes"
	"fmt"
	"strings"
)

// depthMax bounds the nesting, because the reader calls itself for each level.
const depthMax = 200

// ToJSON returns the file's literal as JSON, with object members in their order. A name before it is passed over, as in
// `const data = […];`, `module.exports = {…}` or `export default […]`.
func ToJSON(script []byte) ([]byte, error) {
	r := &reader{scanner: scanner{text: bytes.TrimPrefix(script, []byte("\ufeff")), line: 1}}
	if err := r.introduction(); err != nil {
		return nil, err
	}
	if err := r.value(0); err != nil {
		return nil, err
	}
	if err := r.space(); err != nil {
		return nil, err
	}
	if r.peek() == ';' {
		r.at++
	}
	if err := r.space(); err != nil {
		return nil, err
	}
	if r.at < len(r.text) {
		return nil, r.fail("more follows after the literal")
	}
	return append(r.out, '\n'), nil
}

// reader writes JSON while it reads.
type reader struct {
	scanner
	out []byte
}

// introduction passes over what may stand before the literal.
func (r *reader) introduction() error {
	if err := r.space(); err != nil {
		return err
	}
	start := *r
	for {
		if err := r.space(); err != nil {
			return err
		}
		switch c := r.peek(); {
		case c == '=':
			r.at++
			return nil
		case c == '.':
			r.at++
		case !isNameByte(c):
			if !r.introducedByExport(&start) {
				*r = start
			}
			return nil
		default:
			r.name()
		}
	}
}

// introducedByExport says that what was passed over is `export default`.
func (r *reader) introducedByExport(start *reader) bool {
	return strings.Join(strings.Fields(string(r.text[start.at:r.at])), " ") == "export default"
}

// value reads one literal and writes it.
func (r *reader) value(depth int) error {
	if err := r.space(); err != nil {
		return err
	}
	if depth > depthMax {
		return r.fail(fmt.Sprintf("arrays and objects are nested more than %d deep", depthMax))
	}
	switch c := r.peek(); {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.array(depth)
	case c == '"' || c == '\'' || c == '`':
		return r.string()
	case c == '-' || c == '.' || isDigit(c):
		return r.number()
	case isNameByte(c):
		return r.word()
	case r.at == len(r.text):
		return r.fail("the file ends where a value should stand")
	}
	return r.fail(fmt.Sprintf("%q stands where a value should", r.peekRune()))
}

func (r *reader) array(depth int) error {
	return r.list(']', func() error { return r.value(depth + 1) })
}

func (r *reader) object(depth int) error {
	return r.list('}', func() error {
		if err := r.key(); err != nil {
			return err
		}
		if err := r.space(); err != nil {
			return err
		}
		if r.peek() != ':' {
			return r.fail("a colon should follow the member's name")
		}
		r.at++
		r.out = append(r.out, ':')
		return r.value(depth + 1)
	})
}

// list reads the elements between the bracket that comes next and its end, the last with or without a comma.
func (r *reader) list(end byte, element func() error) error {
	from := r.line
	r.out = append(r.out, r.text[r.at])
	r.at++
	for first := true; ; first = false {
		if err := r.space(); err != nil {
			return err
		}
		switch {
		case r.at == len(r.text):
			return r.fail(fmt.Sprintf("the file ends before the %q that closes line %d", end, from))
		case r.peek() == end:
			r.at++
			r.out = append(r.out, end)
			return nil
		case !first:
			r.out = append(r.out, ',')
		}
		if err := element(); err != nil {
			return err
		}
		if err := r.space(); err != nil {
			return err
		}
		if r.peek() == ',' {
			r.at++
		} else if r.peek() != end && r.at < len(r.text) {
			return r.fail(fmt.Sprintf("%q stands where a comma or %q should", r.peekRune(), end))
		}
	}
}

// key reads a member's name, with quotes or without.
func (r *reader) key() error {
	switch c := r.peek(); {
	case c == '"' || c == '\'':
		return r.string()
	case isNameByte(c):
		r.out = appendText(r.out, r.name())
		return nil
	}
	return r.fail(fmt.Sprintf("%q stands where a member's name should", r.peekRune()))
}

// word reads a value that is a bare word.
func (r *reader) word() error {
	switch name := r.name(); name {
	case "true", "false", "null":
		r.out = append(r.out, name...)
	case "undefined":
		r.out = append(r.out, "null"...)
	default:
		return r.fail(name + " is a name, and only literals are read")
	}
	return nil
}

// number reads a decimal number and keeps its digits.
func (r *reader) number() error {
	from := r.at
	for r.at < len(r.text) && (isNameByte(r.text[r.at]) || strings.IndexByte("+-.", r.text[r.at]) >= 0) {
		r.at++
	}
	digits := r.text[from:r.at]
	if !decimal.Match(digits) {
		return r.fail(fmt.Sprintf("%s is not a decimal number", digits))
	}
	r.out = append(r.out, digits...)
	return nil
}
