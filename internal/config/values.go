package config

import (
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
)

// scalar returns the text of a key's single value; ok is false when the key is missing or was reported.
func (o *object) scalar(key string) (n *yaml.Node, ok bool) {
	n = o.take(key)
	if n == nil {
		return nil, false
	}
	return n, o.single(n, key)
}

// single reports a value that is a map, a list or nothing where a single value belongs.
func (d *document) single(n *yaml.Node, name string) bool {
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return !d.broken[n]
	}
	d.report(n, text("%[1]s 应为单个值，实为%[2]s", "%[1]s must be a single value, found %[3]s", name, describeZh(n), describeEn(n)), nothing)
	return false
}

// string reads a text and returns its node for further checks, nil when it is missing or was reported.
func (o *object) string(key string, dst *string) *yaml.Node {
	n, ok := o.scalar(key)
	if !ok {
		return nil
	}
	*dst = n.Value
	return n
}

// choice reads a text that must be one of the values.
func (o *object) choice(key string, dst *string, values ...string) {
	n, ok := o.scalar(key)
	if !ok {
		return
	}
	for _, v := range values {
		if n.Value == v {
			*dst = v
			return
		}
	}
	o.notOneOf(n, key, values)
}

// badName reports a name that is used in topics and so takes few characters.
func (d *document) badName(n *yaml.Node, key string, allowed connectors.Text) {
	d.report(n, text("%s 的值 %s 不可用", "%s cannot be %s", key, strconv.Quote(d.shown(n))),
		text("只用%[1]s", "use only %[2]s", allowed.Zh, allowed.En))
}

func (d *document) notOneOf(n *yaml.Node, key string, values []string) {
	try := text("%[1]s 之一", "one of %[2]s", strings.Join(values, "、"), strings.Join(values, ", "))
	if near := nearest.Name(n.Value, values); near != "" {
		try = text("改为 %s", "did you mean %s", near)
	}
	d.report(n, text("%s 的值 %s 不可用", "%s cannot be %s", key, strconv.Quote(d.shown(n))), try)
}

// list reads a list of texts; a single text is a list of one. It returns the nodes of the texts, for further checks.
func (o *object) list(key string, dst *[]string) []*yaml.Node {
	n := o.take(key)
	if n == nil {
		return nil
	}
	nodes, ok := o.texts(n, key)
	if !ok {
		return nil
	}
	*dst = make([]string, len(nodes))
	for i, c := range nodes {
		(*dst)[i] = c.Value
	}
	return nodes
}

func (d *document) texts(n *yaml.Node, name string) ([]*yaml.Node, bool) {
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return []*yaml.Node{n}, !d.broken[n]
	}
	if n.Kind != yaml.SequenceNode {
		d.report(n, text("%[1]s 应为列表，实为%[2]s", "%[1]s must be a list, found %[3]s", name, describeZh(n), describeEn(n)),
			text("写成 [甲, 乙]", "write [one, two]"))
		return nil, false
	}
	for _, c := range n.Content {
		if !d.single(c, name) {
			return nil, false
		}
	}
	return n.Content, true
}

// integer reads a whole number from low to high.
func (o *object) integer(key string, dst *int, low, high int64) {
	n, ok := o.scalar(key)
	if !ok {
		return
	}
	v, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil || v < low || v > high {
		o.report(n, text("%s 应为 %d 至 %d 的整数，实为 %s", "%s must be a whole number from %d to %d, found %s", key, low, high, strconv.Quote(o.shown(n))), nothing)
		return
	}
	*dst = int(v)
}

// duration reads a time span from low to high.
func (o *object) duration(key string, dst *time.Duration, low, high time.Duration) {
	n, ok := o.scalar(key)
	if !ok {
		return
	}
	v, err := time.ParseDuration(n.Value)
	switch {
	case err != nil:
		o.notDuration(n, key)
	case v < low || v > high:
		o.report(n, text("%s 应在 %s 与 %s 之间，实为 %s", "%s must lie between %s and %s, found %s", key, brief(low), brief(high), strconv.Quote(o.shown(n))), nothing)
	default:
		*dst = v
	}
}

// brief writes a duration without the zeros that Go puts behind it: 15m, not 15m0s.
func brief(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

func (d *document) notDuration(n *yaml.Node, key string) {
	d.report(n, text("%s 不是时长：%s", "%s is not a duration: %s", key, strconv.Quote(d.shown(n))),
		text("写数字加单位，如 250ms、10s、5m、24h", "a number with its unit: 250ms, 10s, 5m, 24h"))
}

// boolean reads true or false, and nothing that merely looks like it.
func (d *document) boolean(n *yaml.Node, key string) (value, ok bool) {
	switch n.Value {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	d.report(n, text("%s 应为 true 或 false，实为 %s", "%s must be true or false, found %s", key, strconv.Quote(d.shown(n))), nothing)
	return false, false
}

var sizeUnits = []struct {
	suffix string
	bytes  int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
	{"KB", 1000}, {"MB", 1000_000}, {"GB", 1000_000_000}, {"B", 1}, {"", 1},
}

// size reads a number of bytes from low to high, such as 16MiB.
func (o *object) size(key string, dst *int, low, high int64) {
	n, ok := o.scalar(key)
	if !ok {
		return
	}
	v, ok := parseSize(n.Value)
	switch {
	case !ok:
		o.report(n, text("%s 不是大小：%s", "%s is not a size: %s", key, strconv.Quote(o.shown(n))),
			text("写数字加单位，如 512KiB、16MiB", "a number with its unit: 512KiB, 16MiB"))
	case v < low || v > high:
		o.report(n, text("%s 应在 %d 与 %d 字节之间，实为 %s", "%s must lie between %d and %d bytes, found %s", key, low, high, strconv.Quote(o.shown(n))), nothing)
	default:
		*dst = int(v)
	}
}

func parseSize(s string) (int64, bool) {
	for _, u := range sizeUnits {
		digits, found := strings.CutSuffix(s, u.suffix)
		if !found {
			continue
		}
		v, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || v < 0 || v > 1<<40/u.bytes {
			return 0, false
		}
		return v * u.bytes, true
	}
	return 0, false
}
