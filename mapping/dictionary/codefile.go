package dictionary

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
)

// codeColumns are the columns of a code table. The first two must be there.
var codeColumns = []string{"code", "zh", "en", "parent", "valid_from", "valid_to"}

// parseManifest reads codes.yaml: what the code sets of codes/ are called and where they come from.
func parseManifest(p *problems, name string, text []byte) []*CodeSet {
	f := &yamlFile{p, name}
	top := f.open(text)
	if top == nil {
		return nil
	}
	var sets []*CodeSet
	f.pairs(top, func(key, value *yaml.Node) {
		c := &CodeSet{Name: key.Value, at: f.at(key)}
		f.object(value, fields{
			"title":      f.both(&c.Title),
			"definition": f.both(&c.Definition),
			"standard":   f.text(&c.Standard),
			"clause":     f.text(&c.Clause),
			"extensible": f.truth(&c.Extensible),
			"prefix":     f.number(&c.Prefix),
		})
		sets = append(sets, c)
	})
	return sets
}

// codeTable reads one CSV file of codes/.
type codeTable struct {
	*problems
	file    string
	columns []string
}

func parseCodes(p *problems, file string, text []byte) []Code {
	t := &codeTable{problems: p, file: file}
	if !utf8.Valid(text) {
		t.add(position{file: file}, connectors.Text{Zh: "另存为 UTF-8 编码的 CSV", En: "save it as CSV in UTF-8"}, "文件不是 UTF-8 编码", "the file is not UTF-8")
		return nil
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\uFEFF"))))
	r.ReuseRecord = true
	var codes []Code
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return codes
		}
		if err != nil {
			t.addCause(position{file: file}, err, "不是有效的 CSV", "not valid CSV")
			return codes
		}
		line, _ := r.FieldPos(0)
		if t.columns == nil {
			if !t.header(record, position{file, line}) {
				return nil
			}
			continue
		}
		if c, ok := t.code(record, position{file, line}); ok {
			codes = append(codes, c)
		}
	}
}

func (t *codeTable) header(record []string, at position) bool {
	t.columns = slices.Clone(record)
	for i, name := range t.columns {
		if !slices.Contains(codeColumns, name) {
			t.add(at, nearest.Suggest(name, codeColumns), "未知的列 %s", "unknown column %s", name)
			return false
		}
		if slices.Contains(t.columns[:i], name) {
			t.add(at, noTry, "列 %s 重复", "column %s is given twice", name)
			return false
		}
	}
	for _, name := range codeColumns[:2] {
		if !slices.Contains(t.columns, name) {
			t.add(at, connectors.Text{Zh: "首行写：" + strings.Join(codeColumns, ","), En: "begin with the line " + strings.Join(codeColumns, ",")}, "缺少列 %s", "column %s is missing", name)
			return false
		}
	}
	return true
}

func (t *codeTable) code(record []string, at position) (Code, bool) {
	var from, to string
	c := Code{at: at}
	targets := map[string]*string{"code": &c.Value, "zh": &c.Title.Zh, "en": &c.Title.En, "parent": &c.Parent, "valid_from": &from, "valid_to": &to}
	for i, name := range t.columns {
		*targets[name] = strings.TrimSpace(record[i])
	}
	if c.Value == "" || c.Title.Zh == "" {
		t.add(at, noTry, "代码或中文名称为空", "the code or its Chinese title is empty")
		return c, false
	}
	var err1, err2 error
	c.From, err1 = parseDay(from, math.MinInt32)
	c.To, err2 = parseDay(to, math.MaxInt32)
	if err := errors.Join(err1, err2); err != nil {
		t.add(at, connectors.Text{Zh: "写作 2018-04-01", En: "write it as 2018-04-01"}, "代码 %s 的有效期不是日期", "the validity of code %s is not a date", c.Value)
		return c, false
	}
	if c.From > c.To {
		t.add(at, noTry, "代码 %s 的有效期止于开始之前", "the validity of code %s ends before it begins", c.Value)
		return c, false
	}
	return c, true
}
