package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/internal/nearest"
)

// object is a YAML mapping whose keys are taken one by one; what was not taken in the end is unknown.
type object struct {
	*document
	node   *yaml.Node
	keys   []*yaml.Node // as they stand in the file
	values map[string]*yaml.Node
	known  []string
}

// object reads a mapping, or returns nil after reporting that n is something else. Duplicate keys are reported here.
func (d *document) object(n *yaml.Node, name string) *object {
	if n.Kind != yaml.MappingNode {
		d.report(n, text("%[1]s 应为“键: 值”，实为%[2]s", "%[1]s must hold `key: value` lines, found %[3]s", name, describeZh(n), describeEn(n)), nothing)
		return nil
	}
	o := &object{document: d, node: n, values: make(map[string]*yaml.Node, len(n.Content)/2)}
	for i := 0; i+1 < len(n.Content); i += 2 {
		o.add(n.Content[i], n.Content[i+1])
	}
	return o
}

func (o *object) add(key, value *yaml.Node) {
	if key.Kind != yaml.ScalarNode {
		o.report(key, text("键应为单个词", "a key must be a single word"), nothing)
		return
	}
	if first, twice := o.values[key.Value]; twice {
		o.report(key, text("键 %s 重复，已在第 %d 行出现", "the key %s stands here twice, first in line %d", key.Value, first.Line),
			text("保留一个", "keep one of them"))
		return
	}
	o.keys = append(o.keys, key)
	o.values[key.Value] = value
}

// take returns the value of a key, nil when it is not there, and makes the key known.
func (o *object) take(key string) *yaml.Node {
	if !slices.Contains(o.known, key) {
		o.known = append(o.known, key)
	}
	return o.values[key]
}

// has says that the key is there, without making it known.
func (o *object) has(key string) bool { return o.values[key] != nil }

// done reports every key that nobody took, with the nearest that somebody would have.
func (o *object) done() {
	for _, key := range o.keys {
		if !slices.Contains(o.known, key.Value) {
			o.unknown(key)
		}
	}
}

func (o *object) unknown(key *yaml.Node) {
	try := text("%[1]s 之一", "one of %[2]s", strings.Join(o.known, "、"), strings.Join(o.known, ", "))
	if near := nearest.Name(key.Value, o.known); near != "" {
		try = text("改为 %s", "did you mean %s", near)
	}
	o.report(key, text("未知的键 %s", "unknown key %s", key.Value), try)
}
