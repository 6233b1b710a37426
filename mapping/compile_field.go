package mapping

import (
	"slices"
	"strings"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// crosswalk finds the field's crosswalk and checks that all it gives is in the element's code set.
func (c *compiler) crosswalk(s *step) {
	f := s.field
	if f.Codes == "" {
		return
	}
	if s.walk = c.codes[f.Codes]; s.walk == nil {
		var names []string
		for name := range c.codes {
			names = append(names, name)
		}
		slices.Sort(names)
		try := nearest.Suggest(f.Codes, names)
		if try.En == "" {
			try = connectors.Text{Zh: "建立 codes/" + f.Codes + ".csv", En: "write codes/" + f.Codes + ".csv"}
		}
		c.problems.add(c.spec.whereField(f, "codes"), try, "没有代码对照表 %s", "there is no crosswalk %s", f.Codes)
		return
	}
	for _, row := range s.walk.Rows {
		at := Spec{File: s.walk.File}
		if s.element.Type == dictionary.Boolean && truth(row.standard) == nil {
			c.problems.add(at.at(row.Line, 0), connectors.Text{Zh: "写 true 或 false", En: "write true or false"},
				"%s 不是是或否", "%s is neither true nor false", row.Standard)
		}
		if s.set == nil {
			continue
		}
		if _, known := s.set.Valid(row.standard, 0); !known {
			c.problems.add(at.at(row.Line, 0), nearest.Suggest(row.Standard, codeValues(s.set)),
				"标准代码 %s 不在代码集 %s 中", "standard code %s is not in code set %s", row.Standard, s.set.Name)
		}
	}
}

func codeValues(set *dictionary.CodeSet) []string {
	var values []string
	for i := range set.Codes {
		values = append(values, set.Codes[i].Value)
	}
	return slices.Compact(values)
}

func (c *compiler) layouts(s *step) {
	for _, name := range s.field.Layouts {
		l, err := newLayout(name)
		if err != nil {
			c.problems.add(c.spec.whereField(s.field, "layouts"), nearest.Suggest(name, layoutNames),
				"日期格式 %[1]s 无法识别", "layout %[1]s cannot be read: %[2]s", name, err)
			continue
		}
		s.layouts = append(s.layouts, l)
		s.unbounded = s.unbounded || l.word != ""
	}
}

// unitPlaces are powers of ten of 元.
var unitPlaces = map[string]int{"分": -2, "角": -1, "元": 0, "千元": 3, "万元": 4, "百万元": 6, "千万元": 7, "亿元": 8}

func (c *compiler) unit(s *step) {
	unit, own := s.field.Unit, s.element.Unit
	if t := s.element.Type; unit == "" || unit == own || t != dictionary.Decimal && t != dictionary.Integer {
		return
	}
	from, known := unitPlaces[unit]
	to, money := unitPlaces[own]
	switch {
	case own == "":
		c.problems.add(c.spec.whereField(s.field, "unit"), connectors.Text{Zh: "删去 unit", En: "remove unit"},
			"数据元 %s 没有单位", "element %s has no unit", s.element.Name)
	case !known || !money:
		c.problems.add(c.spec.whereField(s.field, "unit"), connectors.Text{Zh: "选用 分、角、元、千元、万元、百万元、千万元、亿元", En: "one of 分, 角, 元, 千元, 万元, 百万元, 千万元, 亿元"},
			"单位 %s 无法换算为 %s", "unit %s cannot be turned into %s", unit, own)
	default:
		s.shift = from - to
	}
}

// misplaced refuses keys that would have no effect on the element.
func (c *compiler) misplaced(s *step) {
	f, t := s.field, s.element.Type
	dated := t == dictionary.Date || t == dictionary.DateTime
	for _, k := range []struct {
		key  string
		used bool
		ok   bool
		zh   string
		en   string
	}{
		{"layouts", len(f.Layouts) > 0, dated, "仅用于日期和时间", "is for dates and times"},
		{"codes", f.Codes != "", !dated && t != dictionary.Decimal, "仅用于代码", "is for codes"},
		{"unit", f.Unit != "", t == dictionary.Decimal || t == dictionary.Integer, "仅用于数字", "is for numbers"},
		{"width", f.Width > 0, t == dictionary.String, "仅用于代码和编号", "is for codes and identifiers"},
		{"separator", f.Separator != "", s.element.List || len(f.Concat) > 0, "仅用于多值数据元和 concat", "is for list elements and concat"},
	} {
		if k.used && !k.ok {
			c.problems.add(c.spec.whereField(f, k.key), connectors.Text{Zh: "删去 " + k.key, En: "remove " + k.key},
				"%[1]s %[3]s，而 %[2]s 不是", "%[1]s %[4]s, which %[2]s is not", k.key, s.element.Name, k.zh, k.en)
		}
	}
}

// constants tries the field's constant and default: what can never conform is a mistake of the mapping.
func (c *compiler) constants(s *step) {
	for key, value := range map[string][]byte{"value": s.constant, "default": s.fallback} {
		if value == nil {
			continue
		}
		m := newMapper(&Bound{plan: &Plan{entity: c.plan.entity}})
		bound := boundStep{step: s}
		var out cell
		m.fill(&bound, connectors.String(value), &out)
		if key == "value" && out.state == cellSet && !s.element.List && s.walk == nil {
			s.ready = &out
		}
		for _, n := range m.noted {
			if !dependsOnDay(s, n.violation.Rule, value) {
				zh, _, _ := strings.Cut(n.violation.Message.Zh, tryZh)
				en, _, _ := strings.Cut(n.violation.Message.En, tryEn)
				c.problems.add(c.spec.whereField(s.field, key), connectors.Text{}, "%[1]s 不符合数据字典：%[2]s", "%[1]s does not conform: %[3]s", key, zh, en)
			}
		}
	}
}

// dependsOnDay says that a value which breaks a rule today may be right for a record of another day.
func dependsOnDay(s *step, rule string, value []byte) bool {
	switch rule {
	case RuleCodeSetDate:
		return true
	case RuleCrosswalk:
		_, known := s.walk.Lookup(value, 0)
		return known
	}
	return false
}
