package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
	"github.com/datong-dx/datong/internal/yamlsyntax"
)

// fixture is one case of a file: a row, and what should become of it.
type fixture struct {
	name, entity, table string
	op                  connectors.Op
	micros              int64
	columns             []string
	values              []connectors.Value
	want                []wanted
	reject              []rejection
	kind                fixtureKind
	line                int
	broken              bool // its own text has problems
}

type fixtureKind uint8

const (
	wantsNothing fixtureKind = iota
	wantsRecord
	wantsRejection
	wantsFilter
)

// wanted is the value of one element: a list of texts, one of them for an element that is no list.
type wanted struct {
	element string
	texts   []string
	list    bool
	line    int
}

type rejection struct{ element, rule string }

// fixtures reads the cases of the parser's file.
func (p *specParser) fixtures() []fixture {
	data, err := os.ReadFile(p.file)
	if err != nil {
		p.problems = append(p.problems, fmt.Errorf("read cases: %w", err))
		return nil
	}
	var list []fixture
	for in := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var n yaml.Node
		err := in.Decode(&n)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			p.problems = append(p.problems, yamlsyntax.Problem(p.file, data, err))
			return list
		}
		cases := []*yaml.Node{resolve(&n)}
		if cases[0].Kind == yaml.SequenceNode {
			cases = cases[0].Content
		}
		for _, c := range cases {
			before := len(p.problems)
			f := p.fixture(resolve(c), len(list)+1)
			f.broken = len(p.problems) > before
			list = append(list, f)
		}
	}
}

var (
	fixtureKeys   = []string{"name", "entity", "table", "op", "time", "given", "want", "reject", "filtered"}
	rejectionKeys = []string{"element", "rule"}
	fixtureOps    = map[string]connectors.Op{
		"snapshot": connectors.OpSnapshot, "insert": connectors.OpInsert, "update": connectors.OpUpdate,
		"upsert": connectors.OpUpsert, "delete": connectors.OpDelete,
	}
)

// fixtureTime is the time of a row whose case gives none: 2026-01-01 in China. It is fixed so that a case passes on
// every day.
var fixtureTime = time.Date(2026, 1, 1, 0, 0, 0, 0, connectors.ChinaStandardTime).UnixMicro()

func (p *specParser) fixture(n *yaml.Node, number int) fixture {
	f := fixture{name: fmt.Sprint(number), op: connectors.OpUpsert, micros: fixtureTime, line: n.Line}
	if n.Kind != yaml.MappingNode {
		p.wrong(n, connectors.Text{Zh: "写成 given: … 与 want: …", En: "write given: … and want: …"}, "用例应为键值结构", "a case must be a YAML mapping")
		return f
	}
	ends := 0
	p.each(n, fixtureKeys, func(key string, _, v *yaml.Node) {
		if p.fixtureKey(&f, key, v) {
			ends++
		}
	})
	if ends != 1 {
		p.wrong(n, connectors.Text{Zh: "在 want、reject、filtered 中写一个", En: "write one of want, reject, filtered"},
			"用例 %s 有 %d 个期望，应恰有一个", "case %s has %d expectations and must have exactly one", f.name, ends)
	}
	return f
}

// fixtureKey reads one key of a case and tells whether it says what should come out.
func (p *specParser) fixtureKey(f *fixture, key string, v *yaml.Node) bool {
	switch key {
	case "name":
		f.name = p.text(key, v)
	case "entity":
		f.entity = p.text(key, v)
	case "table":
		f.table = p.text(key, v)
	case "op":
		op, ok := fixtureOps[v.Value]
		if !ok {
			p.wrong(v, nearest.Suggest(v.Value, []string{"snapshot", "insert", "update", "upsert", "delete"}), "未知的操作 %s", "unknown op %s", v.Value)
		}
		f.op = op
	case "time":
		m, ok := readMoment([]byte(v.Value))
		if !ok {
			p.wrong(v, connectors.Text{Zh: "写成 2026-01-01T08:00:00+08:00", En: "write it as 2026-01-01T08:00:00+08:00"}, "time 不是时间", "time is not a time")
		}
		f.micros = m.instant()
	case "given":
		p.given(f, v)
	case "want":
		f.kind, f.want = wantsRecord, p.wanted(v)
		return true
	case "reject":
		f.kind, f.reject = wantsRejection, p.rejections(v)
		return true
	case "filtered":
		f.kind = wantsFilter
		if v.Value != "true" {
			p.wrong(v, connectors.Text{Zh: "写 filtered: true，或删去", En: "write filtered: true, or remove it"}, "filtered 只能为 true", "filtered can only be true")
		}
		return true
	}
	return false
}

// given reads the row: texts as they stand, but true and false as booleans, null as null, and lists as JSON.
func (p *specParser) given(f *fixture, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		p.wrong(n, connectors.Text{Zh: "写成 列名: 值", En: "write COLUMN: value"}, "given 应为键值结构", "given must be a YAML mapping")
		return
	}
	p.each(n, nil, func(column string, _, v *yaml.Node) {
		f.columns = append(f.columns, column)
		switch {
		case v.Kind == yaml.SequenceNode:
			f.values = append(f.values, connectors.JSON(p.jsonList(v)))
		case v.Kind != yaml.ScalarNode:
			p.wrong(v, connectors.Text{}, "列 %s 的值应为文字、真假、空值或列表", "column %s must be a text, true, false, null or a list", column)
		case v.Tag == "!!null":
			f.values = append(f.values, connectors.Null())
		case v.Tag == "!!bool":
			f.values = append(f.values, connectors.Bool(strings.EqualFold(v.Value, "true")))
		default:
			f.values = append(f.values, connectors.String([]byte(v.Value)))
		}
	})
}

func (p *specParser) jsonList(n *yaml.Node) []byte {
	out := []byte{'['}
	for i, s := range p.words("list", n) {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendString(out, []byte(s), true)
	}
	return append(out, ']')
}

func (p *specParser) wanted(n *yaml.Node) []wanted {
	if n.Kind != yaml.MappingNode {
		p.wrong(n, connectors.Text{Zh: "写成 数据元: 值", En: "write element: value"}, "want 应为键值结构", "want must be a YAML mapping")
		return nil
	}
	var list []wanted
	p.each(n, nil, func(element string, k, v *yaml.Node) {
		w := wanted{element: element, line: k.Line, list: v.Kind == yaml.SequenceNode}
		if v.Tag != "!!null" {
			w.texts = p.words(element, v)
			list = append(list, w)
		}
	})
	return list
}

func (p *specParser) rejections(n *yaml.Node) []rejection {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		p.wrong(n, connectors.Text{Zh: "如 reject: [{element: uscc, rule: required}]", En: "such as reject: [{element: uscc, rule: required}]"},
			"reject 应为列表", "reject must be a list")
		return nil
	}
	var list []rejection
	for _, item := range n.Content {
		item = resolve(item)
		var r rejection
		if item.Kind != yaml.MappingNode {
			p.wrong(item, connectors.Text{Zh: "写成 {element: uscc, rule: required}", En: "write {element: uscc, rule: required}"},
				"reject 的每项应为键值结构", "each entry of reject must be a YAML mapping")
			continue
		}
		p.each(item, rejectionKeys, func(key string, _, v *yaml.Node) {
			if key == "element" {
				r.element = p.text(key, v)
			} else {
				r.rule = p.text(key, v)
			}
		})
		list = append(list, r)
	}
	return list
}
