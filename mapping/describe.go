package mapping

import (
	"fmt"
	"strings"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// StepDescription tells in words what a plan does for one element.
type StepDescription struct {
	Element string
	Title   connectors.Text
	// Source is the column, columns, constant or expression that the value comes from.
	Source string
	// Conversions and Rules are short texts, in the order in which they apply.
	Conversions []connectors.Text
	Rules       []connectors.Text
}

// Steps describes what the plan does, element by element, in the dictionary's order.
func (p *Plan) Steps() []StepDescription {
	list := make([]StepDescription, len(p.steps))
	for i := range p.steps {
		s := &p.steps[i]
		list[i] = StepDescription{
			Element: s.element.Name, Title: s.element.Title, Source: s.field.source(),
			Conversions: s.conversions(), Rules: s.rules(),
		}
	}
	return list
}

// Describe returns the plan as lines for a person, in the language "zh" or "en".
func (p *Plan) Describe(lang string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s (%s)\n", p.entity.Name, p.entity.Title.In(lang))
	if p.spec.When != "" {
		fmt.Fprintf(&out, "  when %s\n", p.spec.When)
	}
	for _, s := range p.Steps() {
		fmt.Fprintf(&out, "  %s ← %s", s.Element, s.Source)
		for _, t := range s.Conversions {
			out.WriteString(" → " + t.In(lang))
		}
		for i, t := range s.Rules {
			out.WriteString(map[bool]string{true: "  [", false: ", "}[i == 0] + t.In(lang))
		}
		if len(s.Rules) > 0 {
			out.WriteByte(']')
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func (s *step) conversions() []connectors.Text {
	var list []connectors.Text
	add := func(zh, en string) { list = append(list, connectors.Text{Zh: zh, En: en}) }
	f := s.field
	if len(f.Nulls) > 0 {
		add(fmt.Sprintf("空值词 %q", f.Nulls), fmt.Sprintf("%q are null", f.Nulls))
	}
	if f.Default != nil {
		add(fmt.Sprintf("缺省 %q", *f.Default), fmt.Sprintf("default %q", *f.Default))
	}
	if s.element.List && f.Separator != "" {
		add(fmt.Sprintf("按 %q 拆分", f.Separator), fmt.Sprintf("parted by %q", f.Separator))
	}
	if s.halfwidth {
		add("半角", "half-width")
	}
	if s.width > 0 {
		add(fmt.Sprintf("补零至 %d 位", s.width), fmt.Sprintf("zeros up to %d digits", s.width))
	}
	if s.walk != nil {
		add("对照表 "+f.Codes, "crosswalk "+f.Codes)
	}
	if len(f.Layouts) > 0 {
		add("格式 "+strings.Join(f.Layouts, "、"), "layouts "+strings.Join(f.Layouts, ", "))
	}
	if s.shift != 0 {
		add(f.Unit+" → "+s.element.Unit, f.Unit+" → "+s.element.Unit)
	}
	if s.format != nil && s.format.Normalise != nil {
		add(s.format.Name+" 规范形式", "canonical "+s.format.Name)
	}
	return list
}

func (s *step) rules() []connectors.Text {
	var list []connectors.Text
	add := func(zh, en string) { list = append(list, connectors.Text{Zh: zh, En: en}) }
	el := s.element
	switch {
	case s.key:
		add("主键", "key")
	case el.Obligation == dictionary.Mandatory:
		add("必填", "required")
	case el.RequiredWhen != nil:
		add("视 "+el.RequiredWhen.Element+" 必填", "required by "+el.RequiredWhen.Element)
	}
	if el.Type != dictionary.String {
		add(typeTitles[el.Type].Zh, string(el.Type))
	}
	switch {
	case el.MinLength > 0 && el.MinLength == el.Length:
		add(fmt.Sprintf("%d 字", el.Length), fmt.Sprintf("%d characters", el.Length))
	case el.MinLength > 0 || el.Length > 0:
		add(fmt.Sprintf("%d..%d 字", el.MinLength, el.Length), fmt.Sprintf("%d..%d characters", el.MinLength, el.Length))
	}
	if el.Precision > 0 {
		add(fmt.Sprintf("%d 位，小数 %d 位", el.Precision, el.Scale), fmt.Sprintf("%d digits, %d after the point", el.Precision, el.Scale))
	}
	if el.Min != "" || el.Max != "" {
		add(el.Min+".."+el.Max, el.Min+".."+el.Max)
	}
	if s.format != nil {
		add("格式 "+s.format.Name, "format "+s.format.Name)
	}
	if s.set != nil {
		add("代码集 "+s.set.Name, "code set "+s.set.Name)
	}
	if el.NotBefore != "" {
		add("不早于 "+el.NotBefore, "not before "+el.NotBefore)
	}
	return list
}
