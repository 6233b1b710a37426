package mapping

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

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
