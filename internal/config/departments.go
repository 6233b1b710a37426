package config

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/datong-dx/datong/internal/nearest"
)

// departmentName is what stands in topic names and ACL prefixes between two dots.
var departmentName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

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
		if near := nearest.Name(owner, keys(pipelines)); near != "" {
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
