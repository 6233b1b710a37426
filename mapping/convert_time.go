package mapping

import "github.com/datong-dx/datong/connectors"

// convertDate makes dates of values that are no texts.
func convertDate(m *Mapper, s *boundStep, v connectors.Value, c *cell) {
	if t, ok := m.typedMoment(s, v); ok {
		m.date(s, &t, nil, c)
		return
	}
	c.state = cellBroken
}

// readDate makes dates.
func readDate(m *Mapper, s *boundStep, b []byte, c *cell) {
	if t, ok := m.moment(s, b); ok {
		m.date(s, &t, b, c)
		return
	}
	c.state = cellBroken
}

// date puts a day into the cell; b is how it was written, if it was.
func (m *Mapper) date(s *boundStep, t *moment, b []byte, c *cell) {
	c.day = t.date()
	if s.unbounded && c.day > noEnd-365 {
		c.day = noEnd
	}
	if !m.dated(s, b, c) {
		return
	}
	if c.escape = false; b != nil && t.dashed && c.day == t.day {
		c.text = b
		return
	}
	start := len(m.scratch)
	m.scratch = appendDate(m.scratch, c.day)
	c.text = m.scratch[start:]
}

// convertDateTime makes instants of values that are no texts.
func convertDateTime(m *Mapper, s *boundStep, v connectors.Value, c *cell) {
	if t, ok := m.typedMoment(s, v); ok {
		m.dateTime(s, &t, nil, c)
		return
	}
	c.state = cellBroken
}

// readDateTime makes instants.
func readDateTime(m *Mapper, s *boundStep, b []byte, c *cell) {
	if t, ok := m.moment(s, b); ok {
		m.dateTime(s, &t, b, c)
		return
	}
	c.state = cellBroken
}

// dateTime puts an instant into the cell, with the offset that it was written with.
func (m *Mapper) dateTime(s *boundStep, t *moment, b []byte, c *cell) {
	c.day, c.micros = t.date(), t.instant()
	if !m.dated(s, b, c) {
		return
	}
	start := len(m.scratch)
	m.scratch = appendDateTime(m.scratch, t)
	c.text, c.escape = m.scratch[start:], false
}

// dated checks the range of a cell's day.
func (m *Mapper) dated(s *boundStep, b []byte, c *cell) bool {
	if c.day < s.first || c.day > s.last {
		m.refuseRange(s, b)
		c.state = cellBroken
		return false
	}
	return true
}

// typedMoment reads what a database knows to be a date or time as it is, and any other value as it would be written.
func (m *Mapper) typedMoment(s *boundStep, v connectors.Value) (t moment, ok bool) {
	switch v.Kind() {
	case connectors.KindDate:
		t, ok = moment{day: v.Int()}, within(v.Int())
	case connectors.KindDateTime:
		t = wallClock(v.Int())
		ok = within(t.day)
	case connectors.KindTimestamp:
		ok = v.Int() > firstDay*microsPerDay && v.Int() < lastDay*microsPerDay
		t = momentAt(v.Int())
	default:
		b, ok := m.textOf(s, v)
		if !ok {
			return t, false
		}
		return m.moment(s, b)
	}
	if !ok {
		m.refuseRange(s, nil)
	}
	return t, ok
}

// moment reads a text in the step's layouts.
func (m *Mapper) moment(s *boundStep, b []byte) (t moment, ok bool) {
	if t, ok = s.readMoment(b); ok {
		return t, true
	}
	if b, ok = m.repair(s, b); !ok {
		return t, false
	}
	if t, ok = s.readMoment(b); !ok {
		m.refuseMoment(s, b)
	}
	t.dashed = false // the repaired text was, not the one that was written
	return t, ok
}

func (s *step) readMoment(b []byte) (t moment, ok bool) {
	if len(s.layouts) == 0 {
		return readMoment(b)
	}
	for i := range s.layouts {
		if t, ok = s.layouts[i].read(b); ok {
			return t, true
		}
	}
	return t, false
}
