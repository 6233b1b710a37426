package mapping

import "github.com/datong-dx/datong/connectors"

// keySeparator parts the elements of an entity key: U+001F, the unit separator.
const keySeparator = 0x1F

// keyOnly makes the key of a row whose other elements do not matter.
func (m *Mapper) keyOnly(outcome Outcome) *Result {
	for _, k := range m.bound.plan.keys {
		m.takeStep(k)
	}
	m.makeKey()
	m.result.Outcome = outcome
	if m.result.Key == nil && outcome == Accepted {
		m.requireKey()
		return m.refused()
	}
	return &m.result
}

// requireKey notes the key elements that a delete lacks.
func (m *Mapper) requireKey() {
	musts := m.bound.plan.musts
	for i := range musts {
		if u := &musts[i]; !m.has(u.step) && m.bound.plan.keyed(u.step) {
			m.refuseAbsent(u)
		}
	}
}

func (m *Mapper) makeKey() {
	m.key = m.key[:0]
	for i, k := range m.bound.plan.keys {
		c := &m.cells[k]
		if c.state != cellSet {
			return
		}
		if i > 0 {
			m.key = append(m.key, keySeparator)
		}
		m.key = append(m.key, c.text...)
	}
	m.result.Key = m.key
}

// OldKey returns the entity key that the row had before an update changed it, when the row tells and the key is made of
// the source's key columns alone. The bytes are valid until the next OldKey; a Result stays valid.
func (m *Mapper) OldKey(row *connectors.Row) ([]byte, bool) {
	key := m.bound.table.Key
	if !m.bound.old || row.Old == nil || len(row.Old) != len(key) {
		return nil, false
	}
	if m.former == nil {
		m.former = newMapper(m.bound)
		m.former.values = make([]connectors.Value, len(m.bound.table.Columns))
	}
	f := m.former
	for i, column := range key {
		f.values[column] = row.Old[i]
	}
	f.begin(f.values, row.Time)
	f.keyOnly(Accepted)
	return f.result.Key, f.result.Key != nil
}

// AppendRowKey appends the text of the given columns of a row, joined by U+001F: a key for what is kept per source row.
// Null and absent values are told from empty text by a leading U+0000.
func AppendRowKey(dst []byte, row *connectors.Row, columns []int) []byte {
	for i, column := range columns {
		if i > 0 {
			dst = append(dst, keySeparator)
		}
		if column >= len(row.Values) || row.Values[column].IsNull() {
			dst = append(dst, 0)
			continue
		}
		dst = row.Values[column].AppendText(dst)
	}
	return dst
}
