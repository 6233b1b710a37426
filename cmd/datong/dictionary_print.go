package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/datong-dx/datong/mapping/dictionary"
)

func (a *app) printDictionary(d *dictionary.Dictionary) {
	fmt.Fprintf(a.stdout, "%s %s\n\n", a.say("字典", "dictionary"), d.Version)
	var rows [][]string
	for _, e := range d.Entities() {
		rows = append(rows, []string{e.Name, strconv.Itoa(len(e.Elements)), e.Standard, e.Title.In(a.lang)})
	}
	a.table([]string{a.say("实体", "ENTITY"), a.say("数据元", "ELEMENTS"), a.say("依据", "STANDARD"), a.say("名称", "TITLE")}, rows)
	fmt.Fprintln(a.stdout)
	rows = nil
	for _, c := range d.CodeSets() {
		rows = append(rows, []string{c.Name, strconv.Itoa(len(c.Codes)), c.Standard, c.Title.In(a.lang)})
	}
	a.table([]string{a.say("代码集", "CODE SET"), a.say("代码", "CODES"), a.say("依据", "STANDARD"), a.say("名称", "TITLE")}, rows)
}

// obligations in words; an element without one is optional.
func (a *app) obligation(el *dictionary.Element) string {
	switch el.Obligation {
	case "mandatory":
		return a.say("必填", "mandatory")
	case "conditional":
		return a.say("条件", "conditional")
	}
	return a.say("可选", "optional")
}

func (a *app) printEntity(e *dictionary.Entity) {
	fmt.Fprintf(a.stdout, "%s  %s\n%s\n", e.Name, e.Title.In(a.lang), e.Definition.In(a.lang))
	fmt.Fprintf(a.stdout, "%s %s; %s %s\n\n", a.say("键：", "key:"), strings.Join(e.Key, ", "), a.say("依据：", "standard:"), strings.TrimSpace(e.Standard+" "+e.Clause))
	var rows [][]string
	for _, el := range e.Elements {
		rows = append(rows, []string{el.Name, shape(el), a.obligation(el), el.CodeSet + el.Format, el.Title.In(a.lang)})
	}
	a.table([]string{a.say("数据元", "ELEMENT"), a.say("类型", "TYPE"), a.say("约束", "OBLIGATION"), a.say("代码集、格式", "CODES, FORMAT"), a.say("名称", "TITLE")}, rows)
}

// shape writes an element's type with its lengths: string(..200), decimal(20,6), list of string(1).
func shape(el *dictionary.Element) string {
	s := string(el.Type)
	switch {
	case el.Length > 0 && el.MinLength == el.Length:
		s += fmt.Sprintf("(%d)", el.Length)
	case el.Length > 0 && el.MinLength > 0:
		s += fmt.Sprintf("(%d..%d)", el.MinLength, el.Length)
	case el.Length > 0:
		s += fmt.Sprintf("(..%d)", el.Length)
	case el.Precision > 0:
		s += fmt.Sprintf("(%d,%d)", el.Precision, el.Scale)
	}
	if el.List {
		return "list of " + s
	}
	return s
}

func (a *app) printElement(e *dictionary.Entity, el *dictionary.Element) {
	fmt.Fprintf(a.stdout, "%s.%s  %s\n%s\n\n", e.Name, el.Name, el.Title.In(a.lang), el.Definition.In(a.lang))
	line := func(zh, en, value string) {
		if value != "" {
			fmt.Fprintf(a.stdout, "%s %s\n", a.say(zh+"：", en+":"), value)
		}
	}
	line("类型", "type", shape(el))
	line("约束", "obligation", a.obligation(el)+condition(el.RequiredWhen))
	line("单位", "unit", el.Unit)
	line("范围", "range", rangeOf(el))
	line("格式", "format", el.Format)
	line("代码集", "code set", el.CodeSet)
	line("不早于", "not before", el.NotBefore)
	line("敏感程度", "sensitivity", string(el.Sensitivity))
	line("别名", "also called", strings.Join(el.Synonyms, ", "))
	line("依据", "standard", strings.TrimSpace(el.Standard+" "+el.Clause))
}

// condition writes when a conditional element is required.
func condition(c *dictionary.Condition) string {
	switch {
	case c == nil:
		return ""
	case len(c.In) > 0:
		return " (" + c.Element + " in " + strings.Join(c.In, ", ") + ")"
	case len(c.NotIn) > 0:
		return " (" + c.Element + " not in " + strings.Join(c.NotIn, ", ") + ")"
	}
	return " (" + c.Element + ")"
}

func rangeOf(el *dictionary.Element) string {
	if el.Min == "" && el.Max == "" {
		return ""
	}
	return el.Min + ".." + el.Max
}

func (a *app) printCodes(c *dictionary.CodeSet) {
	fmt.Fprintf(a.stdout, "%s  %s\n%s %s\n\n", c.Name, c.Title.In(a.lang), a.say("依据：", "standard:"), strings.TrimSpace(c.Standard+" "+c.Clause))
	var rows [][]string
	for _, code := range c.Codes {
		rows = append(rows, []string{code.Value, code.Parent, day(code.From), day(code.To), code.Title.In(a.lang)})
	}
	a.table([]string{a.say("代码", "CODE"), a.say("上级", "PARENT"), a.say("起", "FROM"), a.say("止", "TO"), a.say("名称", "TITLE")}, rows)
}

// day writes a day of a code's period, nothing for an open end.
func day(d int32) string {
	if d == math.MinInt32 || d == math.MaxInt32 {
		return ""
	}
	return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly)
}
