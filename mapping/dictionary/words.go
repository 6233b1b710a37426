package dictionary

import (
	"strconv"
	"strings"
)

// values says in a few words what an element's values are: string 18, decimal 20,6, list of string 1.
func (p *printer) values(el *Element) string {
	s := p.typeName(el.Type)
	switch {
	case el.Type == Decimal:
		s += " " + strconv.Itoa(el.Precision) + "," + strconv.Itoa(el.Scale)
	case el.Length > 0 && el.Length == el.MinLength:
		s += " " + strconv.Itoa(el.Length)
	case el.Length > 0 && el.MinLength > 0:
		s += " " + strconv.Itoa(el.MinLength) + ".." + strconv.Itoa(el.Length)
	case el.Length > 0:
		s += " .." + strconv.Itoa(el.Length)
	}
	if el.Unit != "" {
		s += " " + el.Unit
	}
	if el.List {
		s = p.say("多值 ", "list of ") + s
	}
	return s
}

// rules names the format and code set of an element.
func (p *printer) rules(el *Element) string {
	var rules []string
	if el.Format != "" {
		rules = append(rules, p.say("格式 ", "format ")+el.Format)
	}
	if el.CodeSet != "" {
		rules = append(rules, p.say("代码 ", "codes ")+el.CodeSet)
	}
	return strings.Join(rules, p.say("，", ", "))
}

func bounds(el *Element) string {
	switch {
	case el.Min == "" && el.Max == "":
		return ""
	case el.Max == "":
		return "≥ " + el.Min
	case el.Min == "":
		return "≤ " + el.Max
	}
	return el.Min + " … " + el.Max
}

// when says the condition of a conditional element.
func (p *printer) when(c *Condition) string {
	if c == nil {
		return ""
	}
	s := p.say("：当 ", ": when ") + c.Element
	or := p.say(" 或 ", " or ")
	if len(c.In) > 0 {
		s += p.say(" 为 ", " is ") + strings.Join(c.In, or)
	}
	if len(c.NotIn) > 0 {
		s += p.say(" 不为 ", " is not ") + strings.Join(c.NotIn, or)
	}
	if len(c.In)+len(c.NotIn) == 0 {
		s += p.say(" 有值", " is given")
	}
	return s
}

// period says when a code is valid, nothing when it is always.
func (p *printer) period(c Code) string {
	from, to := dayText(c.From), dayText(c.To)
	switch {
	case from == "" && to == "":
		return ""
	case to == "":
		return p.say("自 ", "from ") + from
	case from == "":
		return p.say("至 ", "until ") + to
	}
	return from + " … " + to
}

// standard names where a rule comes from.
func (p *printer) standard(standard, clause string) string {
	switch standard {
	case Practice:
		return p.say("实践通用，无标准条文", "common practice, no standard")
	case Own:
		return p.say("本字典自定", "set by this dictionary")
	}
	return strings.TrimSpace(standard + " " + clause)
}

func (p *printer) typeName(t Type) string {
	if p.lang != "zh" {
		return string(t)
	}
	return map[Type]string{String: "字符串", Integer: "整数", Decimal: "小数", Date: "日期", DateTime: "日期时间", Boolean: "是否"}[t]
}

func (p *printer) obligation(o Obligation) string {
	if p.lang != "zh" {
		return string(o)
	}
	return map[Obligation]string{Mandatory: "必填", Conditional: "条件必填", Optional: "选填"}[o]
}

func (p *printer) sensitivity(s Sensitivity) string {
	if p.lang != "zh" {
		return string(s)
	}
	return map[Sensitivity]string{Public: "公开", Internal: "内部", Personal: "个人信息", Sensitive: "敏感个人信息"}[s]
}
