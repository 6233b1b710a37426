package dictionary

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// entityDraft is an entity as its file has it, before the elements that refer to others are resolved.
type entityDraft struct {
	yamlFile
	Entity
	extends     string
	sensitivity Sensitivity // of elements that do not say
	given       map[string]bool
	elements    []*elementDraft
}

// elementDraft is one element as the file has it.
type elementDraft struct {
	name    string
	node    *yaml.Node
	at      position
	state   resolution
	element *Element // once resolved; nil when that was a problem
}

// resolution tells how far an element that is the same as another has come: met again while resolving, it refers to itself.
type resolution uint8

const (
	unresolved resolution = iota
	resolving
	resolved
)

// parseEntity reads one file of entities/.
func parseEntity(p *problems, name string, text []byte) *entityDraft {
	d := &entityDraft{yamlFile: yamlFile{p, name}, sensitivity: Internal}
	d.Entity.at = position{name, 1}
	top := d.open(text)
	if top == nil {
		return nil
	}
	d.given = d.object(top, fields{
		"entity":       d.text(&d.Name),
		"extends":      d.text(&d.extends),
		"title":        d.both(&d.Title),
		"definition":   d.both(&d.Definition),
		"key":          d.texts(&d.Key),
		"date_element": d.text(&d.DateElement),
		"standard":     d.text(&d.Standard),
		"clause":       d.text(&d.Clause),
		"sensitivity":  oneOf(&d.yamlFile, &d.sensitivity, Public, Internal, Personal, Sensitive),
		"elements":     d.drafts,
	})
	if d.Name == "" && d.extends == "" {
		d.add(d.Entity.at, noTry, "缺少 entity（新实体）或 extends（扩展内置实体）", "entity (a new one) or extends (a built-in one) is missing")
		return nil
	}
	if d.Name != "" && d.extends != "" {
		d.add(d.Entity.at, noTry, "entity 与 extends 只能写一个", "only one of entity and extends can be given")
		return nil
	}
	return d
}

func (d *entityDraft) drafts(n *yaml.Node) {
	d.pairs(n, func(key, value *yaml.Node) {
		d.elements = append(d.elements, &elementDraft{name: key.Value, node: value, at: d.yamlFile.at(key)})
	})
}

// read applies what the draft gives to el and returns the keys that were given.
func (d *entityDraft) read(el *Element, draft *elementDraft) map[string]bool {
	f := &d.yamlFile
	return f.object(draft.node, fields{
		"same_as":       func(*yaml.Node) {}, // resolved before
		"title":         f.both(&el.Title),
		"definition":    f.both(&el.Definition),
		"synonyms":      f.texts(&el.Synonyms),
		"type":          oneOf(f, &el.Type, String, Integer, Decimal, Date, DateTime, Boolean),
		"list":          f.truth(&el.List),
		"min_length":    f.number(&el.MinLength),
		"length":        f.number(&el.Length),
		"precision":     f.number(&el.Precision),
		"scale":         f.number(&el.Scale),
		"min":           f.text(&el.Min),
		"max":           f.text(&el.Max),
		"format":        f.text(&el.Format),
		"code_set":      f.text(&el.CodeSet),
		"unit":          f.text(&el.Unit),
		"obligation":    oneOf(f, &el.Obligation, Optional, Conditional, Mandatory),
		"required_when": f.condition(&el.RequiredWhen),
		"not_before":    f.text(&el.NotBefore),
		"sensitivity":   oneOf(f, &el.Sensitivity, Public, Internal, Personal, Sensitive),
		"standard":      f.text(&el.Standard),
		"clause":        f.text(&el.Clause),
	})
}

func (f *yamlFile) condition(to **Condition) func(*yaml.Node) {
	return func(n *yaml.Node) {
		c := &Condition{}
		f.object(n, fields{"element": f.text(&c.Element), "in": f.texts(&c.In), "not_in": f.texts(&c.NotIn)})
		if c.Element == "" {
			f.add(f.at(n), noTry, "条件缺少 element", "the condition lacks its element")
			return
		}
		*to = c
	}
}

// sameAs returns the entity and element that a draft takes after, if any.
func (d *entityDraft) sameAs(draft *elementDraft) (entity, element string, ok bool) {
	if draft.node.Kind != yaml.MappingNode {
		return "", "", false
	}
	for i := 0; i+1 < len(draft.node.Content); i += 2 {
		if draft.node.Content[i].Value == "same_as" {
			entity, element, _ = strings.Cut(draft.node.Content[i+1].Value, ".")
			return entity, element, true
		}
	}
	return "", "", false
}
