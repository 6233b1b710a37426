package mapping

// encode writes the record: canonical JSON, elements in the dictionary's order, no white space.
func (m *Mapper) encode() {
	out := m.value[:0]
	steps, cells := m.bound.steps, m.cells
	for i := range steps {
		s, c := &steps[i], &cells[i]
		if c.state != cellSet {
			continue
		}
		out = append(out, s.name...) // begins with a comma, and ends with the opening quote of a text
		switch {
		case s.element.List:
			out = m.encodeList(out, s, c)
		case c.escape:
			out = append(appendEscaped(out, c.text), '"')
		case s.quoted:
			out = append(append(out, c.text...), '"')
		default:
			out = append(out, c.text...)
		}
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
		if s.bare {
			out = append(out, it.text...)
		} else {
			out = appendString(out, it.text, it.escape)
		}
	}
	return append(out, ']')
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string. escape says that there may be characters in it that JSON must escape.
func appendString(out, text []byte, escape bool) []byte {
	out = append(out, '"')
	if escape {
		out = appendEscaped(out, text)
	} else {
		out = append(out, text...)
	}
	return append(out, '"')
}

// appendEscaped writes the inside of a JSON string, escaping only what JSON demands: quotes, backslashes and control
// characters.
func appendEscaped(out, text []byte) []byte {
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
	return append(out, text[start:]...)
}
