package mapping

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxShape is the length at which a shape is cut, in characters.
const maxShape = 40

// Shape describes how a value is written without telling what it is: digits become 9, Latin letters A and a, Han
// characters 汉, full-width digits and letters ９, Ａ and ａ, other letters 文; marks and spaces stay. Runs are counted:
// 9×17A. A long shape is cut with …
func Shape(b []byte) string {
	var s strings.Builder
	length, run := 0, 0
	var last rune
	for len(b) > 0 && length < maxShape {
		r, size := utf8.DecodeRune(b)
		b = b[size:]
		class := shapeClass(r, size)
		if run > 0 && class != last {
			length += writeRun(&s, last, run)
			run = 0
		}
		last = class
		run++
	}
	if run > 0 && length < maxShape {
		writeRun(&s, last, run)
	}
	if len(b) > 0 {
		s.WriteRune('…')
	}
	return s.String()
}

func writeRun(s *strings.Builder, class rune, n int) int {
	s.WriteRune(class)
	if n == 1 {
		return 1
	}
	count := strconv.Itoa(n)
	s.WriteRune('×')
	s.WriteString(count)
	return 2 + len(count)
}

func shapeClass(r rune, size int) rune {
	switch {
	case r == utf8.RuneError && size <= 1:
		return '�'
	case r >= '0' && r <= '9':
		return '9'
	case r >= 'A' && r <= 'Z':
		return 'A'
	case r >= 'a' && r <= 'z':
		return 'a'
	case r >= '０' && r <= '９':
		return '９'
	case r >= 'Ａ' && r <= 'Ｚ':
		return 'Ａ'
	case r >= 'ａ' && r <= 'ｚ':
		return 'ａ'
	case unicode.Is(unicode.Han, r):
		return '汉'
	case unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r):
		return '文'
	case r == 0:
		return '␀'
	case r < 0x20 || r == 0x7F:
		return '␣'
	case unicode.Is(unicode.Co, r):
		return '□' // private use: a rare character outside the standard sets
	}
	return r
}
