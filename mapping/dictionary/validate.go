package dictionary

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
	"github.com/datong-dx/datong/mapping/identifier"
)

var (
	nameRule = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	semver   = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
)

// validate checks a whole dictionary: everything that can only be seen when all its parts are there.
func (l *loader) validate(d *Dictionary) {
	for _, c := range d.codeSets {
		l.validateCodeSet(c)
	}
	for _, e := range d.entities {
		l.validateEntity(d, e)
	}
}

func (l *loader) validateCodeSet(c *CodeSet) {
	if !nameRule.MatchString(c.Name) {
		l.add(c.at, noTry, "代码集名 %s 应为小写字母开头的字母、数字和下划线", "code set name %s is not lower-case letters, digits and underscores with a letter first", c.Name)
	}
	l.described(c.at, c.Name, c.Title, c.Standard)
	for i := range c.Codes {
		code := &c.Codes[i]
		if i > 0 && c.Codes[i-1].Value == code.Value && c.Codes[i-1].To >= code.From {
			l.add(code.at, noTry, "代码 %s 与 %s 处的有效期重叠", "code %s overlaps in time with the one in %s", code.Value, c.Codes[i-1].at)
		}
		if _, known := c.index[code.Parent]; code.Parent != "" && !known {
			l.add(code.at, noTry, "代码 %s 的上级 %s 不在代码集中", "code %s has the parent %s, which is not in the set", code.Value, code.Parent)
		}
	}
}

// described checks what everything in a dictionary must say of itself.
func (l *loader) described(at position, name string, title connectors.Text, standard string) {
	if title.Zh == "" {
		l.add(at, noTry, "%s 缺少 title", "%s lacks its title", name)
	}
	if standard == "" {
		l.add(at, connectors.Text{Zh: "写标准号，或 " + Practice + "、" + Own, En: "give the number of a standard, or " + Practice + ", or " + Own}, "%s 缺少 standard", "%s lacks its standard", name)
	}
}

func (l *loader) validateEntity(d *Dictionary, e *Entity) {
	if !nameRule.MatchString(e.Name) {
		l.add(e.at, noTry, "实体名 %s 应为小写字母开头的字母、数字和下划线", "entity name %s is not lower-case letters, digits and underscores with a letter first", e.Name)
	}
	l.described(e.at, e.Name, e.Title, e.Standard)
	if len(e.Key) == 0 {
		l.add(e.at, noTry, "实体 %s 缺少 key", "entity %s lacks its key", e.Name)
	}
	for i, name := range e.Key {
		el := e.Element(name)
		switch {
		case el == nil:
			l.add(e.at, nearest.Suggest(name, e.names()), "主键要素 %s 不存在", "key element %s does not exist", name)
		case slices.Contains(e.Key[:i], name):
			l.add(e.at, noTry, "主键要素 %s 重复", "key element %s is given twice", name)
		case el.Obligation != Mandatory || el.List:
			l.add(el.at, noTry, "主键要素 %s 必须必填且为单值", "key element %s must be mandatory and a single value", name)
		}
	}
	if name := e.DateElement; name != "" {
		if el := e.Element(name); el == nil || !el.isTime() || el.List {
			l.add(e.at, nearest.Suggest(name, e.names()), "date_element %s 不是本实体的日期要素", "date_element %s is not a date of this entity", name)
		}
	}
	for _, el := range e.Elements {
		l.validateElement(d, e, el)
	}
}

func (e *Entity) names() []string {
	names := make([]string, len(e.Elements))
	for i, el := range e.Elements {
		names[i] = el.Name
	}
	return names
}

func (el *Element) isTime() bool { return el.Type == Date || el.Type == DateTime }

func (l *loader) validateElement(d *Dictionary, e *Entity, el *Element) {
	if !nameRule.MatchString(el.Name) {
		l.add(el.at, noTry, "要素名 %s 应为小写字母开头的字母、数字和下划线", "element name %s is not lower-case letters, digits and underscores with a letter first", el.Name)
	}
	l.described(el.at, el.Name, el.Title, el.Standard)
	if el.Type == "" {
		l.add(el.at, noTry, "要素 %s 缺少 type", "element %s lacks its type", el.Name)
		return
	}
	if el.Format != "" && identifier.Lookup(el.Format) == nil {
		l.add(el.at, nearest.Suggest(el.Format, formatNames()), "格式 %s 不存在", "format %s does not exist", el.Format)
	}
	if el.CodeSet != "" {
		l.validateCodes(d, el)
	}
	l.validateValues(el)
	l.validateRelations(d, e, el)
}

// validateCodes checks that the element has room for the codes of its set.
func (l *loader) validateCodes(d *Dictionary, el *Element) {
	set := d.CodeSet(el.CodeSet)
	if set == nil {
		l.add(el.at, nearest.Suggest(el.CodeSet, d.codeSetNames()), "代码集 %s 不存在", "code set %s does not exist", el.CodeSet)
		return
	}
	for i := range set.Codes {
		value := set.Codes[i].Value
		if n := utf8.RuneCountInString(value); el.Length > 0 && (n > el.Length || n < el.MinLength) {
			l.add(el.at, noTry, "要素 %s 的长度容不下代码集 %s 的代码 %s", "element %s has no room for code %[3]s of code set %[2]s", el.Name, set.Name, value)
			return
		}
	}
}

