package mapping

import (
	"fmt"
	"slices"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// Violation is one rule of the dictionary, or of the mapping, that a row breaks. It never holds the value.
type Violation struct {
	// Element that the row would have given; empty when the rule is not about one element.
	Element string
	// Rule is the stable name of what is broken, one of the Rule constants; a named format's rules are
	// format.<name>.<reason>, such as format.uscc.check.
	Rule string
	// Column that the value came from; several are joined by +. Empty for what no column gives.
	Column string
	// Shape of the offending value, see [Shape]; empty when there is none.
	Shape string
	// Message tells a person what is wrong and what to try.
	Message connectors.Text
}

// Rules that a [Violation] names.
const (
	RuleRequired    = "required"     // a value must be there and is not
	RuleType        = "type"         // the value cannot be read as the element's type
	RuleLength      = "length"       // too few or too many characters
	RuleRange       = "range"        // less than the minimum or more than the maximum
	RulePrecision   = "precision"    // more digits than the element keeps; nothing is rounded
	RuleExponent    = "exponent"     // a spreadsheet has turned digits into 1.40302E+17
	RuleEncoding    = "encoding"     // not UTF-8, or a character that was lost before, or U+0000
	RuleKey         = "key"          // a key element holds U+001F, which parts the elements of a key
	RuleCrosswalk   = "crosswalk"    // the crosswalk does not know the source's code
	RuleCodeSet     = "codeset"      // the code is not in the code set
	RuleCodeSetDate = "codeset_date" // the code is in the code set, but not at the record's date
	RuleNotBefore   = "not_before"   // a date comes before the one it must follow
	RuleExpression  = "expr"         // the expression could not be computed for this row
	RuleWhen        = "when"         // the condition `when` could not be computed for this row
)

// What stands between what is wrong and what to try.
const tryZh, tryEn = "；可尝试：", "; try: "

// refuse notes a violation of the value b of a step, once per step and rule.
func (m *Mapper) refuse(s *boundStep, rule string, b []byte, zh, en string, try connectors.Text) {
	for i := range m.noted {
		if n := &m.noted[i]; n.slot == s.slot && n.violation.Rule == rule {
			return // another item of the same list
		}
	}
	v := Violation{Element: s.element.Name, Rule: rule, Column: m.column(s), Shape: Shape(b)}
	title := s.element.Title
	v.Message.Zh = named(title.Zh, s.element.Name, "（", "）") + "：" + zh
	v.Message.En = named(title.En, s.element.Name, " (", ")") + ": " + en
	if try.Zh != "" {
		v.Message.Zh += tryZh + try.Zh
	}
	if try.En != "" {
		v.Message.En += tryEn + try.En
	}
	m.note(s.slot, v)
}

func named(title, name, open, shut string) string {
	if title == "" {
		return name
	}
	return title + open + name + shut
}

// note keeps a violation, in the order of the elements when they are sorted at the end.
func (m *Mapper) note(slot int, v Violation) {
	m.noted = append(m.noted, noted{slot: slot, violation: v})
}

type noted struct {
	slot      int // of the dictionary's elements
	violation Violation
}

// settle moves what was noted into the result.
func (m *Mapper) settle() {
	slices.SortStableFunc(m.noted, func(a, b noted) int { return a.slot - b.slot })
	for i := range m.noted {
		m.result.Violations = append(m.result.Violations, m.noted[i].violation)
	}
}

// refuseType says that a value is not of the element's type.
func (m *Mapper) refuseType(s *boundStep, b []byte, try connectors.Text) {
	kind := typeTitles[s.element.Type]
	if suspectNulls.has(trim(b)) {
		try = tryNulls(b)
	}
	m.refuse(s, RuleType, b, "不是"+kind.Zh, "is not "+kind.En, try)
}

var typeTitles = map[dictionary.Type]connectors.Text{
	dictionary.String:   {Zh: "文字", En: "a text"},
	dictionary.Integer:  {Zh: "整数", En: "a whole number"},
	dictionary.Decimal:  {Zh: "数字", En: "a number"},
	dictionary.Date:     {Zh: "日期", En: "a date"},
	dictionary.DateTime: {Zh: "时间", En: "a time"},
	dictionary.Boolean:  {Zh: "是或否", En: "a yes or no"},
}

// tryNulls suggests to declare a word that often means null. Such a word is no data of anybody's.
func tryNulls(b []byte) connectors.Text {
	word := fmt.Sprintf("nulls: [%q]", b)
	return connectors.Text{Zh: "若表示空值，在该字段写 " + word, En: "if it means no value, add " + word + " to the field"}
}

// refuseEncoding says that a text has lost characters, or cannot be stored.
func (m *Mapper) refuseEncoding(s *boundStep, b []byte, t traits) {
	switch {
	case t&traitInvalid != 0:
		m.refuse(s, RuleEncoding, b, "不是有效的 UTF-8", "is not valid UTF-8",
			connectors.Text{Zh: "检查数据源的字符编码设置（如 GB 18030）", En: "check the source's character encoding (such as GB 18030)"})
	case t&traitReplaced != 0:
		m.refuse(s, RuleEncoding, b, "含有 U+FFFD：有字符在到达之前已丢失", "holds U+FFFD: a character was lost before it came here",
			connectors.Text{Zh: "在源系统更正，或检查编码设置", En: "correct it at the source, or check the encoding"})
	default:
		m.refuse(s, RuleEncoding, b, "含有 U+0000，数据库无法保存", "holds U+0000, which databases cannot store",
			connectors.Text{Zh: "在源系统更正", En: "correct it at the source"})
	}
}

// refuseExponent says that a spreadsheet has destroyed a number.
func (m *Mapper) refuseExponent(s *boundStep, b []byte) {
	if s.element.Type == dictionary.Integer || s.element.Type == dictionary.Decimal {
		m.refuse(s, RuleExponent, b, "是科学计数法，可能已丢失数字", "is in scientific notation, which may have lost digits",
			connectors.Text{Zh: "导出时写出全部数字", En: "export the number with all its digits"})
		return
	}
	m.refuse(s, RuleExponent, b, "被电子表格改成了科学计数法，15 位以后的数字已丢失",
		"was turned into scientific notation by a spreadsheet: digits beyond the 15th are lost",
		connectors.Text{Zh: "在表格中将该列设为文本后重新导出", En: "format the column as text and export it again"})
}
