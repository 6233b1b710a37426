package config

import (
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
)

// readDelivery reads one delivery.
func (l *loader) readDelivery(path string) {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	v := &Delivery{Name: name, File: path, BatchRows: defaultBatchRows, BatchInterval: defaultBatchInterval}
	if !pipelineName.MatchString(name) {
		l.problems.add(path, text("投递名 %s 不可用", "a delivery cannot be named %s", strconv.Quote(name)),
			text("文件名只用小写字母、数字、横线和下划线，如 platform.yaml", "name the file with lower-case letters, digits, hyphens and underscores, such as platform.yaml"))
	}
	d, root := readDocument(path, l.dir, &l.problems)
	if root == nil {
		return
	}
	d.substitute(root)
	o := d.object(root, name)
	s := l.connector(o, "sink", func(c *connectors.Connector) bool { return c.OpenSink != nil }, &v.Connector)
	if s != nil {
		v.Settings = s.options(v.Connector.SinkOptions)
		s.done()
	}
	for i, n := range o.list("entities", &v.Entities) {
		l.entity(o, n, v.Entities[i])
	}
	for i, n := range o.list("departments", &v.Departments) {
		l.department(o, n, v.Departments[i])
	}
	if b := o.section("batch"); b != nil {
		b.integer("rows", &v.BatchRows, 1, 1<<20)
		b.duration("interval", &v.BatchInterval, time.Millisecond, time.Minute)
		b.done()
	}
	o.done()
	l.exchange.Deliveries = append(l.exchange.Deliveries, v)
}

// entity reports an entity that the dictionary does not hold.
func (l *loader) entity(o *object, n *yaml.Node, name string) {
	if l.exchange.Dictionary.Entity(name) != nil {
		return
	}
	var names []string
	for _, e := range l.exchange.Dictionary.Entities() {
		names = append(names, e.Name)
	}
	try := text("`datong dictionary list` 列出全部实体", "`datong dictionary list` shows every entity")
	if near := nearest.Name(name, names); near != "" {
		try = text("改为 %s", "did you mean %s", near)
	}
	o.report(n, text("字典中没有实体 %s", "the dictionary has no entity %s", strconv.Quote(o.shown(n))), try)
}

// department reports a name that no department can have, and warns of one that is not in this directory: it may be
// another site's.
func (l *loader) department(o *object, n *yaml.Node, name string) {
	if !departmentName.MatchString(name) {
		o.badName(n, "departments", text("小写字母、数字和横线", "lower-case letters, digits and hyphens"))
		return
	}
	if l.departments[name] {
		return
	}
	try := nothing
	if near := nearest.Name(name, keys(l.departments)); near != "" {
		try = text("改为 %s", "did you mean %s", near)
	}
	l.found(&connectors.Problem{Where: o.where(n), Warning: true, Try: try,
		What: text("本目录没有部门 %s，只投递别处发布的记录", "the department %s is not in this directory; only what another site publishes is delivered", name)})
}
