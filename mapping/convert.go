package mapping

import (
	"bytes"
	"math"
	"strconv"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/identifier"
)

// text returns a value as text: half-width where the element asks for it, with lost zeros put back, translated by the
// crosswalk. ok is false when it was refused.
func (m *Mapper) text(s *boundStep, v connectors.Value) (b []byte, chars int, t traits, ok bool) {
	switch v.Kind() {
	case connectors.KindText, connectors.KindDecimal:
		b = v.Bytes()
	case connectors.KindFloat:
		b, ok = m.floatText(s, v.Float())
		if !ok {
			return nil, 0, 0, false
		}
	case connectors.KindJSON:
		m.refuse(s, RuleType, v.Bytes(), "是 JSON 数组或对象，此数据元只取一个值", "is a JSON array or object where one value is wanted",
			connectors.Text{Zh: "在数据源中取其中一个成员", En: "take one member of it at the source"})
		return nil, 0, 0, false
	default:
		start := len(m.scratch)
		m.scratch = v.AppendText(m.scratch)
		b = m.scratch[start:]
	}
	chars, t = look(b)
	if t&traitBroken != 0 {
		m.refuseEncoding(s, b, t)
		return nil, 0, 0, false
	}
	if s.halfwidth && t&traitFullwidth != 0 {
		b = m.halfwidth(b)
		chars, t = look(b)
	}
	if s.width > chars {
		b, chars = m.pad(b, s.width)
	}
	if s.walk != nil {
		return m.translate(s, b)
	}
	return b, chars, t, true
}

// translate looks the source's code up.
func (m *Mapper) translate(s *boundStep, b []byte) (standard []byte, chars int, t traits, ok bool) {
	standard, known := s.walk.Lookup(b, m.day)
	if standard == nil {
		m.refuseCrosswalk(s, b, known)
		return nil, 0, 0, false
	}
	chars, t = look(standard)
	return standard, chars, t, true
}

func (m *Mapper) halfwidth(b []byte) []byte {
	start := len(m.scratch)
	m.scratch = appendHalfwidth(m.scratch, b)
	return m.scratch[start:]
}

// pad puts back the leading zeros that a spreadsheet has dropped from a code of digits.
func (m *Mapper) pad(b []byte, width int) ([]byte, int) {
	for _, c := range b {
		if c < '0' || c > '9' {
			chars, _ := look(b)
			return b, chars
		}
	}
	start := len(m.scratch)
	for range width - len(b) {
		m.scratch = append(m.scratch, '0')
	}
	m.scratch = append(m.scratch, b...)
	return m.scratch[start:], width
}

// floatText writes a float without exponent. Of a whole number beyond 2^53 digits are lost already.
func (m *Mapper) floatText(s *boundStep, f float64) ([]byte, bool) {
	start := len(m.scratch)
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		m.refuseType(s, nil, connectors.Text{})
		return nil, false
	case math.Abs(f) >= 1<<53:
		m.scratch = strconv.AppendFloat(m.scratch, f, 'f', -1, 64)
		m.refuseExponent(s, m.scratch[start:])
		return nil, false
	}
	m.scratch = strconv.AppendFloat(m.scratch, f, 'f', -1, 64)
	return m.scratch[start:], true
}

// convertString makes texts, codes and identifiers.
func convertString(m *Mapper, s *boundStep, v connectors.Value, c *cell) {
	b, chars, t, ok := m.text(s, v)
	if ok && s.format != nil {
		b, ok = m.identify(s, b)
		chars, t = look(b)
	}
	if ok && s.set != nil {
		ok = m.member(s, b)
	}
	if ok && (s.element.Length > 0 && chars > s.element.Length || chars < s.element.MinLength) {
		m.refuseLength(s, b, chars)
		ok = false
	}
	if ok && s.key && t&traitSeparator != 0 {
		m.refuseKey(s, b)
		ok = false
	}
	if !ok {
		c.state = cellBroken
		return
	}
	c.text, c.escape = b, t&traitEscape != 0
}

// identify brings an identifier into its canonical form and checks it.
func (m *Mapper) identify(s *boundStep, b []byte) ([]byte, bool) {
	plain := b
	if s.format.Normalise != nil {
		start := len(m.scratch)
		m.scratch = s.format.Normalise(m.scratch, b)
		b = m.scratch[start:]
	}
	if err := s.format.Check(b); err != nil {
		m.refuseFormat(s, plain, err)
		return nil, false
	}
	return b, true
}

// member checks a code against its code set at the record's date.
func (m *Mapper) member(s *boundStep, b []byte) bool {
	ok, known := s.set.Valid(b, m.day)
	if !ok {
		m.refuseCode(s, b, known)
	}
	return ok
}

// convertBoolean makes true and false.
func convertBoolean(m *Mapper, s *boundStep, v connectors.Value, c *cell) {
	if v.Kind() == connectors.KindBool && s.walk == nil {
		c.text = truthTexts[v.Int()&1]
		return
	}
	b, _, _, ok := m.text(s, v)
	if ok {
		if c.text = truth(b); c.text != nil {
			return
		}
		m.refuseType(s, b, connectors.Text{Zh: "用 codes 对照为 true 和 false", En: "translate it to true and false with codes"})
	}
	c.state = cellBroken
}

var (
	truthTexts = [2][]byte{[]byte("false"), []byte("true")}
	truthWords = [2][][]byte{
		{[]byte("0"), []byte("false"), []byte("f"), []byte("n"), []byte("no"), []byte("否")},
		{[]byte("1"), []byte("true"), []byte("t"), []byte("y"), []byte("yes"), []byte("是")},
	}
)

// truth reads a boolean; nil when it is none.
func truth(b []byte) []byte {
	for i, words := range truthWords {
		for _, w := range words {
			if len(w) == len(b) && bytes.EqualFold(w, b) {
				return truthTexts[i]
			}
		}
	}
	return nil
}

// refuseFormat says why an identifier is not well formed. Scientific notation is named for what it is.
func (m *Mapper) refuseFormat(s *boundStep, b []byte, err error) {
	var d number
	if f := d.parse(b, false); f == faultExponent {
		m.refuseExponent(s, b)
		return
	}
	rule := "format." + s.format.Name
	message := connectors.Text{Zh: err.Error(), En: err.Error()}
	if r, ok := err.(*identifier.Reason); ok { //nolint:errorlint // Check returns it unwrapped
		rule, message = rule+"."+r.Rule, r.Text
	}
	var try connectors.Text
	if suspectNulls.has(b) {
		try = tryNulls(b)
	}
	m.refuse(s, rule, b, message.Zh, message.En, try)
}
