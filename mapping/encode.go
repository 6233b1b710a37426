package mapping

import "github.com/datong-dx/datong/mapping/dictionary"

// encode writes the record: canonical JSON, elements in the dictionary's order, no white space.
func (m *Mapper) encode() {
	out := m.value[:0]
	for i := range m.bound.steps {
		s, c := &m.bound.steps[i], &m.cells[i]
		if c.state != cellSet {
			continue
		}
		out = append(out, s.name...) // begins with a comma
		if s.element.List {
			out = m.encodeList(out, s, c)
			continue
		}
		out = appendScalar(out, s.element.Type, c.text, c.escape)
	}
	if len(out) == 0 {
		out = append(out, ',')
	}
	out[0] = '{'
	m.value = append(out, '}')
}

func (m *Mapper) encodeList(out []byte, s *boundStep, c *cell) []byte {
	out = append(out, '[')
	for i, it := range m.items[c.first:c.end] {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendScalar(out, s.element.Type, it.text, it.escape)
	}
	return append(out, ']')
}

// appendScalar writes integers and booleans bare, all else as strings.
func appendScalar(out []byte, t dictionary.Type, text []byte, escape bool) []byte {
	if t == dictionary.Integer || t == dictionary.Boolean {
		return append(out, text...)
	}
	return appendString(out, text, escape)
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string, escaping only what JSON demands: quotes, backslashes and control characters. escape
// says that there may be such characters.
func appendString(out, text []byte, escape bool) []byte {
	out = append(out, '"')
	if !escape {
		return append(append(out, text...), '"')
	}
	start := 0
	for i, c := range text {
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		out = append(out, text[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			out = append(out, '\\', c)
		case '\n':
			out = append(out, '\\', 'n')
		case '\r':
			out = append(out, '\\', 'r')
		case '\t':
			out = append(out, '\\', 't')
		case '\b':
			out = append(out, '\\', 'b')
		case '\f':
			out = append(out, '\\', 'f')
		default:
			out = append(out, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xF])
		}
	}
	return append(append(out, text[start:]...), '"')
}
