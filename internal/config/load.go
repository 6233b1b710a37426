package config

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// departmentName is what stands in topic names and ACL prefixes between two dots.
var departmentName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

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
		Topics:             Topics{Partitions: defaultPartitions, Replication: -1, Compression: defaultCompression},
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
		if near := Nearest(e.Name(), known); e.IsDir() && near != "" && !slices.Contains(known, e.Name()) {
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

func (l *loader) readDepartments(dir string) {
	for _, e := range l.entries(dir) {
		path := filepath.Join(dir, e.Name())
		switch {
		case !e.IsDir() && isYAML(e.Name()):
			l.problems.add(path, text("流水线文件要放在部门的目录里", "a pipeline's file belongs into its department's directory"),
				text("移到 %s", "move it to %s", filepath.Join(dir, "DEPARTMENT", e.Name())))
		case !e.IsDir():
		case !departmentName.MatchString(e.Name()):
			l.problems.add(path, text("部门名 %s 不可用", "a department cannot be named %s", strconv.Quote(e.Name())),
				text("目录名只用小写字母、数字和横线，如 market-regulation", "name the directory with lower-case letters, digits and hyphens, such as market-regulation"))
		default:
			l.departments[e.Name()] = true
			l.readDepartment(e.Name(), path)
		}
	}
	if len(l.departments) == 0 && len(l.entries(filepath.Join(l.dir, "deliveries"))) == 0 {
		l.problems.add(l.dir, text("既没有流水线，也没有投递", "there is neither a pipeline nor a delivery"),
			text("流水线写在 departments/部门/名称.yaml", "a pipeline stands in departments/DEPARTMENT/NAME.yaml"))
	}
}

// readDepartment reads the crosswalks and pipelines of one department.
func (l *loader) readDepartment(name, dir string) {
	codes := l.readCodes(filepath.Join(dir, "codes"))
	pipelines := map[string]string{}
	for _, path := range l.yamlFiles(dir) {
		pipelines[strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))] = path
		l.readPipeline(name, path, codes)
	}
	for _, e := range l.entries(dir) {
		owner, isCases := strings.CutSuffix(e.Name(), ".cases")
		if !isCases {
			continue
		}
		if pipelines[owner] != "" {
			l.checkCases(filepath.Join(dir, e.Name()))
			continue
		}
		try := text("改名为 流水线名.cases", "name it after its pipeline")
		if near := Nearest(owner, keys(pipelines)); near != "" {
			try = text("改名为 %s", "rename it to %s", near+".cases")
		}
		l.problems.add(filepath.Join(dir, e.Name()), text("没有流水线 %s，这些用例不会运行", "there is no pipeline %s, so these cases never run", owner), try)
	}
}

// checkCases reports files that look like fixtures and are none: they would never run.
func (l *loader) checkCases(dir string) {
	for _, e := range l.entries(dir) {
		if e.IsDir() || filepath.Ext(e.Name()) != ".yaml" {
			l.problems.add(filepath.Join(dir, e.Name()), text("用例只从 .yaml 文件读取，这里不会运行", "fixtures are read from .yaml files only, so this never runs"),
				text("改名为 %s.yaml，或移出这个目录", "rename it to %s.yaml, or move it out of the directory", strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))))
		}
	}
}

// yamlFiles lists the YAML files of a directory; two that differ only in .yaml and .yml would be one pipeline twice.
func (l *loader) yamlFiles(dir string) []string {
	var paths []string
	byName := map[string]string{}
	for _, e := range l.entries(dir) {
		if e.IsDir() || !isYAML(e.Name()) {
			continue
		}
		path, name := filepath.Join(dir, e.Name()), strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))
		if first, twice := byName[name]; twice {
			l.problems.add(path, text("%s 已由 %s 定义", "%s is defined by %s already", name, filepath.Base(first)), text("删去或改名其中一个文件", "remove or rename one of the files"))
			continue
		}
		byName[name] = path
		paths = append(paths, path)
	}
	return paths
}

func (l *loader) readDeliveries(dir string) {
	for _, path := range l.yamlFiles(dir) {
		l.readDelivery(path)
	}
}

// readCodes reads the crosswalks of a department. A broken one is kept empty, so that mappings that use it are not
// blamed for its absence.
func (l *loader) readCodes(dir string) map[string]*mapping.Crosswalk {
	codes := map[string]*mapping.Crosswalk{}
	for _, e := range l.entries(dir) {
		name, isCSV := strings.CutSuffix(e.Name(), ".csv")
		path := filepath.Join(dir, e.Name())
		if !isCSV {
			l.problems.add(path, text("对照表应是 .csv 文件", "a crosswalk is a .csv file"),
				text("另存为 CSV（UTF-8），列为 source_code,standard_code,valid_from,valid_to,note", "save it as CSV in UTF-8 with the columns source_code,standard_code,valid_from,valid_to,note"))
			continue
		}
		codes[name] = l.readCrosswalk(path)
	}
	return codes
}

func (l *loader) readCrosswalk(path string) *mapping.Crosswalk {
	raw, err := readFile(path, maxCrosswalkBytes)
	if err != nil {
		l.problems.add(path, text("无法读取对照表：%v", "cannot read the crosswalk: %v", cause(err)), nothing)
		return &mapping.Crosswalk{}
	}
	if line := notUTF8(raw); line > 0 {
		l.problems.add(path+":"+strconv.Itoa(line), text("对照表不是 UTF-8 编码", "the crosswalk is not UTF-8"),
			text("在 Excel 中另存为“CSV UTF-8”，或执行 iconv -f GB18030 -t UTF-8", "save it as `CSV UTF-8` in Excel, or use iconv -f GB18030 -t UTF-8"))
		return &mapping.Crosswalk{}
	}
	c, err := mapping.ReadCrosswalk(bytes.NewReader(raw), path)
	l.problems.join(err)
	if c == nil {
		c = &mapping.Crosswalk{}
	}
	return c
}

// maxCrosswalkBytes is far above any list of codes.
const maxCrosswalkBytes = 64 << 20

// notUTF8 returns the first line, counted from 1, that is not UTF-8, and 0 when all are.
func notUTF8(raw []byte) int {
	if utf8.Valid(raw) {
		return 0
	}
	at := 0
	for at < len(raw) {
		r, size := utf8.DecodeRune(raw[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return 1 + bytes.Count(raw[:at], []byte("\n"))
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

// Takes says whether the delivery wants records of an entity from a department.
func (v *Delivery) Takes(department, entity string) bool {
	return (len(v.Entities) == 0 || slices.Contains(v.Entities, entity)) &&
		(len(v.Departments) == 0 || slices.Contains(v.Departments, department))
}

// badName reports a name that is used in topics and so takes few characters.
func (d *document) badName(n *yaml.Node, key string, allowed connectors.Text) {
	d.report(n, text("%s 的值 %s 不可用", "%s cannot be %s", key, strconv.Quote(d.shown(n))),
		text("只用%[1]s", "use only %[2]s", allowed.Zh, allowed.En))
}

func isYAML(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
