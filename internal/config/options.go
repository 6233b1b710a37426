package config

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
)

// options reads a connector's options from what is left of `source:` or `sink:`, as the connector declares them.
func (o *object) options(declared []connectors.Option) connectors.Settings {
	settings := make(connectors.Settings, len(declared))
	for i := range declared {
		opt := &declared[i]
		n := o.take(opt.Name)
		if n == nil {
			if opt.Required {
				o.missing(opt)
			}
			settings[opt.Name] = defaultValue(opt)
			continue
		}
		v, ok := o.option(n, opt)
		if !ok {
			v = defaultValue(opt)
		}
		settings[opt.Name] = v
	}
	return settings
}

func (o *object) missing(opt *connectors.Option) {
	try := text("%s", "%s", opt.Name+": …")
	if opt.Example != "" {
		try = text("例如 %s", "for example %s", opt.Name+": "+opt.Example)
	}
	o.report(o.node, text("缺少必填项 %[1]s（%[2]s）", "%[1]s is missing (%[3]s)", opt.Name, opt.Help.In("zh"), opt.Help.In("en")), try)
}

// option converts one value to the type that the option declares.
func (o *object) option(n *yaml.Node, opt *connectors.Option) (any, bool) {
	switch opt.Type {
	case connectors.ListOption:
		return o.listOption(n, opt)
	case connectors.MapOption:
		return o.mapOption(n, opt)
	}
	if !o.single(n, opt.Name) {
		return nil, false
	}
	if len(opt.Values) > 0 && !slices.Contains(opt.Values, n.Value) {
		o.notOneOf(n, opt.Name, opt.Values)
		return nil, false
	}
	switch opt.Type {
	case connectors.IntOption:
		v, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			o.report(n, text("%s 应为整数，实为 %s", "%s must be a whole number, found %s", opt.Name, strconv.Quote(o.shown(n))), nothing)
		}
		return v, err == nil
	case connectors.BoolOption:
		return o.boolean(n, opt.Name)
	case connectors.DurationOption:
		v, err := time.ParseDuration(n.Value)
		if err != nil {
			o.notDuration(n, opt.Name)
		}
		return v, err == nil
	}
	if opt.Required && n.Value == "" {
		o.report(n, text("%s 不能为空", "%s must not be empty", opt.Name), nothing)
	}
	return n.Value, true
}

func (o *object) listOption(n *yaml.Node, opt *connectors.Option) (any, bool) {
	nodes, ok := o.texts(n, opt.Name)
	if !ok {
		return nil, false
	}
	if opt.Required && len(nodes) == 0 {
		o.report(n, text("%s 不能为空", "%s must not be empty", opt.Name), nothing)
		return nil, false
	}
	list := make([]string, 0, len(nodes))
	for _, c := range nodes {
		if len(opt.Values) > 0 && !slices.Contains(opt.Values, c.Value) {
			o.notOneOf(c, opt.Name, opt.Values)
			ok = false
		}
		list = append(list, c.Value)
	}
	return list, ok
}

func (o *object) mapOption(n *yaml.Node, opt *connectors.Option) (any, bool) {
	m := o.object(n, opt.Name)
	if m == nil {
		return nil, false
	}
	values := make(map[string]string, len(m.keys))
	for _, key := range m.keys {
		v := m.values[key.Value]
		if !o.single(v, opt.Name+"."+key.Value) {
			return nil, false
		}
		values[key.Value] = v.Value
	}
	return values, true
}

// defaultValue returns an option's default as its type. A default that does not parse is a mistake in the connector,
// which its conformance tests find; it falls back to the type's zero value here.
func defaultValue(opt *connectors.Option) any {
	switch opt.Type {
	case connectors.IntOption:
		v, _ := strconv.ParseInt(opt.Default, 10, 64)
		return v
	case connectors.BoolOption:
		return opt.Default == "true"
	case connectors.DurationOption:
		v, _ := time.ParseDuration(opt.Default)
		return v
	case connectors.ListOption:
		if s := strings.Trim(opt.Default, "[] "); s != "" {
			return splitList(s)
		}
		return []string(nil)
	case connectors.MapOption:
		return map[string]string(nil)
	}
	return opt.Default
}

func splitList(s string) []string {
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}
