package mapping

import (
	"bytes"
	"errors"
	"math"
	"strconv"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/identifier"
)

// textOf writes a value that is no text as one. ok is false when it was refused.
func (m *Mapper) textOf(s *boundStep, v connectors.Value) (b []byte, ok bool) {
	start := len(m.scratch)
	switch v.Kind() {
	case connectors.KindText, connectors.KindBytes, connectors.KindDecimal:
		return v.Bytes(), true
	case connectors.KindFloat:
		return m.floatText(s, v.Float())
	case connectors.KindJSON:
		m.refuse(s, RuleType, v.Bytes(), "是 JSON 数组或对象，此数据元只取一个值", "is a JSON array or object where one value is wanted",
			connectors.Text{Zh: "在数据源中取其中一个成员", En: "take one member of it at the source"})
		return nil, false
	}
	m.scratch = v.AppendText(m.scratch)
	return m.scratch[start:], true
}

// floatText writes a float without exponent. Of a whole number beyond 2^53 digits are lost already.
func (m *Mapper) floatText(s *boundStep, f float64) ([]byte, bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		m.refuseType(s, nil, connectors.Text{})
		return nil, false
	}
	start := len(m.scratch)
	m.scratch = strconv.AppendFloat(m.scratch, f, 'f', -1, 64)
	if math.Abs(f) >= 1<<53 {
		m.refuseExponent(s, m.scratch[start:])
		return nil, false
	}
	return m.scratch[start:], true
}

// repair makes a text fit to be read: half-width where the element asks for it, with lost zeros put back, translated by
// the crosswalk. ok is false when it was refused.
func (m *Mapper) repair(s *boundStep, b []byte) (repaired []byte, ok bool) {
	chars, t := look(b)
	if t&traitBroken != 0 {
		m.refuseEncoding(s, b, t)
		return nil, false
	}
	if s.halfwidth && t&traitFullwidth != 0 {
		start := len(m.scratch)
		m.scratch = appendHalfwidth(m.scratch, b)
		b = m.scratch[start:]
	}
	if s.width > chars {
		b = m.pad(b, s.width-chars)
	}
	if s.walk == nil {
		return b, true
	}
	standard, known := s.walk.Lookup(b, m.day)
	if standard == nil {
		m.refuseCrosswalk(s, b, known)
	}
	return standard, standard != nil
}

// pad puts back the leading zeros that a spreadsheet has dropped from a code of digits.
func (m *Mapper) pad(b []byte, zeros int) []byte {
	for _, c := range b {
		if c < '0' || c > '9' {
			return b
		}
	}
	start := len(m.scratch)
	for range zeros {
		m.scratch = append(m.scratch, '0')
	}
	m.scratch = append(m.scratch, b...)
	return m.scratch[start:]
}

// convertString makes texts, codes and identifiers of values that are no texts.
func convertString(m *Mapper, s *boundStep, v connectors.Value, c *cell) {
	b, ok := m.textOf(s, v)
	if !ok {
		c.state = cellBroken
		return
	}
	readString(m, s, b, c)
}

// readString makes texts, codes and identifiers.
func readString(m *Mapper, s *boundStep, b []byte, c *cell) {
	chars, t := look(b)
	if s.repairs || t&(traitBroken|traitFullwidth) != 0 {
		var ok bool
		if b, ok = m.repair(s, b); !ok {
			c.state = cellBroken
			return
		}
		chars, t = look(b)
	}
	if s.format != nil {
		if err := s.format.Check(b); err != nil { // most are canonical already
			if b = m.identify(s, b, err); b == nil {
				c.state = cellBroken
				return
			}
			chars, t = look(b)
		}
	}
	if s.set != nil && !m.member(s, b) || !m.fits(s, b, chars, t) {
		c.state = cellBroken
		return
	}
	c.text, c.escape = b, t&traitEscape != 0
}

// fits checks the length of a text, that a key can hold it, and that a required text is more than a hyphen.
func (m *Mapper) fits(s *boundStep, b []byte, chars int, t traits) bool {
	if s.element.Length > 0 && chars > s.element.Length || chars < s.element.MinLength {
		m.refuseLength(s, b, chars)
		return false
	}
	if s.key && t&traitSeparator != 0 {
		m.refuseKey(s, b)
		return false
	}
	if s.must && hollow.has(b) {
		m.refuseEmptyWord(s, b)
		return false
	}
	return true
}

// identify brings an identifier, which err says is not well formed, into its canonical form and checks it once more.
// nil says that it was refused.
func (m *Mapper) identify(s *boundStep, b []byte, err error) []byte {
	if s.format.Normalise != nil {
		start := len(m.scratch)
		m.scratch = s.format.Normalise(m.scratch, b)
		canonical := m.scratch[start:]
		if err = s.format.Check(canonical); err == nil {
			return canonical
		}
	}
	m.refuseFormat(s, b, err)
	return nil
}

// member checks a code against its code set at the record's date.
func (m *Mapper) member(s *boundStep, b []byte) bool {
	ok, known := s.set.Valid(b, m.day)
	if !ok {
		m.refuseCode(s, b, known)
	}
	return ok
}

// convertBoolean makes true and false of values that are no texts.
func convertBoolean(m *Mapper, s *boundStep, v connectors.Value, c *cell) {
	if v.Kind() == connectors.KindBool && s.walk == nil {
		c.text, c.escape = truthTexts[v.Int()&1], false
		return
	}
	b, ok := m.textOf(s, v)
	if !ok {
		c.state = cellBroken
		return
	}
	readBoolean(m, s, b, c)
}

// readBoolean makes true and false.
func readBoolean(m *Mapper, s *boundStep, b []byte, c *cell) {
	b, ok := m.repair(s, b)
	if ok {
		if c.text, c.escape = truth(b), false; c.text != nil {
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
	if d.parse(b, false) == faultExponent {
		m.refuseExponent(s, b)
		return
	}
	rule := "format." + s.format.Name
	message := connectors.Text{Zh: err.Error(), En: err.Error()}
	if r := (*identifier.Reason)(nil); errors.As(err, &r) {
		rule, message = rule+"."+r.Rule, r.Text
	}
	var try connectors.Text
	if suspectNulls.has(b) {
		try = tryNulls(b)
	}
	m.refuse(s, rule, b, message.Zh, message.En, try)
}