// validateValues checks that the rules for values fit the type and each other.
func (l *loader) validateValues(el *Element) {
	onlyString := el.MinLength != 0 || el.Length != 0 || el.Format != "" || el.CodeSet != ""
	if el.Type != String && onlyString {
		l.add(el.at, noTry, "要素 %s：长度、格式和代码集只用于 string", "element %s: lengths, formats and code sets are for strings", el.Name)
	}
	if bounded := el.Min != "" || el.Max != ""; bounded && (el.Type == String || el.Type == Boolean) {
		l.add(el.at, noTry, "要素 %s：min 和 max 只用于数和日期", "element %s: min and max are for numbers and dates", el.Name)
	}
	if el.Length > 0 && el.MinLength > el.Length {
		l.add(el.at, noTry, "要素 %s：min_length 大于 length", "element %s: min_length is more than length", el.Name)
	}
	if el.Type == Decimal && el.Precision == 0 || el.Type != Decimal && (el.Precision != 0 || el.Scale != 0) || el.Scale > el.Precision {
		l.add(el.at, noTry, "要素 %s：decimal 需要 precision，且不小于 scale；其他类型不用", "element %s: a decimal needs a precision of at least its scale, other types have none", el.Name)
	}
	for _, bound := range []string{el.Min, el.Max} {
		if _, err := compareValues(el.Type, bound, bound); bound != "" && err != nil {
			l.add(el.at, noTry, "要素 %s：范围 %s 不是 %s 类型的值", "element %s: bound %s is not a value of type %s", el.Name, bound, el.Type)
			return
		}
	}
	if el.Min != "" && el.Max != "" {
		if order, _ := compareValues(el.Type, el.Min, el.Max); order > 0 {
			l.add(el.at, noTry, "要素 %s：min 大于 max", "element %s: min is more than max", el.Name)
		}
	}
}

// validateRelations checks what an element says of other elements.
func (l *loader) validateRelations(d *Dictionary, e *Entity, el *Element) {
	if name := el.NotBefore; name != "" {
		other := e.Element(name)
		switch {
		case other == nil:
			l.add(el.at, nearest.Suggest(name, e.names()), "要素 %s：not_before 的 %s 不存在", "element %s: not_before names %s, which does not exist", el.Name, name)
		case other == el || other.Type != el.Type || !el.isTime() || el.List || other.List:
			l.add(el.at, noTry, "要素 %s：not_before 的 %s 不是同类型的日期要素", "element %s: not_before names %s, which is not a date of the same type", el.Name, name)
		}
	}
	c := el.RequiredWhen
	if c == nil {
		return
	}
	other := e.Element(c.Element)
	switch {
	case el.Obligation == Optional:
		l.add(el.at, noTry, "要素 %s 有 required_when，obligation 应为 conditional", "element %s has required_when, so its obligation is conditional", el.Name)
	case other == nil || other == el:
		l.add(el.at, nearest.Suggest(c.Element, e.names()), "要素 %s：条件中的 %s 不是本实体的其他要素", "element %s: its condition names %s, which is no other element of this entity", el.Name, c.Element)
	default:
		l.validateCondition(d, el, other)
	}
}

// validateCondition checks that the values in a condition are values of the element that it looks at.
func (l *loader) validateCondition(d *Dictionary, el, other *Element) {
	set := d.CodeSet(other.CodeSet)
	for _, v := range slices.Concat(el.RequiredWhen.In, el.RequiredWhen.NotIn) {
		_, err := compareValues(other.Type, v, v)
		if set != nil {
			if _, known := set.TitleOf(v); !known {
				err = errors.New("not in the code set")
			}
		}
		if err != nil {
			l.add(el.at, noTry, "要素 %s：条件中的值 %s 不是 %s 的值", "element %s: %s in its condition is not a value of %s", el.Name, v, other.Name)
		}
	}
}

func formatNames() []string {
	var names []string
	for _, f := range identifier.Formats() {
		names = append(names, f.Name)
	}
	return names
}

func (d *Dictionary) codeSetNames() []string {
	names := make([]string, len(d.codeSets))
	for i, c := range d.codeSets {
		names[i] = c.Name
	}
	return names
}

// compareValues orders two values of a type as they stand in JSON.
func compareValues(t Type, a, b string) (int, error) {
	switch t {
	case Integer, Decimal:
		x, okX := new(big.Rat).SetString(a)
		y, okY := new(big.Rat).SetString(b)
		if !okX || !okY || t == Integer && !(x.IsInt() && y.IsInt()) {
			return 0, fmt.Errorf("not a value of type %s", t)
		}
		return x.Cmp(y), nil
	case Date:
		return compareTimes(time.DateOnly, a, b)
	case DateTime:
		return compareTimes(time.RFC3339, a, b)
	case Boolean:
		_, errA := strconv.ParseBool(a)
		_, errB := strconv.ParseBool(b)
		return 0, errors.Join(errA, errB)
	}
	return 0, nil
}

func compareTimes(layout, a, b string) (int, error) {
	x, errA := time.Parse(layout, a)
	y, errB := time.Parse(layout, b)
	return x.Compare(y), errors.Join(errA, errB)
}
