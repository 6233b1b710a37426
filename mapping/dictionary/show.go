package dictionary

import (
	"io"
	"strconv"
	"strings"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
	"github.com/datong-dx/datong/mapping/identifier"
)

// WriteList writes all entities and code sets, one a line, in the language "zh" or "en".
func (d *Dictionary) WriteList(w io.Writer, lang string) error {
	p := &printer{w: w, lang: lang}
	p.printf("%s %s\n\n%s\n", p.say("数据字典", "Data dictionary"), d.Version, p.say("实体", "Entities"))
	var entities, codeSets grid
	for _, e := range d.entities {
		entities.row(e.Name, e.Title.In(lang), count(p, len(e.Elements), "个要素", "elements"), p.standard(e.Standard, e.Clause))
	}
	p.grid(&entities, "  ")
	p.printf("\n%s\n", p.say("代码集", "Code sets"))
	for _, c := range d.codeSets {
		codeSets.row(c.Name, c.Title.In(lang), count(p, len(c.Codes), "个代码", "codes"), p.standard(c.Standard, c.Clause))
	}
	p.grid(&codeSets, "  ")
	return p.err
}

func count(p *printer, n int, zh, en string) string {
	return strconv.Itoa(n) + p.say(" "+zh, " "+en)
}

// WriteEntity writes an entity with one line for each element. An unknown entity is a [connectors.Problem].
func (d *Dictionary) WriteEntity(w io.Writer, lang, entity string) error {
	e, err := d.findEntity(entity)
	if err != nil {
		return err
	}
	p := &printer{w: w, lang: lang}
	p.printf("%s  %s\n", e.Name, e.Title.In(lang))
	p.paragraph(e.Definition.In(lang), "  ")
	var facts grid
	facts.row(p.say("主键", "key"), strings.Join(e.Key, ", "))
	if e.DateElement != "" {
		facts.row(p.say("代码日期", "codes checked at"), e.DateElement)
	}
	facts.row(p.say("依据", "standard"), p.standard(e.Standard, e.Clause))
	p.grid(&facts, "  ")
	p.printf("\n")
	var elements grid
	for _, el := range e.Elements {
		elements.row(p.obligation(el.Obligation)[:mark(p)], el.Name, el.Title.In(lang), p.values(el), p.rules(el))
	}
	p.grid(&elements, "  ")
	p.printf("\n  %s\n", p.say("必 = 必填，条 = 有条件必填，选 = 可选", "m = mandatory, c = conditional, o = optional"))
	return p.err
}

// mark is how many bytes the sign of an obligation takes: its first character.
func mark(p *printer) int {
	if p.lang == "zh" {
		return len("必")
	}
	return 1
}

// WriteElement writes everything about one element. An unknown entity or element is a [connectors.Problem].
func (d *Dictionary) WriteElement(w io.Writer, lang, entity, element string) error {
	e, err := d.findEntity(entity)
	if err != nil {
		return err
	}
	el := e.Element(element)
	if el == nil {
		return &connectors.Problem{
			What: connectors.Text{Zh: "实体 " + entity + " 没有要素 " + element, En: "entity " + entity + " has no element " + element},
			Try:  nearest.Suggest(element, e.names()),
		}
	}
	p := &printer{w: w, lang: lang}
	p.printf("%s.%s  %s\n", e.Name, el.Name, el.Title.In(lang))
	p.paragraph(el.Definition.In(lang), "  ")
	p.grid(d.facts(p, el), "  ")
	return p.err
}

// facts lists what an element says, leaving out what it does not.
func (d *Dictionary) facts(p *printer, el *Element) *grid {
	g := &grid{}
	add := func(zh, en, value string) {
		if value != "" {
			g.row(p.say(zh, en), value)
		}
	}
	add("类型", "type", p.values(el))
	add("约束", "obligation", p.obligation(el.Obligation)+p.when(el.RequiredWhen))
	add("范围", "range", bounds(el))
	if f := identifier.Lookup(el.Format); f != nil {
		add("格式", "format", f.Name+" ("+f.Title.In(p.lang)+", "+f.Standard+")")
		for _, line := range wrap(f.Layout.In(p.lang), 80) {
			g.row("", line)
		}
	}
	if c := d.CodeSet(el.CodeSet); c != nil {
		add("代码集", "code set", c.Name+" ("+c.Title.In(p.lang)+", "+count(p, len(c.Codes), "个代码", "codes")+")")
	}
	add("单位", "unit", el.Unit)
	add("不早于", "not before", el.NotBefore)
	add("敏感性", "sensitivity", p.sensitivity(el.Sensitivity))
	add("同义词", "synonyms", strings.Join(el.Synonyms, ", "))
	add("依据", "standard", p.standard(el.Standard, el.Clause))
	return g
}

// WriteCodes writes a code set. With a filter it writes only the codes whose value begins with it or whose title holds
// it. An unknown code set is a [connectors.Problem].
func (d *Dictionary) WriteCodes(w io.Writer, lang, set, filter string) error {
	c := d.CodeSet(set)
	if c == nil {
		return &connectors.Problem{
			What: connectors.Text{Zh: "没有代码集 " + set, En: "there is no code set " + set},
			Try:  nearest.Suggest(set, d.codeSetNames()),
		}
	}
	p := &printer{w: w, lang: lang}
	p.printf("%s  %s\n", c.Name, c.Title.In(lang))
	p.paragraph(c.Definition.In(lang), "  ")
	p.printf("  %s\n\n", p.standard(c.Standard, c.Clause))
	var codes grid
	for _, code := range c.Find(filter) {
		codes.row(code.Value, code.Title.In(lang), code.Parent, p.period(code))
	}
	p.grid(&codes, "  ")
	return p.err
}

// Find returns the codes whose value begins with filter or whose title in either language holds it, all when it is empty.
func (c *CodeSet) Find(filter string) []Code {
	var found []Code
	low := strings.ToLower(filter)
	for _, code := range c.Codes {
		if strings.HasPrefix(code.Value, filter) || strings.Contains(code.Title.Zh, filter) || strings.Contains(strings.ToLower(code.Title.En), low) {
			found = append(found, code)
		}
	}
	return found
}

func (d *Dictionary) findEntity(name string) (*Entity, error) {
	if e := d.Entity(name); e != nil {
		return e, nil
	}
	known := make([]string, len(d.entities))
	for i, e := range d.entities {
		known[i] = e.Name
	}
	return nil, &connectors.Problem{
		What: connectors.Text{Zh: "没有实体 " + name, En: "there is no entity " + name},
		Try:  nearest.Suggest(name, known),
	}
}
