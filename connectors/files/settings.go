package files

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// settings are the options in the form that the code uses.
type settings struct {
	path       string
	format     string // empty: by extension
	encoding   string
	delimiter  byte // 0: by format and first line
	header     []string
	skipRows   int
	columns    map[string]string
	recordPath []string
	key        []string
	set, order *regexp.Regexp // nil when not set
	full       bool
	opColumn   string
	ops        map[string]connectors.Op
	watch      time.Duration
	marker     bool
	settle     time.Duration
	done       string // empty: files stay
	maxRow     int
}

// opNames are what `ops` may say.
var opNames = map[string]connectors.Op{
	"insert": connectors.OpInsert, "update": connectors.OpUpdate, "upsert": connectors.OpUpsert, "delete": connectors.OpDelete,
}

const (
	defaultSettle = 2 * time.Second
	defaultDone   = "done"
	leave         = "none"
)

// parse turns validated settings into their working form, and says all that is wrong with them.
func parse(from connectors.Settings) (settings, []connectors.Problem) {
	var p problems
	s := settings{
		path:      connectors.Setting[string](from, "path"),
		format:    connectors.Setting[string](from, "format"),
		encoding:  connectors.Setting[string](from, "encoding"),
		delimiter: p.delimiter(connectors.Setting[string](from, "delimiter")),
		header:    connectors.Setting[[]string](from, "header"),
		skipRows:  int(connectors.Setting[int64](from, "skip_rows")),
		columns:   connectors.Setting[map[string]string](from, "columns"),
		key:       connectors.Setting[[]string](from, "key"),
		set:       p.pattern("set", connectors.Setting[string](from, "set")),
		order:     p.pattern("order", connectors.Setting[string](from, "order")),
		full:      connectors.Setting[string](from, "mode") == "full",
		opColumn:  connectors.Setting[string](from, "op_column"),
		ops:       p.ops(connectors.Setting[map[string]string](from, "ops")),
		watch:     connectors.Setting[time.Duration](from, "watch"),
		marker:    connectors.Setting[string](from, "complete") == "marker",
		settle:    connectors.Setting[time.Duration](from, "settle"),
		done:      connectors.Setting[string](from, "done"),
		maxRow:    int(connectors.Setting[int64](from, "max_row_bytes")),
	}
	if path := connectors.Setting[string](from, "record_path"); path != "" {
		s.recordPath = strings.Split(path, ".")
	}
	s.applyDefaults()
	s.checkTogether(&p)
	return s, p
}

func (s *settings) applyDefaults() {
	if s.settle == 0 && s.watch > 0 {
		s.settle = defaultSettle
	}
	if s.done == "" && s.watch > 0 {
		s.done = defaultDone
	}
	if s.done == leave {
		s.done = ""
	}
}

// validate is the connector's ValidateSource.
func validate(from connectors.Settings) []connectors.Problem {
	_, p := parse(from)
	return p
}

// problems collects what is wrong with the settings.
type problems []connectors.Problem

func (p *problems) add(option, zh, en string, try connectors.Text) {
	*p = append(*p, connectors.Problem{Where: option, What: connectors.Text{Zh: zh, En: en}, Try: try})
}

func (p *problems) delimiter(text string) byte {
	switch {
	case text == "":
		return 0
	case text == "tab" || text == `\t`:
		return '\t'
	case len(text) == 1 && text[0] < 0x80 && text[0] != '"' && text[0] != '\n' && text[0] != '\r':
		return text[0]
	}
	p.add("delimiter", "delimiter 须为一个 ASCII 字符或 tab", "delimiter is not one ASCII character or tab", connectors.Text{Zh: `delimiter: ";"`, En: `delimiter: ";"`})
	return 0
}

func (p *problems) pattern(option, text string) *regexp.Regexp {
	if text == "" {
		return nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		*p = append(*p, connectors.Problem{Where: option, Err: err, What: connectors.Text{Zh: option + " 不是正则表达式", En: option + " is not a regular expression"}})
		return nil
	}
	if re.NumSubexp() != 1 {
		p.add(option, option+" 须恰有一个捕获组", option+" must have exactly one group",
			connectors.Text{Zh: `用 (…) 括起要取的部分，其他用 (?:…)`, En: "put (…) around the part to take and (?:…) around others"})
		return nil
	}
	return re
}

func (p *problems) ops(words map[string]string) map[string]connectors.Op {
	ops := make(map[string]connectors.Op, len(words))
	for word, name := range words {
		op, ok := opNames[name]
		if !ok {
			p.add("ops", "ops 的值须为 insert、update、upsert 或 delete："+name, "ops does not know "+name, connectors.Text{Zh: "insert、update、upsert、delete", En: "insert, update, upsert or delete"})
			continue
		}
		ops[word] = op
	}
	return ops
}

// checkTogether checks settings against each other.
func (s *settings) checkTogether(p *problems) {
	if _, err := filepath.Match(s.path, ""); err != nil || s.path == "" {
		p.add("path", "path 不是有效的路径或通配符", "path is not a valid path or glob", connectors.Text{Zh: "path: drop/*.csv", En: "path: drop/*.csv"})
	}
	if (s.opColumn == "") != (len(s.ops) == 0) {
		p.add("op_column", "op_column 和 ops 须同时给出", "op_column and ops need each other", connectors.Text{})
	}
	if s.full && s.opColumn != "" {
		p.add("op_column", "mode: full 不用 op_column：缺少的行即已删除", "mode: full takes no op_column: rows that are missing are the deletes", connectors.Text{})
	}
	if s.skipRows < 0 {
		p.add("skip_rows", "skip_rows 不能为负", "skip_rows is negative", connectors.Text{})
	}
	if s.maxRow < 1024 || s.maxRow > 256<<20 {
		p.add("max_row_bytes", "max_row_bytes 须在 1024 与 268435456 之间", "max_row_bytes is not between 1024 and 268435456", connectors.Text{})
	}
	if slices.Contains(s.recordPath, "") {
		p.add("record_path", "record_path 中有空的一段", "record_path has an empty part", connectors.Text{Zh: "record_path: data.items", En: "record_path: data.items"})
	}
	if (s.format == "csv" || s.format == "tsv") && s.recordPath != nil {
		p.add("record_path", "record_path 只用于 JSON", "record_path is for JSON only", connectors.Text{})
	}
}

// formatOf returns the format of a file.
func (s *settings) formatOf(name string) string {
	if s.format != "" {
		return s.format
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".tsv", ".tab":
		return "tsv"
	case ".json":
		return "json"
	case ".jsonl", ".ndjson":
		return "jsonl"
	}
	return "csv"
}
