package config

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
	"github.com/datong-dx/datong/mapping"
)

// pipelineName leaves out the dot, which parts the names inside a transactional id.
var pipelineName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// readPipeline reads one pipeline of a department.
func (l *loader) readPipeline(department, path string, codes map[string]*mapping.Crosswalk) {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	p := &Pipeline{
		Department: department, Name: name, File: path, Cases: strings.TrimSuffix(path, filepath.Ext(path)) + ".cases",
		CommitInterval: defaultCommitInterval, CommitRows: defaultCommitRows, CommitBytes: defaultCommitBytes,
		MaxRefused: Limit{Percent: 50, Rows: 1000}, MaxDeletes: Limit{Percent: 10, Rows: 100},
	}
	if !pipelineName.MatchString(name) {
		l.problems.add(path, text("流水线名 %s 不可用", "a pipeline cannot be named %s", strconv.Quote(name)),
			text("文件名只用小写字母、数字、横线和下划线，如 enterprises.yaml", "name the file with lower-case letters, digits, hyphens and underscores, such as enterprises.yaml"))
	}
	d, root := readDocument(path, l.dir, &l.problems)
	if root == nil {
		return
	}
	o := d.object(root, name)
	for _, key := range o.keys {
		if key.Value != "mapping" && key.Value != "mappings" { // expressions have no use for ${…}
			d.substitute(o.values[key.Value])
		}
	}
	l.readSource(o, p)
	l.mappings(o, p, codes)
	if c := o.section("commit"); c != nil {
		c.duration("interval", &p.CommitInterval, time.Millisecond, time.Minute)
		c.integer("rows", &p.CommitRows, 1, 1<<20)
		c.size("bytes", &p.CommitBytes, 64<<10, 256<<20)
		c.done()
	}
	o.limit("max_refused", &p.MaxRefused)
	o.limit("max_deletes", &p.MaxDeletes)
	if s := o.section("limits"); s != nil {
		s.integer("rows_per_second", &p.RowsPerSecond, 1, 100_000_000)
		s.windows("windows", &p.Windows)
		s.done()
	}
	o.done()
	l.exchange.Pipelines = append(l.exchange.Pipelines, p)
}

// readSource reads `source:`, whose options are the connector's own.
func (l *loader) readSource(o *object, p *Pipeline) {
	s := l.connector(o, "source", func(c *connectors.Connector) bool { return c.OpenSource != nil }, &p.Connector)
	if s == nil {
		return
	}
	before := len(l.problems.list)
	p.Settings = s.options(p.Connector.SourceOptions)
	s.done()
	if p.Connector.ValidateSource == nil || len(l.problems.list) > before {
		return
	}
	for _, problem := range p.Connector.ValidateSource(p.Settings) {
		problem.Where = s.place(problem.Where)
		l.found(&problem)
	}
}

// place turns what a connector says of a place, an option's name at best, into file:line:column.
func (o *object) place(where string) string {
	option, rest, _ := strings.Cut(where, ":")
	if n := o.values[strings.TrimSpace(option)]; n != nil {
		return strings.TrimSuffix(o.where(n)+": "+strings.TrimSpace(rest), ": ")
	}
	if where == "" {
		return o.where(o.node)
	}
	return o.where(o.node) + ": " + where
}

// found keeps a finished problem, apart when it is only a warning.
func (l *loader) found(p *connectors.Problem) {
	if p.Warning {
		l.exchange.Warnings = append(l.exchange.Warnings, p)
		return
	}
	l.problems.join(p)
}

// connector reads `connector:` of a source or sink. It returns nil after reporting that there is none to go on with.
func (l *loader) connector(o *object, section string, fits func(*connectors.Connector) bool, dst **connectors.Connector) *object {
	if !o.has(section) {
		o.take(section)
		o.report(o.node, text("缺少 %s:", "%s: is missing", section), text("写 %s: {connector: 名称, …}", "%s: {connector: NAME, …}", section))
		return nil
	}
	s := o.section(section)
	if s == nil {
		return nil
	}
	names := l.connectorNames(fits)
	n, ok := s.scalar("connector")
	if n == nil {
		s.report(s.node, text("%[1]s 缺少 connector", "%[1]s lacks connector", section),
			text("%[1]s 之一", "one of %[2]s", strings.Join(names, "、"), strings.Join(names, ", ")))
	}
	if !ok {
		return nil
	}
	c := l.registry.Get(n.Value)
	if c == nil || !fits(c) {
		s.unfitConnector(n, section, c != nil, names)
		return nil
	}
	*dst = c
	return s
}

func (o *object) unfitConnector(n *yaml.Node, section string, known bool, names []string) {
	what := text("没有名为 %s 的连接器", "there is no connector %s", n.Value)
	if known {
		what = text("连接器 %s 不能用作 %s", "the connector %s cannot be a %s", n.Value, section)
	}
	listZh, listEn := strings.Join(names, "、"), strings.Join(names, ", ")
	try := text("%[1]s 之一", "one of %[2]s", listZh, listEn)
	if near := nearest.Name(n.Value, names); near != "" && !known {
		try = text("改为 %[1]s；可用的有 %[2]s", "did you mean %[1]s; known are %[3]s", near, listZh, listEn)
	}
	o.report(n, what, try)
}

func (l *loader) connectorNames(fits func(*connectors.Connector) bool) []string {
	var names []string
	for _, c := range l.registry.All() {
		if fits(c) {
			names = append(names, c.Name)
		}
	}
	return names
}

// mappings reads `mapping:`, or each of `mappings:`, and compiles it.
func (l *loader) mappings(o *object, p *Pipeline, codes map[string]*mapping.Crosswalk) {
	one, many := o.take("mapping"), o.take("mappings")
	switch {
	case one != nil && many != nil:
		o.report(many, text("mapping 与 mappings 只能写一个", "write either mapping or mappings, not both"), nothing)
	case one != nil:
		l.compile(one, p, codes)
	case many == nil:
		o.report(o.node, text("缺少 mapping:", "mapping: is missing"), text("写 mapping: {entity: 实体, fields: {…}}", "mapping: {entity: NAME, fields: {…}}"))
	case many.Kind != yaml.SequenceNode || len(many.Content) == 0:
		o.report(many, text("mappings 应为列表，每项是一个映射", "mappings must be a list, one mapping each"), text("每项以“- entity: …”开头", "begin each with `- entity: …`"))
	default:
		for _, n := range many.Content {
			l.compile(n, p, codes)
		}
	}
}

func (l *loader) compile(n *yaml.Node, p *Pipeline, codes map[string]*mapping.Crosswalk) {
	spec, err := mapping.ParseSpec(n, p.File)
	if err != nil {
		l.problems.join(err)
		return
	}
	plan, err := mapping.Compile(spec, l.exchange.Dictionary, codes)
	if err != nil {
		l.problems.join(err)
		return
	}
	p.Plans = append(p.Plans, plan)
}
