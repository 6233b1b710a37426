package mapping

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

// traits are what one look at a text finds out about it.
type traits uint8

const (
	traitEscape    traits = 1 << iota // JSON must escape something in it
	traitHigh                         // it has characters beyond ASCII
	traitFullwidth                    // it may have full-width forms or a U+3000
	traitNUL                          // U+0000: no SQL platform can store it
	traitReplaced                     // U+FFFD: an earlier decoder lost a character here
	traitInvalid                      // it is not UTF-8
	traitSeparator                    // U+001F, which parts the elements of a key
)

const traitBroken = traitNUL | traitReplaced | traitInvalid

// asciiTraits holds what each ASCII byte means for its text.
var asciiTraits = func() (t [utf8.RuneSelf]traits) {
	for c := range 0x20 {
		t[c] = traitEscape
	}
	t['"'], t['\\'] = traitEscape, traitEscape
	t[0] |= traitNUL
	t[keySeparator] |= traitSeparator
	return t
}()

// look counts the characters of b and collects its traits, in one pass.
func look(b []byte) (chars int, t traits) {
	i := 0
	for i < len(b) {
		c := b[i]
		if c < utf8.RuneSelf {
			if len(b)-i >= 8 && plain8(binary.LittleEndian.Uint64(b[i:])) {
				i += 8
				chars += 8
				continue
			}
			t |= asciiTraits[c]
			i++
			chars++
			continue
		}
		t |= traitHigh
		if hanAt(b, i) {
			i += 3
			chars++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		t |= runeTraits(r, size)
		i += size
		chars++
	}
	return chars, t
}

// hanAt says that a Han character of three bytes stands at i: U+4000 to U+9FFF, nearly all that is not ASCII here.
func hanAt(b []byte, i int) bool {
	return i+2 < len(b) && b[i]-0xE4 <= 0xE9-0xE4 && b[i+1]&0xC0 == 0x80 && b[i+2]&0xC0 == 0x80
}

// plain8 says that eight bytes are ASCII without trait: no control characters, no quote, no backslash.
func plain8(w uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	control := w - 0x20*ones // a high bit where a byte is below 0x20
	quote, slash := w^'"'*ones, w^'\\'*ones
	return (w|control|(quote-ones)&^quote|(slash-ones)&^slash)&highs == 0
}

func runeTraits(r rune, size int) traits {
	switch {
	case r == utf8.RuneError && size <= 1:
		return traitInvalid
	case r == utf8.RuneError:
		return traitReplaced
	case r == 0x3000 || r >= 0xFF01 && r <= 0xFF5E:
		return traitFullwidth
	}
	return 0
}

// edge marks the bytes that white space can begin (1) or end (2) with.
var edge = func() (e [256]uint8) {
	for _, c := range " \t\n\v\f\r" {
		e[c] = 1 | 2
	}
	e[0xC2], e[0xE3] = 1, 1
	e[0xA0], e[0x80] = 2, 2
	return e
}()

// trim cuts white space off both ends: ASCII space, tab and line breaks, U+00A0 and U+3000.
func trim(b []byte) []byte {
	if len(b) == 0 || edge[b[0]]&1|edge[b[len(b)-1]]&2 == 0 {
		return b
	}
	return trimEdges(b)
}

func trimEdges(b []byte) []byte {
	for len(b) > 0 {
		n := leadingSpace(b)
		if n == 0 {
			break
		}
		b = b[n:]
	}
	for len(b) > 0 {
		n := trailingSpace(b)
		if n == 0 {
			break
		}
		b = b[:len(b)-n]
	}
	return b
}

func leadingSpace(b []byte) int {
	switch c := b[0]; {
	case c == ' ' || c >= '\t' && c <= '\r':
		return 1
	case c == 0xC2 && len(b) > 1 && b[1] == 0xA0:
		return 2
	case c == 0xE3 && len(b) > 2 && b[1] == 0x80 && b[2] == 0x80:
		return 3
	}
	return 0
}

func trailingSpace(b []byte) int {
	n := len(b)
	switch c := b[n-1]; {
	case c == ' ' || c >= '\t' && c <= '\r':
		return 1
	case c == 0xA0 && n > 1 && b[n-2] == 0xC2:
		return 2
	case c == 0x80 && n > 2 && b[n-2] == 0x80 && b[n-3] == 0xE3:
		return 3
	}
	return 0
}

// appendHalfwidth appends b with full-width letters, digits, marks and spaces made half-width (Unicode FF01 to FF5E are
// ASCII 21 to 7E in the same order).
func appendHalfwidth(dst, b []byte) []byte {
	for i := 0; i < len(b); {
		c := b[i]
		if c != 0xE3 && c != 0xEF {
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		switch {
		case r == 0x3000:
			dst = append(dst, ' ')
		case r >= 0xFF01 && r <= 0xFF5E:
			dst = append(dst, byte(r-0xFF01+0x21))
		default:
			dst = append(dst, b[i:i+size]...)
		}
		i += size
	}
	return dst
}

// nullWords is a set of words that mean null. Nearly all values are dismissed by their length and first byte.
type nullWords struct {
	empty   bool
	lengths uint64
	firsts  [4]uint64
	words   [][]byte
}

// standingNulls mean null in every field.
var standingNulls = []string{"", "NULL", "null", `\N`, "N/A"}

// emptyWords stand for nothing in many departments' data and for something in others: they are suggested as null words,
// never assumed, but a required text is not fulfilled by one.
var emptyWords = []string{"-", "--", "/", "无", "空", "暂无", "未知", "未记录", "n/a", "None", "nan", "NaN", "#N/A", "0()"}

// zeroWords are written for a date or code that is not known; they too are only suggested.
var zeroWords = []string{"0000-00-00", "0000-00-00 00:00:00", "00000000", "000000"}

var (
	hollow       = newNullWords(emptyWords)
	suspectNulls = newNullWords(slices.Concat(emptyWords, zeroWords))
)

func newNullWords(words []string) nullWords {
	var n nullWords
	for _, w := range words {
		b := trim([]byte(w))
		if len(b) == 0 {
			n.empty = true
			continue
		}
		n.lengths |= 1 << min(len(b), 63)
		n.firsts[b[0]>>6] |= 1 << (b[0] & 63)
		n.words = append(n.words, b)
	}
	return n
}

func (n *nullWords) has(b []byte) bool {
	if len(b) == 0 {
		return n.empty
	}
	return (n.lengths>>min(uint(len(b)), 63))&(n.firsts[b[0]>>6]>>(b[0]&63))&1 != 0 && n.holds(b)
}

func (n *nullWords) holds(b []byte) bool {
	for _, w := range n.words {
		if bytes.Equal(w, b) {
			return true
		}
	}
	return false
}
