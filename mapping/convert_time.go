package mapping

import "github.com/datong-dx/datong/connectors"

// convertDate makes dates.
func convertDate(m *Mapper, s *boundStep, v connectors.Value, c *cell) {
	t, ok := m.moment(s, v)
	if !ok {
		c.state = cellBroken
		return
	}
	c.day = t.date()
	if s.unbounded && c.day >= noEnd-364 {
		c.day = noEnd
	}
	if c.day < s.first || c.day > s.last {
		m.refuseRange(s, m.shown(v))
		c.state = cellBroken
		return
	}
	start := len(m.scratch)
	m.scratch = appendDate(m.scratch, c.day)
	c.text, c.escape = m.scratch[start:], false
}

// convertDateTime makes instants that keep the offset they were written with.
func convertDateTime(m *Mapper, s *boundStep, v connectors.Value, c *cell) {
	t, ok := m.moment(s, v)
	if !ok {
		c.state = cellBroken
		return
	}
	c.day, c.micros = t.date(), t.instant()
	if c.day < s.first || c.day > s.last {
		m.refuseRange(s, m.shown(v))
		c.state = cellBroken
		return
	}
	start := len(m.scratch)
	m.scratch = appendDateTime(m.scratch, &t)
	c.text, c.escape = m.scratch[start:], false
}

// moment reads a value as a date or time. What a database knows to be one is taken as it is.
func (m *Mapper) moment(s *boundStep, v connectors.Value) (t moment, ok bool) {
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
		return m.writtenMoment(s, v)
	}
	if !ok {
		m.refuseRange(s, nil)
	}
	return t, ok
}

// writtenMoment reads a text, or a number as it would be written, in the step's layouts.
func (m *Mapper) writtenMoment(s *boundStep, v connectors.Value) (t moment, ok bool) {
	b, _, _, ok := m.text(s, v)
	if !ok {
		return t, false
	}
	if len(s.layouts) == 0 {
		t, ok = readMoment(b)
	}
	for i := range s.layouts {
		if t, ok = s.layouts[i].read(b); ok {
			break
		}
	}
	if !ok {
		m.refuseMoment(s, b)
	}
	return t, ok
}
