package mapping

import (
	"bytes"

	"github.com/datong-dx/datong/connectors"
)

// fillList converts a list item by item: the members of a JSON array, or a text parted by the field's separator. Empty
// items and null words are left out; a list of nothing is absent.
func (m *Mapper) fillList(s *boundStep, v connectors.Value, c *cell) {
	c.state, c.first = cellSet, len(m.items)
	if v.Kind() == connectors.KindJSON {
		m.fillArray(s, v.Bytes(), c)
	} else {
		m.fillParted(s, v, c)
	}
	c.end = len(m.items)
	if c.state == cellSet && c.first == c.end {
		c.state = cellAbsent
	}
}

func (m *Mapper) fillParted(s *boundStep, v connectors.Value, c *cell) {
	separator := s.field.Separator
	if separator == "" || v.Kind() != connectors.KindText {
		m.fillItem(s, v, c)
		return
	}
	rest := v.Bytes()
	if s.halfwidth {
		if _, t := look(rest); t&traitFullwidth != 0 {
			start := len(m.scratch)
			m.scratch = appendHalfwidth(m.scratch, rest)
			rest = m.scratch[start:]
		}
	}
	for more := true; more; {
		part := rest
		at := bytes.Index(rest, []byte(separator))
		if more = at >= 0; more {
			part, rest = rest[:at], rest[at+len(separator):]
		}
		m.fillItem(s, s.clean(connectors.String(part)), c)
	}
}

func (m *Mapper) fillArray(s *boundStep, b []byte, c *cell) {
	p := jsonScanner{b: b, scratch: m.scratch}
	ok := p.array(func(v connectors.Value) {
		m.scratch = p.scratch
		m.fillItem(s, s.clean(v), c)
		p.scratch = m.scratch
	})
	m.scratch = p.scratch
	if !ok {
		m.refuse(s, RuleType, b, "不是由单个值组成的 JSON 数组", "is not a JSON array of plain values", connectors.Text{})
		c.state = cellBroken
	}
}

func (m *Mapper) fillItem(s *boundStep, v connectors.Value, c *cell) {
	if v.IsNull() {
		return
	}
	one := &m.one
	*one = cell{}
	m.fillOne(s, v, one)
	if one.state != cellSet {
		c.state = cellBroken
		return
	}
	m.items = append(m.items, item{text: one.text, escape: one.escape})
}
