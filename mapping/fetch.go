package mapping

import "github.com/datong-dx/datong/connectors"

// fetch takes the value of a step from the row: trimmed, null words made null, the default applied. ok is false when it
// was refused.
func (m *Mapper) fetch(s *boundStep) (v connectors.Value, ok bool) {
	m.taken, ok = -1, true
	switch s.origin {
	case originColumn:
		v = m.columnValue(s, s.columns[0])
	case originFirst:
		v = m.firstOf(s)
	case originConstant:
		return connectors.String(s.constant), true
	case originParts:
		v = m.join(s)
	case originExpression:
		v, ok = m.evaluate(s)
	}
	if ok && v.IsNull() && s.fallback != nil {
		v = connectors.String(s.fallback)
	}
	return v, ok
}

// columnValue is one column's value; a ragged row has none.
func (m *Mapper) columnValue(s *boundStep, column int) connectors.Value {
	if column >= len(m.values) {
		return connectors.Value{}
	}
	return s.clean(m.values[column])
}

// clean trims a text and makes null words null.
func (s *step) clean(v connectors.Value) connectors.Value {
	if k := v.Kind(); k != connectors.KindText && k != connectors.KindBytes {
		return v
	}
	b := trim(v.Bytes())
	if s.nulls.has(b) {
		return connectors.Null()
	}
	return connectors.String(b)
}

func (m *Mapper) firstOf(s *boundStep) connectors.Value {
	for _, column := range s.columns {
		if v := m.columnValue(s, column); !v.IsNull() {
			m.taken = column
			return v
		}
	}
	return connectors.Null()
}

// join concatenates the parts that are not null. A row in which every column is null gives null, whatever literal
// texts there are.
func (m *Mapper) join(s *boundStep) connectors.Value {
	start, column, parts, found := len(m.scratch), 0, 0, false
	for i := range s.field.Concat {
		p := &s.field.Concat[i]
		var v connectors.Value
		if p.Column != "" {
			v = m.columnValue(s, s.columns[column])
			column++
			if v.IsNull() {
				continue
			}
			found = true
		}
		if parts > 0 {
			m.scratch = append(m.scratch, s.field.Separator...)
		}
		parts++
		m.scratch = append(v.AppendText(m.scratch), p.Text...)
	}
	if !found && column > 0 {
		return connectors.Null()
	}
	return s.clean(connectors.String(m.scratch[start:]))
}

// evaluate computes the step's expression.
func (m *Mapper) evaluate(s *boundStep) (connectors.Value, bool) {
	result, err := s.expr.run(&m.machine, m.environment())
	var v connectors.Value
	if err == nil {
		v, err = m.valueOf(result)
	}
	if err != nil {
		m.refuseExpression(s)
		return connectors.Null(), false
	}
	return s.clean(v), true
}

// holds computes the mapping's condition; null is false. computed is false when it is no condition for this row.
func (m *Mapper) holds(when *expression) (truth, computed bool) {
	result, err := when.run(&m.machine, m.environment())
	if err != nil {
		return false, false
	}
	truth, computed = result.(bool)
	return truth, computed || result == nil
}

// environment gives expressions the columns of the row, read once however many expressions there are.
func (m *Mapper) environment() map[string]any {
	if m.filled {
		return m.variables
	}
	if m.variables == nil {
		m.variables = make(map[string]any, len(m.bound.seen))
	}
	for i, column := range m.bound.seen {
		var v connectors.Value
		if column < len(m.values) {
			v = m.values[column]
		}
		m.variables[m.bound.plan.seen[i]] = variable(v, &alwaysNull)
	}
	m.filled = true
	return m.variables
}

// alwaysNull are the null words of expressions, whose fields' own words apply to the result.
var alwaysNull = newNullWords(standingNulls)

// keep copies a text into the row's scratch memory.
func (m *Mapper) keep(s string) []byte {
	start := len(m.scratch)
	m.scratch = append(m.scratch, s...)
	return m.scratch[start:len(m.scratch):len(m.scratch)]
}

// column names the column, or columns, that a step's value came from.
func (m *Mapper) column(s *boundStep) string {
	if m.taken >= 0 {
		return m.bound.table.Columns[m.taken].Name
	}
	name := ""
	for i, column := range s.reads() {
		if i > 0 {
			name += "+"
		}
		name += column
	}
	return name
}
