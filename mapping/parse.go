package mapping

import (
	"fmt"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
)

var (
	specKeys  = []string{"entity", "table", "when", "fields"}
	fieldKeys = []string{"from", "value", "expr", "concat", "codes", "layouts", "unit", "nulls", "separator", "default", "width"}
	partKeys  = []string{"column", "text"}
)

// ParseSpec reads one mapping from its YAML node; file stands in messages. Every problem is reported, with file:line: the
// error is a join of [connectors.Problem].
func ParseSpec(n *yaml.Node, file string) (*Spec, error) {
	p := specParser{file: file}
	s := p.spec(n)
	if len(p.problems) > 0 {
		return nil, p.problems.err()
	}
	return s, nil
}

type specParser struct {
	file     string
	problems problems
}

func (p *specParser) where(n *yaml.Node) string {
	if p.file == "" {
		return fmt.Sprintf("line %d", n.Line)
	}
	return fmt.Sprintf("%s:%d", p.file, n.Line)
}

func (p *specParser) wrong(n *yaml.Node, try connectors.Text, zh, en string, args ...any) {
	p.problems.add(p.where(n), try, zh, en, args...)
}

func (p *specParser) spec(n *yaml.Node) *Spec {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		p.wrong(n, connectors.Text{Zh: "写成 entity: … 与 fields: …", En: "write entity: … and fields: …"},
			"映射应为键值结构", "a mapping must be a YAML mapping")
		return nil
	}
	s := &Spec{File: p.file, Line: n.Line, lines: map[string]int{}}
	fields := false
	p.each(n, specKeys, func(key string, k, v *yaml.Node) {
		s.lines[key] = k.Line
		switch key {
		case "entity":
			s.Entity = p.text(key, v)
		case "table":
			s.Table = p.text(key, v)
		case "when":
			s.When = p.text(key, v)
		case "fields":
			fields = true
			s.Fields = p.fields(v)
		}
	})
	if s.Entity == "" {
		p.wrong(n, connectors.Text{Zh: "加上 entity: 与数据字典中的实体名", En: "add entity: with the name of a dictionary entity"},
			"映射没有写明实体", "the mapping names no entity")
	}
	if !fields {
		p.wrong(n, connectors.Text{Zh: "加上 fields: 与各数据元的来源", En: "add fields: with the source of each element"},
			"映射没有 fields", "the mapping has no fields")
	}
	return s
}

func (p *specParser) fields(n *yaml.Node) []Field {
	if n.Kind != yaml.MappingNode {
		p.wrong(n, connectors.Text{Zh: "写成 数据元: 列名", En: "write element: column"},
			"fields 应为键值结构", "fields must be a YAML mapping")
		return nil
	}
	var list []Field
	p.each(n, nil, func(element string, k, v *yaml.Node) {
		list = append(list, p.field(element, k, v))
	})
	return list
}

func (p *specParser) field(element string, k, v *yaml.Node) Field {
	f := Field{Element: element, Line: k.Line, lines: map[string]int{}}
	if v.Kind != yaml.MappingNode {
		f.From = p.list("from", v)
		return f
	}
	p.each(v, fieldKeys, func(key string, k, v *yaml.Node) {
		f.lines[key] = k.Line
		p.fieldKey(&f, key, v)
	})
	if sources := p.sources(v); sources != 1 {
		p.wrong(k, connectors.Text{Zh: "在 from、value、expr、concat 中写一个", En: "write one of from, value, expr, concat"},
			"%s 有 %d 个来源，应恰有一个", "%s has %d sources and must have exactly one", element, sources)
	}
	return f
}

func (p *specParser) sources(n *yaml.Node) int {
	count := 0
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch n.Content[i].Value {
		case "from", "value", "expr", "concat":
			count++
		}
	}
	return count
}

func (p *specParser) fieldKey(f *Field, key string, v *yaml.Node) {
	switch key {
	case "from":
		f.From = p.list(key, v)
	case "value":
		f.Value = p.constant(key, v)
	case "expr":
		f.Expr = p.text(key, v)
	case "concat":
		f.Concat = p.parts(v)
	case "codes":
		f.Codes = p.text(key, v)
	case "layouts":
		f.Layouts = p.list(key, v)
	case "unit":
		f.Unit = p.text(key, v)
	case "nulls":
		f.Nulls = p.words(key, v)
	case "separator":
		f.Separator = p.text(key, v)
	case "default":
		f.Default = p.constant(key, v)
	case "width":
		f.Width = p.width(v)
	}
}

