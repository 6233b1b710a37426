package dictionary

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/datong-dx/datong/connectors"
)

// Names of what a dictionary directory holds.
const (
	manifestFile = "dictionary.yaml"
	codesFile    = "codes.yaml"
	entitiesDir  = "entities"
	codesDir     = "codes"
)

// loader reads one directory on top of a base dictionary, which is nil for the built-in one.
type loader struct {
	problems
	base  *Dictionary
	root  fs.FS
	label string // stands before file names in messages

	name, version string // from dictionary.yaml
	drafts        []*entityDraft
	entities      map[string]*Entity
	codeSets      map[string]*CodeSet
}

// load reads a directory on top of base. All problems are joined in one error.
func load(base *Dictionary, root fs.FS, label string) (*Dictionary, error) {
	l := &loader{base: base, root: root, label: label, entities: map[string]*Entity{}, codeSets: map[string]*CodeSet{}}
	if base != nil {
		for _, e := range base.entities {
			l.entities[e.Name] = e
		}
		for _, c := range base.codeSets {
			l.codeSets[c.Name] = c
		}
	}
	l.readLayout()
	l.readManifest()
	l.readCodeSets()
	l.readEntities()
	d := l.dictionary()
	if len(l.list) == 0 {
		l.validate(d)
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	return d, nil
}

// readManifest reads dictionary.yaml. The built-in one must have it; a city's may go without.
func (l *loader) readManifest() {
	text, ok := l.read(manifestFile)
	at := position{l.file(manifestFile), 1}
	if !ok {
		if l.base == nil {
			l.add(at, noTry, "缺少文件", "the file is missing")
		}
		return
	}
	f := &yamlFile{&l.problems, at.file}
	if top := f.open(text); top != nil {
		f.object(top, fields{"name": f.text(&l.name), "version": f.text(&l.version)})
	}
	if !semver.MatchString(l.version) {
		l.add(at, connectors.Text{Zh: "写作 1.0.0", En: "write it as 1.0.0"}, "version 不是语义化版本号", "version is not a semantic version")
	}
	if l.base != nil && !nameRule.MatchString(l.name) {
		l.add(at, noTry, "name 应为小写字母开头的字母、数字和下划线", "name is lower-case letters, digits and underscores, a letter first")
	}
}

func (l *loader) readCodeSets() {
	declared := map[string]*CodeSet{}
	if text, ok := l.read(codesFile); ok {
		for _, c := range parseManifest(&l.problems, l.file(codesFile), text) {
			declared[c.Name] = c
			if before := l.codeSets[c.Name]; before != nil {
				l.add(c.at, connectors.Text{Zh: "如需增加代码，只写 codes/" + c.Name + ".csv", En: "to add codes, give only codes/" + c.Name + ".csv"}, "代码集 %s 已在 %s 定义", "code set %s is declared already, in %s", c.Name, before.at)
			}
		}
	}
	filled := map[string]bool{}
	l.files(codesDir, ".csv", func(set, file string, text []byte) {
		filled[set] = true
		codes := parseCodes(&l.problems, file, text)
		if before := l.codeSets[set]; before != nil {
			l.codeSets[set] = l.moreCodes(before, codes, position{file: file})
			return
		}
		c := declared[set]
		if c == nil {
			l.add(position{file: file}, noTry, "代码集 %s 没有在 codes.yaml 中定义", "code set %s is not declared in codes.yaml", set)
			return
		}
		c.Codes = codes
		c.build()
		l.codeSets[set] = c
	})
	for name, c := range declared {
		if !filled[name] {
			l.add(c.at, noTry, "缺少 codes/%s.csv", "codes/%s.csv is missing", name)
		}
	}
}

func (l *loader) readEntities() {
	l.files(entitiesDir, ".yaml", func(_, file string, text []byte) {
		if d := parseEntity(&l.problems, file, text); d != nil {
			l.drafts = append(l.drafts, d)
		}
	})
	l.resolveAll()
	for _, d := range l.drafts {
		if d.extends != "" {
			l.extendEntity(d)
		} else {
			l.newEntity(d)
		}
	}
}

func (l *loader) newEntity(d *entityDraft) {
	if before := l.entities[d.Name]; before != nil {
		l.add(d.Entity.at, connectors.Text{Zh: "用 extends: " + d.Name + " 扩展它", En: "extend it with extends: " + d.Name}, "实体 %s 已在 %s 定义", "entity %s is declared already, in %s", d.Name, before.at)
		return
	}
	e := d.Entity
	for _, draft := range d.elements {
		if draft.element != nil {
			e.Elements = append(e.Elements, draft.element)
		}
	}
	e.build()
	l.entities[e.Name] = &e
}

// build makes the indexes of an entity whose elements are complete.
func (e *Entity) build() {
	e.index = make(map[string]int, len(e.Elements))
	for i, el := range e.Elements {
		e.index[el.Name] = i
	}
	e.keys = make([]int, len(e.Key))
	for i, name := range e.Key {
		e.keys[i] = e.Index(name)
	}
}

// dictionary puts together what was read.
func (l *loader) dictionary() *Dictionary {
	d := &Dictionary{Version: l.version}
	if l.base != nil {
		d.Version = l.base.Version + l.metadata()
	}
	for _, e := range l.entities {
		d.entities = append(d.entities, e)
	}
	for _, c := range l.codeSets {
		d.codeSets = append(d.codeSets, c)
	}
	slices.SortFunc(d.entities, func(a, b *Entity) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.codeSets, func(a, b *CodeSet) int { return strings.Compare(a.Name, b.Name) })
	return d
}

// metadata is what an extension adds to the version.
func (l *loader) metadata() string {
	separator := "+"
	if strings.Contains(l.base.Version, "+") {
		separator = "."
	}
	if l.version == "" {
		return separator + "local"
	}
	return separator + strings.ReplaceAll(l.name, "_", "-") + "." + strings.ReplaceAll(l.version, "+", ".")
}
