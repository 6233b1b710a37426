package mapping

import (
	"errors"
	"slices"
	"strings"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
	"github.com/datong-dx/datong/mapping/dictionary"
	"github.com/datong-dx/datong/mapping/identifier"
)

// Compile checks a mapping against the dictionary and its crosswalks, by name, and makes its plan. Every problem is
// reported, not the first: the error is a join of [connectors.Problem], each with file:line where the spec has them.
func Compile(spec *Spec, dict *dictionary.Dictionary, codes map[string]*Crosswalk) (*Plan, error) {
	c := compiler{spec: spec, dict: dict, codes: codes}
	entity := dict.Entity(spec.Entity)
	if entity == nil {
		c.problems.add(spec.where("entity"), nearest.Suggest(spec.Entity, entityNames(dict)),
			"数据字典没有实体 %s", "the dictionary has no entity %s", spec.Entity)
		return nil, c.problems.err()
	}
	c.plan = &Plan{spec: spec, entity: entity, date: -1}
	c.fields()
	c.conditions()
	if spec.When != "" {
		c.plan.when = c.expression(spec.where("when"), spec.When, true)
	}
	if len(c.problems) > 0 {
		return nil, c.problems.err()
	}
	c.finish()
	var err error
	c.plan.digest, err = c.plan.sum(codes)
	return c.plan, err
}

func entityNames(d *dictionary.Dictionary) []string {
	var names []string
	for _, e := range d.Entities() {
		names = append(names, e.Name)
	}
	return names
}

func elementNames(e *dictionary.Entity) []string {
	names := make([]string, len(e.Elements))
	for i, el := range e.Elements {
		names[i] = el.Name
	}
	return names
}

// suggestElement knows the other names of elements as well.
func suggestElement(name string, e *dictionary.Entity) connectors.Text {
	for _, el := range e.Elements {
		if name == el.Title.Zh || slices.Contains(el.Synonyms, name) {
			return connectors.Text{Zh: "数据字典中叫作 " + el.Name, En: "the dictionary calls it " + el.Name}
		}
	}
	return nearest.Suggest(name, elementNames(e))
}

type compiler struct {
	spec     *Spec
	dict     *dictionary.Dictionary
	codes    map[string]*Crosswalk
	plan     *Plan
	problems problems
}

// fields makes a step of each field and puts the steps into the dictionary's order.
func (c *compiler) fields() {
	entity := c.plan.entity
	mapped := map[int]bool{}
	for i := range c.spec.Fields {
		f := &c.spec.Fields[i]
		slot := entity.Index(f.Element)
		switch {
		case slot < 0:
			c.problems.add(c.spec.whereField(f, ""), suggestElement(f.Element, entity),
				"实体 %[2]s 没有数据元 %[1]s", "entity %[2]s has no element %[1]s", f.Element, entity.Name)
		case mapped[slot]:
			c.problems.add(c.spec.whereField(f, ""), connectors.Text{}, "数据元 %s 映射了两次", "element %s is mapped twice", f.Element)
		default:
			c.plan.steps = append(c.plan.steps, c.step(slot, f))
		}
		mapped[slot] = true
	}
	slices.SortFunc(c.plan.steps, func(a, b step) int { return a.slot - b.slot })
	for slot, el := range entity.Elements {
		if (el.Obligation == dictionary.Mandatory || slices.Contains(entity.Key, el.Name)) && !mapped[slot] {
			c.problems.add(c.spec.where("fields"), connectors.Text{Zh: "在 fields 中加一行 " + el.Name + ": 列名", En: "add a line " + el.Name + ": COLUMN to fields"},
				"必填数据元 %s（%s）没有来源", "required element %[1]s has no source", el.Name, el.Title.Zh)
		}
	}
}

func (c *compiler) step(slot int, f *Field) step {
	s := newStep(c.plan.entity, slot, f)
	c.source(&s)
	c.rules(&s)
	c.crosswalk(&s)
	c.layouts(&s)
	c.unit(&s)
	c.misplaced(&s)
	s.repairs = s.width > 0 || s.walk != nil
	c.constants(&s)
	return s
}

func (c *compiler) source(s *step) {
	f := s.field
	sources := 0
	for _, has := range []bool{len(f.From) > 0, f.Value != nil, f.Expr != "", len(f.Concat) > 0} {
		if has {
			sources++
		}
	}
	if sources != 1 {
		c.problems.add(c.spec.whereField(f, ""), connectors.Text{Zh: "在 from、value、expr、concat 中写一个", En: "write one of from, value, expr, concat"},
			"%s 有 %d 个来源，应恰有一个", "%s has %d sources and must have exactly one", f.Element, sources)
	}
	if f.Expr != "" {
		s.expr = c.expression(c.spec.whereField(f, "expr"), f.Expr, false)
	}
}

