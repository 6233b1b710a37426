package files

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/datong-dx/datong/connectors"
)

// jsonRecords makes rows of JSON records.
type jsonRecords struct {
	*shape
	members []member // of the record at work
}

// member is one field of a record.
type member struct {
	column int
	value  connectors.Value
}

// add makes a row of a record, with the fields of what contains it. raw is one valid or invalid JSON value in UTF-8.
func (j *jsonRecords) add(b *connectors.Batch, raw []byte, around []outer) *connectors.Row {
	j.members = j.members[:0]
	why := j.collect(b, raw, around)
	row := b.Add(j.table, connectors.OpUpsert)
	if why != nil {
		row.Err = why
		row.Raw = b.Copy(raw[:min(len(raw), rawMax)])
		return row
	}
	for _, m := range j.members {
		row.Values[m.column] = m.value
	}
	return row
}

// collect fills members, or says why the record is refused.
func (j *jsonRecords) collect(b *connectors.Batch, raw []byte, around []outer) *connectors.Problem {
	if _, ok := decodeUTF8(nil, raw); !ok {
		return undecodable("utf-8")
	}
	if !json.Valid(raw) {
		return rowProblem("不是有效的 JSON", "the record is not valid JSON", connectors.Text{Zh: "请来源部门改正该记录", En: "have the department correct the record"})
	}
	for _, o := range around {
		if !j.put(b, []byte(o.name), o.raw) {
			return tooManyFields()
		}
	}
	return j.object(b, b.Copy(bytes.TrimSpace(raw)))
}

// object collects the members of a record that is in the batch's memory. A record that is no object is the field `value`.
func (j *jsonRecords) object(b *connectors.Batch, text []byte) *connectors.Problem {
	ok := true
	if text[0] != '{' {
		ok = j.put(b, []byte("value"), text)
	} else {
		eachMember(text, func(name, value []byte) bool {
			ok = j.put(b, unquote(b, name), value)
			return ok
		})
	}
	switch {
	case !ok:
		return tooManyFields()
	case slices.ContainsFunc(j.members, func(m member) bool { return m.value.Kind() == connectors.KindAbsent }):
		return rowProblem("有字符无法解码（不成对的 \\u 代理）", "a character cannot be decoded: half of a \\u pair", connectors.Text{})
	}
	return nil
}

// put adds a member; a later one of the same name wins, as in every JSON library.
func (j *jsonRecords) put(b *connectors.Batch, name, raw []byte) bool {
	i, ok := j.column(name, len(j.members))
	if ok {
		j.members = append(j.members, member{i, valueOf(b, raw)})
	}
	return ok
}

// eachMember calls fn with the members of a valid object: the name with its quotes, and the value.
func eachMember(object []byte, fn func(name, value []byte) bool) {
	i := 1
	for {
		i += space(object[i:])
		if object[i] == ',' {
			i++
			i += space(object[i:])
		}
		if object[i] == '}' {
			return
		}
		n := valueLen(object[i:])
		name := object[i : i+n]
		i += n
		i += space(object[i:]) + 1 // the colon
		i += space(object[i:])
		n = valueLen(object[i:])
		if !fn(name, object[i:i+n:i+n]) {
			return
		}
		i += n
	}
}

func space(p []byte) (n int) {
	for n < len(p) && isSpace(p[n]) {
		n++
	}
	return n
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// valueLen returns the length of the valid JSON value that p begins with.
func valueLen(p []byte) int {
	switch p[0] {
	case '"':
		return stringLen(p)
	case '{', '[':
		depth := 0
		for i := 0; i < len(p); i++ {
			switch p[i] {
			case '"':
				i += stringLen(p[i:]) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return len(p)
	}
	i := 0
	for i < len(p) && !isSpace(p[i]) && p[i] != ',' && p[i] != '}' && p[i] != ']' {
		i++
	}
	return i
}

// stringLen returns the length of the string, quotes included, that p begins with.
func stringLen(p []byte) int {
	for i := 1; i < len(p); i++ {
		switch p[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(p)
}

// valueOf makes a value of valid JSON that lives as long as the batch. It is absent when a string has half a \u pair.
func valueOf(b *connectors.Batch, raw []byte) connectors.Value {
	switch raw[0] {
	case '"':
		text := unquote(b, raw)
		if text == nil {
			return connectors.Value{}
		}
		return connectors.String(text)
	case '{', '[':
		return connectors.JSON(raw)
	case 't', 'f':
		return connectors.Bool(raw[0] == 't')
	case 'n':
		return connectors.Null()
	}
	return numberOf(b, raw)
}

// numberOf keeps a number exactly: an int64 where it is one, else a decimal.
func numberOf(b *connectors.Batch, raw []byte) connectors.Value {
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil && string(raw) != "-0" {
		return connectors.Int(n)
	}
	if e := bytes.IndexAny(raw, "eE"); e >= 0 {
		plain, ok := plainDecimal(raw, e)
		if !ok {
			return connectors.String(raw) // too large to be anybody's number: the mapping refuses the text
		}
		return connectors.Decimal(b.Copy(plain))
	}
	return connectors.Decimal(raw)
}

// plainDecimal writes a number without its exponent, which stands at e.
func plainDecimal(raw []byte, e int) ([]byte, bool) {
	const most = 64
	exponent, err := strconv.Atoi(string(raw[e+1:]))
	if err != nil || exponent < -most || exponent > most {
		return nil, false
	}
	digits, sign := raw[:e], []byte(nil)
	if digits[0] == '-' {
		sign, digits = digits[:1], digits[1:]
	}
	whole, fraction, _ := bytes.Cut(digits, []byte("."))
	all := slices.Concat(bytes.Repeat([]byte("0"), most), whole, fraction, bytes.Repeat([]byte("0"), most))
	point := most + len(whole) + exponent
	whole, fraction = bytes.TrimLeft(all[:point], "0"), bytes.TrimRight(all[point:], "0")
	if len(whole) == 0 {
		whole = []byte("0")
	}
	if len(fraction) > 0 {
		fraction = append([]byte("."), fraction...)
	}
	return slices.Concat(sign, whole, fraction), true
}

// unquote returns the text of a valid JSON string: a view of it when nothing is escaped, else in the batch's memory. It is
// nil when the string has half of a surrogate pair.
func unquote(b *connectors.Batch, quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	dst := b.Alloc(len(inner))[:0] // an escape is never shorter than what it stands for
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' {
			dst = append(dst, inner[i])
			continue
		}
		i++
		if inner[i] != 'u' {
			dst = append(dst, escaped(inner[i]))
			continue
		}
		r := hex4(inner[i+1:])
		i += 4
		if utf16.IsSurrogate(r) {
			if r = pair(r, inner[i+1:]); r == utf8.RuneError {
				return nil
			}
			i += 6
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

func escaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c // quote, backslash, slash
}

// pair joins the first half of a pair with the escape that follows.
func pair(first rune, rest []byte) rune {
	if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' {
		return utf8.RuneError
	}
	return utf16.DecodeRune(first, hex4(rest[2:]))
}

// hex4 reads the four digits of a valid escape.
func hex4(p []byte) rune {
	n, err := strconv.ParseUint(string(p[:4]), 16, 32)
	if err != nil || n > math.MaxUint16 {
		return utf8.RuneError
	}
	return rune(n)
}
