package mapping

import (
	"fmt"
	"strconv"

	"github.com/datong-dx/datong/connectors"
)

// refuseAbsent says that a required element is missing.
func (m *Mapper) refuseAbsent(u *must) {
	s := boundStep{step: &step{slot: u.slot, element: u.element, field: &Field{}}}
	if u.step >= 0 {
		s = m.bound.steps[u.step]
	}
	m.taken = -1
	zh, en := "必填，却没有值", "is required and has no value"
	if u.when != nil {
		on := m.bound.steps[u.when.step].element
		zh, en = fmt.Sprintf("按%s的取值应填，却没有值", named(on.Title.Zh, on.Name, "（", "）")), "is required by the value of "+on.Name+" and has none"
	}
	try := connectors.Text{Zh: "在源系统补录，或在映射中写 default", En: "fill it in at the source, or give a default in the mapping"}
	if u.step < 0 {
		try = connectors.Text{Zh: "在映射中为它写来源", En: "give it a source in the mapping"}
	}
	m.refuse(&s, RuleRequired, nil, zh, en, try)
}

// refuseEmptyWord says that a required text is a word that stands for nothing.
func (m *Mapper) refuseEmptyWord(s *boundStep, b []byte) {
	m.refuse(s, RuleRequired, b, "必填，却只有表示空缺的“"+string(b)+"”", "is required and holds only "+strconv.Quote(string(b))+", which stands for no value",
		connectors.Text{Zh: "在源系统补录，或在映射中写 default", En: "fill it in at the source, or give a default in the mapping"})
}

func (m *Mapper) refuseOrder(later, earlier *boundStep) {
	m.taken = -1
	e := earlier.element
	m.refuse(later, RuleNotBefore, nil, "早于"+named(e.Title.Zh, e.Name, "（", "）"), "comes before "+named(e.Title.En, e.Name, " (", ")"),
		connectors.Text{Zh: "核对两列是否对调，或在源系统更正", En: "see whether the two columns are exchanged, or correct it at the source"})
}

func (m *Mapper) refuseLength(s *boundStep, b []byte, chars int) {
	least, most := strconv.Itoa(s.element.MinLength), strconv.Itoa(s.element.Length)
	has, unit := strconv.Itoa(chars), " characters"
	if chars == 1 {
		unit = " character"
	}
	var try connectors.Text
	if suspectNulls.has(b) {
		try = tryNulls(b)
	}
	if chars < s.element.MinLength {
		m.refuse(s, RuleLength, b, "有 "+has+" 个字符，至少应有 "+least+" 个", "has "+has+unit+" and needs at least "+least, try)
		return
	}
	m.refuse(s, RuleLength, b, "有 "+has+" 个字符，至多 "+most+" 个", "has "+has+unit+" and may have "+most+" at most",
		connectors.Text{Zh: "核对列是否对应，或在源系统缩短", En: "see whether it is the right column, or shorten it at the source"})
}

func (m *Mapper) refuseKey(s *boundStep, b []byte) {
	m.refuse(s, RuleKey, b, "是主键的一部分，不能含有 U+001F", "is part of the key and must not hold U+001F",
		connectors.Text{Zh: "在源系统更正", En: "correct it at the source"})
}

func (m *Mapper) refuseRange(s *boundStep, b []byte) {
	el := s.element
	zh, en := "超出范围", "is out of range"
	switch {
	case el.Min != "" && el.Max != "":
		zh, en = zh+" "+el.Min+" 至 "+el.Max, en+": from "+el.Min+" to "+el.Max
	case el.Min != "":
		zh, en = "小于 "+el.Min, "is less than "+el.Min
	case el.Max != "":
		zh, en = "大于 "+el.Max, "is more than "+el.Max
	}
	try := connectors.Text{Zh: "在源系统更正", En: "correct it at the source"}
	if el.Unit != "" {
		try = connectors.Text{Zh: "核对 unit（此数据元以" + el.Unit + "计）", En: "see whether unit is right (the element is in " + el.Unit + ")"}
	}
	m.refuse(s, RuleRange, b, zh, en, try)
}

func (m *Mapper) refusePrecision(s *boundStep, b []byte) {
	el := s.element
	whole, scale := strconv.Itoa(el.Precision-el.Scale), strconv.Itoa(el.Scale)
	try := connectors.Text{Zh: "在源系统更正，数值不会被四舍五入", En: "correct it at the source: nothing is rounded"}
	if el.Unit != "" {
		try = connectors.Text{Zh: "核对 unit（此数据元以" + el.Unit + "计）；数值不会被四舍五入", En: "see whether unit is right (the element is in " + el.Unit + "); nothing is rounded"}
	}
	m.refuse(s, RulePrecision, b, "整数至多 "+whole+" 位、小数至多 "+scale+" 位", "may have "+whole+" digits before the point and "+scale+" after it at most", try)
}

// refuseCrosswalk says that the crosswalk has no row for a code, or none at the record's date.
func (m *Mapper) refuseCrosswalk(s *boundStep, b []byte, known bool) {
	name := s.field.Codes
	if known {
		m.refuse(s, RuleCrosswalk, b, "源代码在对照表 "+name+" 中，但在记录日期无效", "is in crosswalk "+name+", but not at the record's date",
			connectors.Text{Zh: "核对对照表的 valid_from、valid_to", En: "see valid_from and valid_to in the crosswalk"})
		return
	}
	try := connectors.Text{Zh: "在对照表 " + name + " 中补一行", En: "add a row to crosswalk " + name}
	if suspectNulls.has(b) {
		try = tryNulls(b)
	}
	m.refuse(s, RuleCrosswalk, b, "源代码不在对照表 "+name+" 中", "is not in crosswalk "+name, try)
}

// refuseCode says that a code is not in its set, or not at the record's date.
func (m *Mapper) refuseCode(s *boundStep, b []byte, known bool) {
	name := s.set.Name
	if known {
		m.refuse(s, RuleCodeSetDate, b, "代码在代码集 "+name+" 中，但在记录日期无效", "is in code set "+name+", but not at the record's date",
			connectors.Text{Zh: "核对记录日期，或改用当时有效的代码", En: "see the record's date, or use the code that held then"})
		return
	}
	var d number
	if d.parse(b, false) == faultExponent {
		m.refuseExponent(s, b)
		return
	}
	try := connectors.Text{Zh: "用 codes 写对照表", En: "translate it by a crosswalk with codes"}
	if suspectNulls.has(b) {
		try = tryNulls(b)
	}
	m.refuse(s, RuleCodeSet, b, "代码不在代码集 "+name+" 中", "is not in code set "+name, try)
}

// refuseExpression says that an expression could not be computed. The cause may quote a value and is left out.
func (m *Mapper) refuseExpression(s *boundStep) {
	m.refuse(s, RuleExpression, nil, "表达式无法对此行求值", "the expression cannot be computed for this row",
		connectors.Text{Zh: "用 datong test 加一个同样取值的用例查看", En: "add a case with such values and run datong test"})
}

// refuseCondition says that the mapping's condition could not be computed.
func (m *Mapper) refuseCondition() {
	m.note(-1, Violation{Rule: RuleWhen, Message: connectors.Text{
		Zh: "条件 when 无法对此行求值" + tryZh + "对空值写 ?? 或 != nil",
		En: "the condition `when` cannot be computed for this row" + tryEn + "guard nulls with ?? or != nil",
	}})
}
