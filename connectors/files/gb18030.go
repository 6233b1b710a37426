package files

import (
	"encoding/binary"
	"slices"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// golang.org/x/text decodes GB 18030 one byte at a time, which would take more time than all the rest of reading a file
// (BenchmarkDecode measures both). This decoder takes ASCII eight bytes at a time and two-byte characters from a table
// made with x/text; the rare four-byte characters still go through x/text, so that it alone decides what is valid.

// gbTable returns, for lead byte-0x81 and trail byte, the character as UTF-8 in the three low bytes, first byte lowest, and
// its length in the highest; 0 where there is no such character.
var gbTable = sync.OnceValue(func() *[126 << 8]uint32 {
	var t [126 << 8]uint32
	decoder := simplifiedchinese.GB18030.NewDecoder()
	var dst [8]byte
	for lead := 0x81; lead <= 0xfe; lead++ {
		for trail := 0x40; trail <= 0xfe; trail++ {
			n, _, err := decoder.Transform(dst[:], []byte{byte(lead), byte(trail)}, true)
			if r, size := utf8.DecodeRune(dst[:n]); err == nil && size == n && r != utf8.RuneError {
				clear(dst[n:])
				t[(lead-0x81)<<8|trail] = binary.LittleEndian.Uint32(dst[:])&0xffffff | uint32(n)<<24
			}
		}
	}
	return &t
})

// gbDecoder has no state between calls of Transform.
var gbDecoder = simplifiedchinese.GB18030.NewDecoder()

// decodeGB18030 appends src to dst as UTF-8. What cannot be decoded becomes U+FFFD, and ok false.
func decodeGB18030(dst, src []byte) (out []byte, ok bool) {
	const ascii8 = 0x8080808080808080
	table, ok := gbTable(), true
	dst = slices.Grow(dst, 3*len(src)+8) // an invalid byte becomes three; 8 more for whole stores
	n, out := len(dst), dst[:cap(dst)]
	for i := 0; i < len(src); {
		if i+8 <= len(src) {
			if word := binary.LittleEndian.Uint64(src[i:]); word&ascii8 == 0 {
				binary.LittleEndian.PutUint64(out[n:], word)
				i, n = i+8, n+8
				continue
			}
		}
		c := src[i]
		if c < utf8.RuneSelf {
			out[n] = c
			i, n = i+1, n+1
			continue
		}
		if i+1 < len(src) && c-0x81 < 126 {
			if packed := table[int(c-0x81)<<8|int(src[i+1])]; packed != 0 {
				binary.LittleEndian.PutUint32(out[n:], packed)
				i, n = i+2, n+int(packed>>24)
				continue
			}
		}
		size, width, valid := decodeRareGB18030(out[n:], src[i:])
		ok = ok && valid
		i, n = i+size, n+width
	}
	return out[:n], ok
}

// decodeRareGB18030 decodes what is not in the table: four-byte characters, the euro sign of code page 936, and errors.
func decodeRareGB18030(dst, src []byte) (size, width int, ok bool) {
	for size := 1; size <= min(4, len(src)); size += 3 {
		n, used, err := gbDecoder.Transform(dst[:utf8.UTFMax], src[:size], true)
		if r, _ := utf8.DecodeRune(dst[:n]); err == nil && used == size && r != utf8.RuneError && utf8.RuneCount(dst[:n]) == 1 {
			return size, n, true
		}
	}
	size = 1
	if len(src) > 1 && src[1] >= 0x80 { // a well-formed pair without a character: resume after it
		size = 2
	}
	return size, copy(dst, "\uFFFD"), false
}
