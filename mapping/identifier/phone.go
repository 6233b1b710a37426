package identifier

import (
	"bytes"

	"github.com/datong-dx/datong/connectors"
)

var (
	mobile = &Format{
		Name:     "mobile",
		Title:    connectors.Text{Zh: "手机号码", En: "Mobile number"},
		Standard: "practice",
		Layout: connectors.Text{
			Zh: "1 开头的 11 位数字，第二位为 3 至 9；去掉 +86、0086 前缀、空格和连字符",
			En: "11 digits, the first 1 and the second 3 to 9; the prefixes +86 and 0086, spaces and hyphens are left out",
		},
		Check:     checkMobile,
		Normalise: normaliseMobile,
	}
	phone = &Format{
		Name:     "phone",
		Title:    connectors.Text{Zh: "联系电话", En: "Telephone number"},
		Standard: "practice",
		Layout: connectors.Text{
			Zh: "手机号码，或区号（0 开头，3 至 4 位）-号码（7 至 8 位），可加 -分机号（1 至 6 位）；400、800 开头的 10 位号码",
			En: "a mobile number, or area code (0 and 2 or 3 digits)-number (7 or 8 digits), with -extension (1 to 6 digits) where there is one; or 10 digits beginning with 400 or 800",
		},
		Check:     checkPhone,
		Normalise: normalisePhone,
	}
)

var (
	errMobileLength    = reason(RuleLength, "手机号码应为 11 位", "a mobile number has 11 digits")
	errMobileCharacter = reason(RuleCharacter, "手机号码应为 1 开头的数字，第二位为 3 至 9", "a mobile number is digits, the first 1 and the second 3 to 9")
	errPhoneLength     = reason(RuleLength, "电话号码的位数不对", "a telephone number has another number of digits")
	errPhoneCharacter  = reason(RuleCharacter, "电话号码应为手机号码，或 0 开头的区号、连字符和号码", "a telephone number is a mobile number, or an area code beginning with 0, a hyphen and a number")
)

func checkMobile(b []byte) error {
	switch {
	case len(b) != 11:
		return errMobileLength
	case !digits(b) || b[0] != '1' || b[1] < '3':
		return errMobileCharacter
	}
	return nil
}

func normaliseMobile(dst, src []byte) []byte {
	at := len(dst)
	return withoutCountry(compact(dst, src), at)
}

// withoutCountry takes the prefix of China off what stands in b from at.
func withoutCountry(b []byte, at int) []byte {
	for _, prefix := range [...]string{"+86", "0086"} {
		if bytes.HasPrefix(b[at:], []byte(prefix)) {
			return append(b[:at], b[at+len(prefix):]...)
		}
	}
	return b
}

func checkPhone(b []byte) error {
	if len(b) == 0 {
		return errPhoneLength
	}
	if b[0] == '1' {
		return checkMobile(b)
	}
	if b[0] == '4' || b[0] == '8' {
		return checkServicePhone(b)
	}
	area, rest, ok := bytes.Cut(b, []byte("-"))
	number, extension, extended := bytes.Cut(rest, []byte("-"))
	switch {
	case !ok || b[0] != '0' || !digits(area) || !digits(number) || !digits(extension):
		return errPhoneCharacter
	case len(area) != areaDigits(b), len(number) != 7 && len(number) != 8, extended && (len(extension) < 1 || len(extension) > 6):
		return errPhoneLength
	}
	return nil
}

func checkServicePhone(b []byte) error {
	switch {
	case len(b) != 10:
		return errPhoneLength
	case !digits(b) || b[1] != '0' || b[2] != '0':
		return errPhoneCharacter
	}
	return nil
}

// areaDigits is how long the area code is: 010 and 02x have three digits, all others four.
func areaDigits(b []byte) int {
	if len(b) > 1 && (b[1] == '1' || b[1] == '2') {
		return 3
	}
	return 4
}

// normalisePhone puts a hyphen behind the area code, in place of brackets around it too, and keeps the one before an
// extension.
func normalisePhone(dst, src []byte) []byte {
	at := len(dst)
	dst = withoutCountry(clean(dst, src, true), at)
	dst = unbracket(dst, at)
	b := dst[at:]
	if len(b) == 0 || b[0] != '0' {
		if n := len(b) - bytes.Count(b, []byte("-")); n == 10 || n == 11 {
			return dst[:at+len(drop(b, '-'))]
		}
		return dst
	}
	area := areaDigits(b)
	if bytes.IndexByte(b, '-') < 0 && digits(b) && len(b) >= area+7 && len(b) <= area+8 {
		dst = append(dst, 0)
		b = dst[at:]
		copy(b[area+1:], b[area:])
		b[area] = '-'
	}
	return dst
}

// unbracket makes (0353)1234567 of what stands in b from at 0353-1234567.
func unbracket(b []byte, at int) []byte {
	rest := b[at:]
	if len(rest) == 0 || rest[0] != '(' {
		return b
	}
	end := bytes.IndexByte(rest, ')')
	if end < 0 {
		return b
	}
	rest[end] = '-'
	copy(rest, rest[1:])
	return b[:len(b)-1]
}

// drop removes c from b in place.
func drop(b []byte, c byte) []byte {
	kept := b[:0]
	for _, x := range b {
		if x != c {
			kept = append(kept, x)
		}
	}
	return kept
}
