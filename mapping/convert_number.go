package mapping

import (
	"strconv"

	"github.com/datong-dx/datong/connectors"
)

// convertInteger makes whole numbers of values that are no texts.
func convertInteger(m *Mapper, s *boundStep, v connectors.Value, c *cell) {
	b, ok := m.numberText(s, v)
	if !ok {
		c.state = cellBroken
		return
	}
	m.integer(s, b, v.Kind() == connectors.KindDecimal, c)
}

// readInteger makes whole numbers.
func readInteger(m *Mapper, s *boundStep, b []byte, c *cell) { m.integer(s, b, false, c) }

// integer makes whole numbers of up to 18 digits. 3.00 is one, 3.5 is not.
func (m *Mapper) integer(s *boundStep, b []byte, exact bool, c *cell) {
	var d number
	switch {
	case !m.number(s, b, exact, &d):
	case d.scale() > 0:
		m.refuseType(s, b, connectors.Text{Zh: "在源系统更正，或用 expr 写明取整的办法", En: "correct it at the source, or say in an expr how to make it whole"})
	case d.whole() > 18:
		m.refuseRange(s, b)
	case m.ranged(s, b, &d):
		m.write(&d, c)
		return
	}
	c.state = cellBroken
}

// convertDecimal makes exact decimals of values that are no texts.
func convertDecimal(m *Mapper, s *boundStep, v connectors.Value, c *cell) {
	b, ok := m.numberText(s, v)
	if !ok {
		c.state = cellBroken
		return
	}
	m.decimal(s, b, v.Kind() == connectors.KindDecimal, c)
}

// readDecimal makes exact decimals.
func readDecimal(m *Mapper, s *boundStep, b []byte, c *cell) { m.decimal(s, b, false, c) }

// decimal makes exact decimals, refusing more digits than the element keeps.
func (m *Mapper) decimal(s *boundStep, b []byte, exact bool, c *cell) {
	var d number
	el := s.element
	switch {
	case !m.number(s, b, exact, &d):
	case el.Precision > 0 && (d.scale() > el.Scale || d.whole() > el.Precision-el.Scale),
		d.scale() > maxDigits, d.whole() > maxDigits:
		m.refusePrecision(s, b)
	case m.ranged(s, b, &d):
		m.write(&d, c)
		return
	}
	c.state = cellBroken
}

// numberText writes a value that is no text as a number.
func (m *Mapper) numberText(s *boundStep, v connectors.Value) ([]byte, bool) {
	switch v.Kind() {
	case connectors.KindInt:
		start := len(m.scratch)
		m.scratch = strconv.AppendInt(m.scratch, v.Int(), 10)
		return m.scratch[start:], true
	case connectors.KindBool, connectors.KindDate, connectors.KindDateTime, connectors.KindTimestamp:
		if s.walk == nil {
			m.refuseType(s, v.AppendText(nil), connectors.Text{})
			return nil, false
		}
	}
	return m.textOf(s, v)
}

// number reads a text as a number in the element's unit. exact says that an exponent is no sign of lost digits.
func (m *Mapper) number(s *boundStep, b []byte, exact bool, d *number) bool {
	f := faultText
	if !s.repairs {
		f = d.parse(b, exact)
	}
	if f == faultText { // it may be full-width, or a code
		var ok bool
		if b, ok = m.repair(s, b); !ok {
			return false
		}
		f = d.parse(b, exact)
	}
	switch f {
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
		try := connectors.Text{Zh: "在源系统更正：只能是数字", En: "correct it at the source: only digits can stand there"}
		if s.element.Unit != "" {
			try = connectors.Text{Zh: "去掉数字以外的文字，单位写在 unit", En: "leave only digits, and give the unit as unit"}
		}
		m.refuseType(s, b, try)
	}
	return false
}

func (m *Mapper) ranged(s *boundStep, b []byte, d *number) bool {
	if s.min != nil && d.compare(s.min) < 0 || s.max != nil && d.compare(s.max) > 0 {
		m.refuseRange(s, b)
		return false
	}
	return true
}

// write puts the canonical number into the cell.
func (m *Mapper) write(d *number, c *cell) {
	start := len(m.scratch)
	m.scratch = d.append(m.scratch)
	c.text, c.escape = m.scratch[start:], false
}
