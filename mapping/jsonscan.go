package mapping

import "github.com/datong-dx/datong/connectors"

// maxDepth bounds how deeply unknown values may be nested.
const maxDepth = 64

// jsonScanner reads JSON from left to right. Texts without escapes are views of the input; others are written to
// scratch. Every method returns false at the first byte that is not JSON.
type jsonScanner struct {
	b       []byte
	i       int
	scratch []byte
}

func (p *jsonScanner) space() {
	if p.i < len(p.b) && p.b[p.i] > ' ' {
		return
	}
	p.spaces()
}

func (p *jsonScanner) spaces() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

// take reads one given byte.
func (p *jsonScanner) take(c byte) bool {
	if p.i < len(p.b) && p.b[p.i] == c {
		p.i++
		return true
	}
	return false
}

// peek returns the next byte, 0 at the end.
func (p *jsonScanner) peek() byte {
	if p.i < len(p.b) {
		return p.b[p.i]
	}
	return 0
}

// word reads one of true, false and null.
func (p *jsonScanner) word(w string) bool {
	if len(p.b)-p.i < len(w) || string(p.b[p.i:p.i+len(w)]) != w {
		return false
	}
	p.i += len(w)
	return true
}

// number reads a number and returns its text.
func (p *jsonScanner) number() ([]byte, bool) {
	start := p.i
	p.take('-')
	if !p.take('0') && !p.digits() {
		return nil, false
	}
	if p.take('.') && !p.digits() {
		return nil, false
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if !p.digits() {
			return nil, false
		}
	}
	return p.b[start:p.i], true
}

func (p *jsonScanner) digits() bool {
	start := p.i
	for p.i < len(p.b) && p.b[p.i] >= '0' && p.b[p.i] <= '9' {
		p.i++
	}
	return p.i > start
}

// skip reads any value.
func (p *jsonScanner) skip(depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch p.peek() {
	case '"':
		_, ok := p.text()
		return ok
	case '{':
		return p.skipMembers(depth, '}')
	case '[':
		return p.skipMembers(depth, ']')
	case 't':
		return p.word("true")
	case 'f':
		return p.word("false")
	case 'n':
		return p.word("null")
	}
	_, ok := p.number()
	return ok
}

// skipMembers reads the rest of an object or array that ends with shut.
func (p *jsonScanner) skipMembers(depth int, shut byte) bool {
	p.i++
	p.space()
	if p.take(shut) {
		return true
	}
	for {
		p.space()
		if shut == '}' && !p.name() {
			return false
		}
		if !p.skip(depth + 1) {
			return false
		}
		p.space()
		if p.take(shut) {
			return true
		}
		if !p.take(',') {
			return false
		}
	}
}

// name reads a member's name with its colon and the space around it.
func (p *jsonScanner) name() bool {
	if _, ok := p.text(); !ok {
		return false
	}
	return p.colon()
}

func (p *jsonScanner) colon() bool {
	p.space()
	if !p.take(':') {
		return false
	}
	p.space()
	return true
}

// array reads an array of plain values and hands each to fn.
func (p *jsonScanner) array(fn func(connectors.Value)) bool {
	p.space()
	if !p.take('[') {
		return false
	}
	p.space()
	if !p.take(']') {
		for {
			p.space()
			v, ok := p.scalar()
			if !ok {
				return false
			}
			fn(v)
			p.space()
			if p.take(']') {
				break
			}
			if !p.take(',') {
				return false
			}
		}
	}
	p.space()
	return p.i == len(p.b)
}

// scalar reads a string, number, boolean or null.
func (p *jsonScanner) scalar() (connectors.Value, bool) {
	switch p.peek() {
	case '"':
		b, ok := p.text()
		return connectors.String(b), ok
	case 't':
		return connectors.Bool(true), p.word("true")
	case 'f':
		return connectors.Bool(false), p.word("false")
	case 'n':
		return connectors.Null(), p.word("null")
	}
	b, ok := p.number()
	return connectors.Decimal(b), ok
}
