package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// Decoder reads standard records of one entity back into values, for deliveries and other consumers. It is not for
// concurrent use.
type Decoder struct {
	entity *dictionary.Entity
	names  [][]byte // "name": as it stands in a record, in the dictionary's order
	scan   jsonScanner
}

// NewDecoder returns a decoder of the entity's records.
func NewDecoder(e *dictionary.Entity) *Decoder {
	d := &Decoder{entity: e}
	for _, el := range e.Elements {
		d.names = append(d.names, append(appendString(nil, []byte(el.Name), true), ':'))
	}
	return d
}

var (
	errNotRecord = errors.New("is not a JSON object")
	errTrailing  = errors.New("goes on after its end")
	errMember    = errors.New("has a member that is not JSON")
	errKind      = errors.New("has a value of another type")
)

// Decode reads a record into dst, one value for each element in the dictionary's order: text as KindText, decimal as
// KindDecimal, date as KindDate, datetime as KindTimestamp, integer as KindInt, boolean as KindBool, a list as KindJSON.
// Elements that the record lacks are absent, members that the dictionary lacks are passed over. The values are views of
// value, or of memory that the next call uses again. The error names the element, never the content.
func (d *Decoder) Decode(value []byte, dst []connectors.Value) error {
	if len(dst) != len(d.names) {
		return fmt.Errorf("decode %s: %d values for %d elements", d.entity.Name, len(dst), len(d.names))
	}
	clear(dst)
	p := &d.scan
	if cap(p.scratch) > keepScratch {
		p.scratch = nil
	}
	p.b, p.i, p.scratch = value, 0, p.scratch[:0]
	p.space()
	if !p.take('{') {
		return fmt.Errorf("decode %s: the record %w", d.entity.Name, errNotRecord)
	}
	p.space()
	if !p.take('}') {
		if err := d.members(dst); err != nil {
			return err
		}
	}
	p.space()
	if p.i != len(p.b) {
		return fmt.Errorf("decode %s: the record %w", d.entity.Name, errTrailing)
	}
	return nil
}

// members reads the members of the record. They are expected in the dictionary's order, where each is found at once.
func (d *Decoder) members(dst []connectors.Value) error {
	p, next := &d.scan, 0
	for {
		p.space()
		at, ok := d.element(next)
		if !ok {
			return fmt.Errorf("decode %s: the record %w", d.entity.Name, errMember)
		}
		if at < 0 {
			ok = p.skip(0)
		} else {
			next = at + 1
			ok = d.member(d.entity.Elements[at], &dst[at])
		}
		if !ok {
			return d.wrong(at)
		}
		p.space()
		if p.take('}') {
			return nil
		}
		if !p.take(',') {
			return fmt.Errorf("decode %s: the record %w", d.entity.Name, errMember)
		}
	}
}

func (d *Decoder) wrong(at int) error {
	if at < 0 {
		return fmt.Errorf("decode %s: the record %w", d.entity.Name, errMember)
	}
	return fmt.Errorf("decode %s: element %s %w", d.entity.Name, d.entity.Elements[at].Name, errKind)
}

// element reads a member's name and returns its place in the dictionary, -1 when it is not there.
func (d *Decoder) element(next int) (int, bool) {
	p := &d.scan
	for i := next; i < len(d.names); i++ {
		if n := d.names[i]; len(p.b)-p.i >= len(n) && bytes.Equal(p.b[p.i:p.i+len(n)], n) {
			p.i += len(n)
			p.space()
			return i, true
		}
	}
	name, ok := p.text()
	if !ok || !p.colon() {
		return -1, false
	}
	for i, el := range d.entity.Elements {
		if string(name) == el.Name {
			return i, true
		}
	}
	return -1, true
}

// member reads one element's value.
func (d *Decoder) member(el *dictionary.Element, v *connectors.Value) (ok bool) {
	p := &d.scan
	switch c := p.peek(); {
	case c == '"' && !el.List && el.Type == dictionary.String:
		b, ok := p.text()
		*v = connectors.String(b)
		return ok
	case c == 'n':
		*v = connectors.Null()
		return p.word("null")
	case el.List:
		start := p.i
		ok = c == '[' && p.skip(0)
		*v = connectors.JSON(p.b[start:p.i])
		return ok
	case el.Type == dictionary.Boolean:
		*v = connectors.Bool(c == 't')
		return p.word("true") || p.word("false")
	}
	var b []byte
	if el.Type == dictionary.Integer {
		b, ok = p.number()
	} else {
		b, ok = p.text()
	}
	if ok {
		*v, ok = typed(el, b)
	}
	return ok
}

// typed reads the text of one value as the element's type.
func typed(el *dictionary.Element, b []byte) (connectors.Value, bool) {
	switch el.Type {
	case dictionary.Integer:
		n, err := strconv.ParseInt(string(b), 10, 64)
		return connectors.Int(n), err == nil
	case dictionary.Decimal:
		return connectors.Decimal(b), plainDecimal(b)
	case dictionary.Date:
		m, ok := readMoment(b)
		return connectors.Date(m.day), ok && !m.timed
	case dictionary.DateTime:
		m, ok := readMoment(b)
		return connectors.Timestamp(m.instant()), ok && m.timed
	case dictionary.Boolean:
		t := truth(b)
		return connectors.Bool(len(t) == 4), t != nil
	}
	return connectors.String(b), true
}

// plainDecimal says that b is digits with an optional sign before and an optional point between them.
func plainDecimal(b []byte) bool {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	point := false
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
		case c == '.' && !point && i > 0 && i < len(b)-1:
			point = true
		default:
			return false
		}
	}
	return len(b) > 0
}

// DecodeKey reads an entity key into dst, which is as long as for [Decoder.Decode]: the key elements are set, all
// others are absent.
func (d *Decoder) DecodeKey(key []byte, dst []connectors.Value) error {
	if len(dst) != len(d.names) {
		return fmt.Errorf("decode key of %s: %d values for %d elements", d.entity.Name, len(dst), len(d.names))
	}
	clear(dst)
	keys := d.entity.KeyIndexes()
	for n, at := range keys {
		part := key
		cut := bytes.IndexByte(key, keySeparator)
		if last := n == len(keys)-1; last != (cut < 0) {
			return fmt.Errorf("decode key of %s: it has not %d parts", d.entity.Name, len(keys))
		}
		if cut >= 0 {
			part, key = key[:cut], key[cut+1:]
		}
		v, ok := typed(d.entity.Elements[at], part)
		if !ok {
			return fmt.Errorf("decode key of %s: element %s %w", d.entity.Name, d.entity.Elements[at].Name, errKind)
		}
		dst[at] = v
	}
	return nil
}
