package dictionary

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
	"github.com/datong-dx/datong/internal/yamlsyntax"
)

// yamlFile reads one YAML file strictly: an unknown or repeated key, or a value of another kind, is a problem with its line.
type yamlFile struct {
	*problems
	name string
}

// fields says what to do with the value of each key that an object may have.
type fields map[string]func(*yaml.Node)

// open parses the text and returns its top node, nil when it is empty or broken.
func (f *yamlFile) open(text []byte) *yaml.Node {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		f.addProblem(yamlsyntax.Problem(f.name, text, err))
		return nil
	}
	if len(doc.Content) == 0 {
		f.add(position{file: f.name}, noTry, "文件为空", "the file is empty")
		return nil
	}
	return doc.Content[0]
}

func (f *yamlFile) at(n *yaml.Node) position { return position{f.name, n.Line} }

// object hands the value of each key to its field and returns which keys were there.
func (f *yamlFile) object(n *yaml.Node, known fields) map[string]bool {
	seen := map[string]bool{}
	f.pairs(n, func(key, value *yaml.Node) {
		set, ok := known[key.Value]
		if !ok {
			names := slices.Sorted(maps.Keys(known))
			f.add(f.at(key), nearest.Suggest(key.Value, names), "未知的键 %s", "unknown key %s", key.Value)
			return
		}
		seen[key.Value] = true
		set(value)
	})
	return seen
}

// pairs calls fn for every key and value of a mapping, in order. A key that comes twice is a problem.
func (f *yamlFile) pairs(n *yaml.Node, fn func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		f.wrong(n, "键值对", "a mapping of keys to values")
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := resolve(n.Content[i]), resolve(n.Content[i+1])
		if first, twice := lines[key.Value]; twice {
			f.add(f.at(key), noTry, "键 %s 重复，首次出现在第 %d 行", "key %s is given twice, first in line %d", key.Value, first)
			continue
		}
		lines[key.Value] = key.Line
		fn(key, value)
	}
}

// resolve follows an alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func (f *yamlFile) wrong(n *yaml.Node, zh, en string) {
	f.list = append(f.list, located{f.at(n), connectors.Problem{
		Where: f.at(n).String(),
		What:  connectors.Text{Zh: "此处应为" + zh, En: "expected " + en},
	}})
}

// scalar returns the text of a scalar and whether it is one that is not null.
func (f *yamlFile) scalar(n *yaml.Node) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		f.wrong(n, "单个值", "a single value")
		return "", false
	}
	return n.Value, true
}

// text takes a scalar of any kind as it is written.
func (f *yamlFile) text(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if s, ok := f.scalar(n); ok {
			*to = strings.TrimSpace(s)
		}
	}
}

// number takes a whole number that is not negative.
func (f *yamlFile) number(to *int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		v, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || v < 0 {
			f.wrong(n, "非负整数", "a whole number that is not negative")
			return
		}
		*to = v
	}
}

// truth takes true or false.
func (f *yamlFile) truth(to *bool) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" {
			f.wrong(n, " true 或 false", "true or false")
			return
		}
		*to = n.Value == "true"
	}
}

// texts takes a list of scalars, or one scalar as a list of one, and appends them.
func (f *yamlFile) texts(to *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		items := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode {
			items = n.Content
		}
		list := slices.Clone(*to)
		for _, item := range items {
			if s, ok := f.scalar(resolve(item)); ok {
				list = append(list, s)
			}
		}
		*to = list
	}
}

// both takes a text in both languages.
func (f *yamlFile) both(to *connectors.Text) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var t connectors.Text
		f.object(n, fields{"zh": f.text(&t.Zh), "en": f.text(&t.En)})
		if t.Zh == "" {
			f.add(f.at(n), noTry, "缺少中文（zh）", "the Chinese text (zh) is missing")
		}
		*to = t
	}
}

// oneOf takes one of the given words.
func oneOf[T ~string](f *yamlFile, to *T, words ...T) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := f.scalar(n)
		if !ok {
			return
		}
		if !slices.Contains(words, T(s)) {
			names := make([]string, len(words))
			for i, w := range words {
				names[i] = string(w)
			}
			f.add(f.at(n), nearest.Suggest(s, names), "%s 不是允许的值", "%s is not an allowed value", s)
			return
		}
		*to = T(s)
	}
}
