package identifier

// clean appends src in upper case and half-width, without white space and, unless hyphens are kept, without hyphens and
// dashes. Every other character is kept as it is.
func clean(dst, src []byte, keepHyphens bool) []byte {
	for i := 0; i < len(src); {
		if c := raised[src[i]]; c != 0 {
			dst = append(dst, c)
			i++
			continue
		}
		c, n := fold(src[i:])
		switch {
		case n == 0:
			dst = append(dst, src[i])
			n = 1
		case c == 0 || c == '-' && !keepHyphens:
		default:
			dst = append(dst, c)
		}
		i += n
	}
	return dst
}

// raised gives the upper-case form of printable ASCII, and 0 for what fold has to look at: white space, the hyphen and
// everything that is not ASCII.
var raised = func() (to [256]byte) {
	for c := byte('!'); c <= '~'; c++ {
		to[c], _ = fold([]byte{c})
	}
	to['-'] = 0
	return to
}()

// compact is clean without hyphens.
func compact(dst, src []byte) []byte { return clean(dst, src, false) }

// fold reads one character: its upper-case half-width ASCII form, or 0 for white space, and how many bytes it took; n is
// 0 for a character that has no such form.
func fold(b []byte) (c byte, n int) {
	switch c = b[0]; {
	case c >= 'a' && c <= 'z':
		return c - 'a' + 'A', 1
	case c == ' ' || c >= '\t' && c <= '\r':
		return 0, 1
	case c < 0x80:
		return c, 1
	case c == 0xC2 && len(b) > 1 && b[1] == 0xA0: // no-break space
		return 0, 2
	case len(b) < 3 || c < 0xE2 || c > 0xEF:
		return 0, 0
	}
	r := rune(b[0]&0x0F)<<12 | rune(b[1]&0x3F)<<6 | rune(b[2]&0x3F)
	if b[1]&0xC0 != 0x80 || b[2]&0xC0 != 0x80 {
		return 0, 0
	}
	switch {
	case r >= 0xFF01 && r <= 0xFF5E: // full-width forms
		c, _ = fold([]byte{byte(r - 0xFF01 + '!')})
		return c, 3
	case r == 0x3000, r == 0xFEFF, r >= 0x2000 && r <= 0x200D: // ideographic space, byte order mark, typographic spaces
		return 0, 3
	case r >= 0x2010 && r <= 0x2015, r == 0x2212: // hyphens, dashes, minus
		return '-', 3
	}
	return 0, 0
}

// digits reports whether b is all ASCII digits.
func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// pair returns the number that two ASCII digits write.
func pair(b []byte) int { return int(b[0]-'0')*10 + int(b[1]-'0') }
