package mapping

import (
	"strconv"

	"github.com/datong-dx/datong/connectors"
)

// convertInteger makes whole numbers. 3.00 is one, 3.5 is not.
func convertInteger(m *Mapper, s *boundStep, v connectors.Value, c *cell) {
	var d number
	if !m.number(s, v, &d) {
		c.state = cellBroken
		return
	}
	if d.scale() > 0 {
		m.refuseType(s, m.shown(v), connectors.Text{Zh: "在源系统更正，或用 expr 写明取整的办法", En: "correct it at the source, or say in an expr how to make it whole"})
		c.state = cellBroken
		return
	}
	if d.whole() > 18 {
		m.refuseRange(s, m.shown(v))
		c.state = cellBroken
		return
	}
	m.finish(s, v, &d, c)
}

// convertDecimal makes exact decimals, refusing more digits than the element keeps.
func convertDecimal(m *Mapper, s *boundStep, v connectors.Value, c *cell) {
	var d number
	if !m.number(s, v, &d) {
		c.state = cellBroken
		return
	}
	el := s.element
	if el.Precision > 0 && (d.scale() > el.Scale || d.whole() > el.Precision-el.Scale) {
		m.refusePrecision(s, m.shown(v))
		c.state = cellBroken
		return
	}
	m.finish(s, v, &d, c)
}

// number reads a value as a number in the element's unit.
func (m *Mapper) number(s *boundStep, v connectors.Value, d *number) bool {
	switch v.Kind() {
	case connectors.KindBool, connectors.KindDate, connectors.KindDateTime, connectors.KindTimestamp:
		if s.walk == nil {
			m.refuseType(s, m.shown(v), connectors.Text{})
			return false
		}
	}
	b, _, _, ok := m.text(s, v)
	if !ok {
		return false
	}
	switch d.parse(b, v.Kind() == connectors.KindDecimal) {
	case faultNone:
		d.shift(s.shift)
		return true
	case faultExponent:
		m.refuseExponent(s, b)
	case faultGroups:
		m.refuseType(s, b, connectors.Text{Zh: "千分位应每三位一个逗号，如 1,234,567", En: "part thousands by threes, such as 1,234,567"})
	case faultLong:
		m.refusePrecision(s, b)
	case faultText:
		m.refuseType(s, b, connectors.Text{Zh: "去掉数字以外的文字，单位写在 unit", En: "leave only digits, and give the unit as unit"})
	}
	return false
}

// finish checks the range and writes the number.
func (m *Mapper) finish(s *boundStep, v connectors.Value, d *number, c *cell) {
	if s.min != nil && d.compare(s.min) < 0 || s.max != nil && d.compare(s.max) > 0 {
		m.refuseRange(s, m.shown(v))
		c.state = cellBroken
		return
	}
	start := len(m.scratch)
	m.scratch = d.append(m.scratch)
	c.text, c.escape = m.scratch[start:], false
}

// shown returns a value's text for its shape in a violation.
func (m *Mapper) shown(v connectors.Value) []byte {
	if v.Kind() == connectors.KindFloat {
		return strconv.AppendFloat(nil, v.Float(), 'f', -1, 64)
	}
	return v.AppendText(nil)
}
