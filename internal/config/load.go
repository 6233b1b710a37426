package config

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// loader is one reading of an exchange directory.
type loader struct {
	dir         string
	registry    *connectors.Registry
	exchange    *Exchange
	departments map[string]bool
	problems    problems
}

// Load reads the exchange directory dir, whose sources and sinks are connectors of the registry. It opens nothing. An
// error is every problem found, joined: see [Problems]. The exchange is nil then.
func Load(dir string, reg *connectors.Registry) (*Exchange, error) {
	l := &loader{dir: dir, registry: reg, departments: map[string]bool{}, exchange: &Exchange{
		Dir: dir, Prefix: defaultPrefix, Site: defaultSite, HTTP: defaultHTTP, Dictionary: dictionary.Builtin(),
		Topics:             Topics{TopicOptions: broker.TopicOptions{Partitions: defaultPartitions}, Compression: defaultCompression},
		TransactionTimeout: defaultTransactionTimeout,
	}}
	if !l.isExchange() {
		return nil, l.problems.err()
	}
	l.checkLayout()
	l.readDictionary()
	l.readSite(filepath.Join(dir, "datong.yaml"))
	l.readDepartments(filepath.Join(dir, "departments"))
	l.readDeliveries(filepath.Join(dir, "deliveries"))
	l.warnUndelivered()
	if err := l.problems.err(); err != nil {
		return nil, err
	}
	x := l.exchange
	x.Broker.ClientID = "datong-" + x.Site
	return x, nil
}

// isExchange reports a directory that is none, or that is not an exchange's: nothing in it is read then.
func (l *loader) isExchange() bool {
	info, err := os.Stat(l.dir)
	switch {
	case err != nil:
		l.problems.add(l.dir, text("无法打开交换目录：%v", "cannot open the exchange directory: %v", cause(err)),
			text("检查路径；`datong init 目录` 可新建一个", "check the path; `datong init DIR` makes a new one"))
		return false
	case !info.IsDir():
		l.problems.add(l.dir, text("这不是目录", "this is not a directory"), text("给出 datong.yaml 所在的目录", "name the directory that holds datong.yaml"))
		return false
	}
	site := filepath.Join(l.dir, "datong.yaml")
	if _, err := os.Stat(site); err != nil {
		l.problems.add(site, text("无法打开，%[2]s 不是交换目录：%[1]v", "cannot open it, so %[2]s is no exchange directory: %[1]v", cause(err), l.dir),
			text("`datong init 目录` 可新建一个", "`datong init DIR` makes a new one"))
		return false
	}
	return true
}

// checkLayout reports directories whose names are nearly those that are read: what is in them would be left out.
func (l *loader) checkLayout() {
	known := []string{"departments", "deliveries", "dictionary"}
	for _, e := range l.entries(l.dir) {
		if near := nearest.Name(e.Name(), known); e.IsDir() && near != "" && !slices.Contains(known, e.Name()) {
			l.problems.add(filepath.Join(l.dir, e.Name()), text("不会读取目录 %s", "the directory %s is never read", e.Name()),
				text("改名为 %s", "rename it to %s", near))
		}
	}
}

// entries lists a directory without what is hidden; one that does not exist is empty.
func (l *loader) entries(dir string) []fs.DirEntry {
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.problems.add(dir, text("无法列出目录：%v", "cannot list the directory: %v", cause(err)), nothing)
	}
	return slices.DeleteFunc(list, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") })
}

func (l *loader) readDictionary() {
	dir := filepath.Join(l.dir, "dictionary")
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return
	}
	extended, err := l.exchange.Dictionary.Extend(dir)
	if err != nil {
		l.problems.join(err)
		return
	}
	l.exchange.Dictionary = extended
}

// LoadDictionary reads only the dictionary of an exchange directory: the built-in one with the city's on top.
func LoadDictionary(dir string) (*dictionary.Dictionary, error) {
	l := &loader{dir: dir, exchange: &Exchange{Dictionary: dictionary.Builtin()}}
	if l.isExchange() {
		l.readDictionary()
	}
	return l.exchange.Dictionary, l.problems.err()
}

func (l *loader) readDeliveries(dir string) {
	for _, path := range l.yamlFiles(dir) {
		l.readDelivery(path)
	}
}

// warnUndelivered names entities that are published here while no delivery of this exchange takes them.
func (l *loader) warnUndelivered() {
	if len(l.exchange.Deliveries) == 0 {
		return
	}
	for _, p := range l.exchange.Pipelines {
		for _, plan := range p.Plans {
			name := plan.Entity().Name
			if !slices.ContainsFunc(l.exchange.Deliveries, func(v *Delivery) bool { return v.Takes(p.Department, name) }) {
				l.found(&connectors.Problem{Where: p.File, Warning: true,
					What: text("实体 %s 会发布，但没有投递接收", "%s is published, but no delivery takes it", name),
					Try:  text("在 deliveries/ 的 entities 中加上它", "add it to the entities of a delivery in deliveries/")})
			}
		}
	}
}

func isYAML(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
