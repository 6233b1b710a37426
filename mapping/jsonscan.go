package mapping

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/datong-dx/datong/connectors"
)

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

// text reads a string.
func (p *jsonScanner) text() ([]byte, bool) {
	if !p.take('"') {
		return nil, false
	}
	b, i, rare := p.b, p.i, false
	for i < len(b) {
		c := b[i]
		switch {
		case c >= utf8.RuneSelf:
			if hanAt(b, i) {
				i += 3
				continue
			}
			rare = true
		case c == '"':
			out := b[p.i:i]
			p.i = i + 1
			return out, !rare || utf8.Valid(out)
		case c == '\\':
			return p.escaped(p.i, i)
		case c < 0x20:
			return nil, false
		case len(b)-i >= 8 && plain8(binary.LittleEndian.Uint64(b[i:])):
			i += 8
			continue
		}
		i++
	}
	return nil, false
}

// escaped reads the string that began at start and has its first escape at i.
func (p *jsonScanner) escaped(start, i int) ([]byte, bool) {
	from := len(p.scratch)
	p.scratch = append(p.scratch, p.b[start:i]...)
	for i < len(p.b) {
		c := p.b[i]
		switch {
		case c == '"':
			p.i = i + 1
			out := p.scratch[from:]
			return out, utf8.Valid(out)
		case c < 0x20:
			return nil, false
		case c != '\\':
			p.scratch = append(p.scratch, c)
			i++
		default:
			n := p.escape(p.b[i:])
			if n == 0 {
				return nil, false
			}
			i += n
		}
	}
	return nil, false
}

// escape appends what one escape stands for and returns its length, 0 when it is none.
func (p *jsonScanner) escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch c := b[1]; c {
	case '"', '\\', '/':
		p.scratch = append(p.scratch, c)
	case 'b':
		p.scratch = append(p.scratch, '\b')
	case 'f':
		p.scratch = append(p.scratch, '\f')
	case 'n':
		p.scratch = append(p.scratch, '\n')
	case 'r':
		p.scratch = append(p.scratch, '\r')
	case 't':
		p.scratch = append(p.scratch, '\t')
	case 'u':
		return p.unicode(b)
	default:
		return 0
	}
	return 2
}

// unicode reads \uXXXX, or two of them that are a surrogate pair; half a pair becomes U+FFFD.
func (p *jsonScanner) unicode(b []byte) int {
	r, ok := hex4(b[2:])
	if !ok {
		return 0
	}
	n := 6
	if utf16.IsSurrogate(r) {
		low := rune(-1)
		if len(b) >= 8 && b[6] == '\\' && b[7] == 'u' {
			low, _ = hex4(b[8:])
		}
		if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
			n = 12
		}
	}
	p.scratch = utf8.AppendRune(p.scratch, r)
	return n
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return -1, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
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