// rules takes over what the dictionary demands of the element.
func (c *compiler) rules(s *step) {
	el := s.element
	if el.CodeSet != "" {
		if s.set = c.dict.CodeSet(el.CodeSet); s.set == nil {
			c.broken(s, "code set "+el.CodeSet)
		}
	}
	if el.Format != "" {
		if s.format = identifier.Lookup(el.Format); s.format == nil {
			c.broken(s, "format "+el.Format)
		}
	}
	c.bound(s, el.Min, true)
	c.bound(s, el.Max, false)
}

// broken reports that the dictionary itself names something that there is not.
func (c *compiler) broken(s *step, what string) {
	c.problems.add(c.spec.whereField(s.field, ""), connectors.Text{},
		"数据字典中 %s 的定义有误：%s", "the dictionary defines %s wrongly: %s", s.element.Name, what)
}

func (c *compiler) bound(s *step, text string, least bool) {
	if text == "" {
		return
	}
	switch s.element.Type {
	case dictionary.Integer, dictionary.Decimal:
		d := new(number)
		if d.parse([]byte(text), true) != faultNone {
			c.broken(s, "range "+text)
		} else if least {
			s.min = d
		} else {
			s.max = d
		}
	case dictionary.Date, dictionary.DateTime:
		m, ok := readMoment([]byte(text))
		if !ok {
			c.broken(s, "range "+text)
		} else if least {
			s.first = m.date()
		} else {
			s.last = m.date()
		}
	}
}

func (c *compiler) expression(where, source string, condition bool) *expression {
	e, err := newExpression(source, condition)
	own := (*expressionError)(nil)
	switch {
	case errors.As(err, &own):
		c.problems.add(where, connectors.Text{}, "表达式有误：%[1]s", "the expression is wrong: %[2]s", own.Zh, own.En)
	case err != nil:
		c.problems.add(where, connectors.Text{Zh: `列名含有空格或符号时写 row["列名"]`, En: `write row["COLUMN"] for a column whose name is not a plain word`},
			"表达式无法编译：%s", "the expression does not compile: %s", firstLine(err))
	}
	return e
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// conditions prepares the rules between elements.
func (c *compiler) conditions() {
	p := c.plan
	stepOf := make(map[string]int, len(p.steps))
	for i := range p.steps {
		stepOf[p.steps[i].element.Name] = i
	}
	at := func(name string) int {
		if i, ok := stepOf[name]; ok {
			return i
		}
		return -1
	}
	for slot, el := range p.entity.Elements {
		m := must{slot: slot, element: el, step: at(el.Name)}
		switch {
		case el.Obligation == dictionary.Mandatory || slices.Contains(p.entity.Key, el.Name):
			p.musts = append(p.musts, m)
		case el.RequiredWhen != nil && at(el.RequiredWhen.Element) >= 0:
			m.when = &condition{step: at(el.RequiredWhen.Element), in: byteTexts(el.RequiredWhen.In), notIn: byteTexts(el.RequiredWhen.NotIn)}
			p.musts = append(p.musts, m)
		}
		if earlier := at(el.NotBefore); el.NotBefore != "" && earlier >= 0 && m.step >= 0 {
			p.orders = append(p.orders, order{later: m.step, earlier: earlier})
		}
	}
	for _, name := range p.entity.Key {
		p.keys = append(p.keys, at(name))
	}
	p.date = at(p.entity.DateElement)
}

func byteTexts(list []string) [][]byte {
	var out [][]byte
	for _, s := range list {
		out = append(out, []byte(s))
	}
	return out
}

// finish gathers the columns that the plan reads, and those of them that expressions see.
func (c *compiler) finish() {
	p := c.plan
	for i := range p.steps {
		s := &p.steps[i]
		p.columns = append(p.columns, s.reads()...)
		if s.expr != nil {
			p.seen = append(p.seen, s.expr.columns...)
		}
	}
	if p.when != nil {
		p.columns = append(p.columns, p.when.columns...)
		p.seen = append(p.seen, p.when.columns...)
	}
	slices.Sort(p.columns)
	p.columns = slices.Compact(p.columns)
	slices.Sort(p.seen)
	p.seen = slices.Compact(p.seen)
}
