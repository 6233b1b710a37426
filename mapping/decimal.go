package mapping

import (
	"bytes"
	"cmp"
)

// maxDigits bounds the numbers that are handled; no amount or count is written with more.
const maxDigits = 96

// number is an exact decimal number: ±0.d₁d₂…dₙ × 10^point. Its digits carry no leading and no trailing zero; zero has
// none at all.
type number struct {
	negative bool
	n        int
	point    int
	digits   [maxDigits]byte
}

// fault says why a text is not a number.
type fault uint8

const (
	faultNone     fault = iota
	faultText           // it is not a number at all
	faultGroups         // its thousands are not parted by threes
	faultExponent       // 1.40302E+17: a spreadsheet has dropped digits
	faultLong           // it has more digits than any real number
)

// parse reads b: an optional sign, digits with an optional point, thousands parted by commas when every group is whole.
// An exponent is a fault unless exact says that the text was never a spreadsheet's.
func (d *number) parse(b []byte, exact bool) fault {
	d.n, d.point, d.negative = 0, 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		d.negative = b[0] == '-'
		b = b[1:]
	}
	mantissa, exponent, f := splitExponent(b)
	if f != faultNone {
		return f
	}
	if len(mantissa) != len(b) && !exact {
		return faultExponent
	}
	whole, fraction, pointed := bytes.Cut(mantissa, []byte{'.'})
	if len(whole)+len(fraction) == 0 || pointed && len(fraction) == 0 && len(whole) == 0 {
		return faultText
	}
	if f := d.wholePart(whole); f != faultNone {
		return f
	}
	d.point = d.n
	if f := d.fractionPart(fraction); f != faultNone {
		return f
	}
	d.point += exponent
	d.canonical()
	return faultNone
}

// splitExponent parts 1.5E+17 into 1.5 and 17.
func splitExponent(b []byte) (mantissa []byte, exponent int, f fault) {
	at := bytes.IndexByte(b, 'E')
	if at < 0 {
		at = bytes.IndexByte(b, 'e')
	}
	if at < 0 {
		return b, 0, faultNone
	}
	digits, negative := b[at+1:], false
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		negative = digits[0] == '-'
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 3 || at == 0 {
		return nil, 0, faultText
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return nil, 0, faultText
		}
		exponent = exponent*10 + int(c-'0')
	}
	if negative {
		exponent = -exponent
	}
	return b[:at], exponent, faultNone
}

func (d *number) wholePart(b []byte) fault {
	group, grouped := 0, false // digits since the last comma; whether there was one
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			if d.n == maxDigits {
				return faultLong
			}
			d.digits[d.n] = c
			d.n++
			group++
		case c == ',' && i > 0 && (group == 3 || !grouped && group < 3 && group > 0):
			group, grouped = 0, true
		case c == ',':
			return faultGroups
		default:
			return faultText
		}
	}
	if grouped && group != 3 {
		return faultGroups
	}
	return faultNone
}

func (d *number) fractionPart(b []byte) fault {
	for _, c := range b {
		if c < '0' || c > '9' {
			return faultText
		}
		if d.n == maxDigits {
			return faultLong
		}
		d.digits[d.n] = c
		d.n++
	}
	return faultNone
}

// canonical drops the zeros that do not count.
func (d *number) canonical() {
	for d.n > 0 && d.digits[d.n-1] == '0' {
		d.n--
	}
	lead := 0
	for lead < d.n && d.digits[lead] == '0' {
		lead++
	}
	if lead > 0 {
		copy(d.digits[:], d.digits[lead:d.n])
		d.n -= lead
		d.point -= lead
	}
	if d.n == 0 {
		d.point, d.negative = 0, false
	}
}

// shift moves the decimal point to the right by places, exactly.
func (d *number) shift(places int) {
	if d.n > 0 {
		d.point += places
	}
}

// whole is the number of digits before the point that count.
func (d *number) whole() int { return max(d.point, 0) }

// scale is the number of digits after the point that count.
func (d *number) scale() int { return max(d.n-d.point, 0) }

// append appends the canonical text: -1234.5, 0.05, 0.
func (d *number) append(dst []byte) []byte {
	if d.n == 0 {
		return append(dst, '0')
	}
	if d.negative {
		dst = append(dst, '-')
	}
	if d.point <= 0 {
		dst = append(dst, '0', '.')
		for range -d.point {
			dst = append(dst, '0')
		}
		return append(dst, d.digits[:d.n]...)
	}
	if d.point >= d.n {
		dst = append(dst, d.digits[:d.n]...)
		for range d.point - d.n {
			dst = append(dst, '0')
		}
		return dst
	}
	dst = append(dst, d.digits[:d.point]...)
	dst = append(dst, '.')
	return append(dst, d.digits[d.point:d.n]...)
}

// compare returns -1, 0 or 1 as d is less than, equal to or greater than o.
func (d *number) compare(o *number) int {
	if s, t := d.sign(), o.sign(); s != t {
		return cmp.Compare(s, t)
	}
	size := cmp.Compare(d.point, o.point)
	if size == 0 {
		size = bytes.Compare(d.digits[:d.n], o.digits[:o.n])
	}
	return size * d.sign()
}

func (d *number) sign() int {
	switch {
	case d.n == 0:
		return 0
	case d.negative:
		return -1
	}
	return 1
}

// slice returns the digits at the places from to to, counted from the first, as a number.
func (d *number) slice(from, to int) (n int64) {
	for i := max(from, 0); i < to && i < 18; i++ {
		n *= 10
		if i < d.n {
			n += int64(d.digits[i] - '0')
		}
	}
	return n
}

// int64 returns a whole number of at most 18 digits.
func (d *number) int64() (int64, bool) {
	if d.scale() > 0 || d.whole() > 18 {
		return 0, false
	}
	var n int64
	for i := range d.whole() {
		n *= 10
		if i < d.n {
			n += int64(d.digits[i] - '0')
		}
	}
	if d.negative {
		n = -n
	}
	return n, true
}