// each visits the pairs of a mapping, refusing keys that are not in known (nil: any) and keys that come twice.
func (p *specParser) each(n *yaml.Node, known []string, visit func(key string, k, v *yaml.Node)) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := resolve(n.Content[i]), resolve(n.Content[i+1])
		if k.Kind != yaml.ScalarNode {
			p.wrong(n.Content[i], connectors.Text{}, "键应为文字", "a key must be a plain word")
			continue
		}
		switch {
		case seen[k.Value]:
			p.wrong(k, connectors.Text{Zh: "留下一个", En: "keep one"}, "键 %s 出现两次", "key %s stands twice", k.Value)
		case known != nil && !slices.Contains(known, k.Value):
			p.wrong(k, nearest.Suggest(k.Value, known), "未知的键 %s", "unknown key %s", k.Value)
		default:
			visit(k.Value, k, v)
		}
		seen[k.Value] = true
	}
}

// text reads a scalar that must not be empty.
func (p *specParser) text(key string, n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Value == "" {
		p.wrong(n, connectors.Text{}, "%s 应为非空文字", "%s must be a text that is not empty", key)
		return ""
	}
	return n.Value
}

// constant reads a scalar; its text counts as written, whatever YAML takes it for.
func (p *specParser) constant(key string, n *yaml.Node) *string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		p.wrong(n, connectors.Text{}, "%s 应为单个值", "%s must be a single value", key)
		return nil
	}
	return &n.Value
}

// list reads texts; a single text is a list of one.
func (p *specParser) list(key string, n *yaml.Node) []string {
	if n.Kind != yaml.SequenceNode {
		if s := p.text(key, n); s != "" {
			return []string{s}
		}
		return nil
	}
	if len(n.Content) == 0 {
		p.wrong(n, connectors.Text{}, "%s 是空列表", "%s is an empty list", key)
	}
	var list []string
	for _, item := range n.Content {
		if s := p.text(key, resolve(item)); s != "" {
			list = append(list, s)
		}
	}
	return list
}

// words is list for null words, among which YAML's own null, a bare -, and the empty text are ordinary words.
func (p *specParser) words(key string, n *yaml.Node) []string {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	var list []string
	for _, item := range n.Content {
		item = resolve(item)
		if n.Kind != yaml.SequenceNode || item.Kind != yaml.ScalarNode {
			p.wrong(n, connectors.Text{Zh: `如 nulls: ["-", "/"]`, En: `such as nulls: ["-", "/"]`},
				"%s 应为文字列表", "%s must be a list of words", key)
			return nil
		}
		list = append(list, item.Value)
	}
	return list
}

func (p *specParser) parts(n *yaml.Node) []Part {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		p.wrong(n, connectors.Text{Zh: `如 concat: [A, {text: "-"}, B]`, En: `such as concat: [A, {text: "-"}, B]`},
			"concat 应为列与文字的列表", "concat must be a list of columns and texts")
		return nil
	}
	var list []Part
	for _, item := range n.Content {
		item = resolve(item)
		var part Part
		if item.Kind == yaml.MappingNode {
			p.each(item, partKeys, func(key string, _, v *yaml.Node) {
				if s := p.text(key, v); key == "column" {
					part.Column = s
				} else {
					part.Text = s
				}
			})
		} else {
			part.Column = p.text("concat", item)
		}
		if part.Column != "" && part.Text != "" {
			p.wrong(item, connectors.Text{Zh: "分成两项", En: "make it two entries"},
				"concat 的一项不能既是列又是文字", "an entry of concat cannot be both a column and a text")
		}
		list = append(list, part)
	}
	return list
}

func (p *specParser) width(n *yaml.Node) int {
	w, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || w < 1 || w > maxWidth {
		p.wrong(n, connectors.Text{}, "width 应为 1 到 %d 的整数", "width must be a whole number from 1 to %d", maxWidth)
		return 0
	}
	return w
}

// maxWidth bounds width: no code or number is written with more digits.
const maxWidth = 64

// resolve follows documents and aliases to the node they stand for; where there is none it is null.
func resolve(n *yaml.Node) *yaml.Node {
	for hops := 0; n != nil && hops < 8; hops++ {
		switch {
		case n.Kind == yaml.DocumentNode && len(n.Content) == 1:
			n = n.Content[0]
		case n.Kind == yaml.AliasNode:
			n = n.Alias
		default:
			return n
		}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
}
