package dictionary

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
)

// Extend returns the dictionary with a city's directory laid over it: dictionary.yaml (name and version, optional),
// entities/*.yaml, codes.yaml and codes/*.csv. The directory adds entities, elements and code sets, and codes to the code
// sets that are declared extensible; with `extends:` it strengthens an element of a built-in entity. Whatever would
// weaken or change a built-in rule is refused. The error joins a [connectors.Problem] for everything that is wrong, each
// with file and line. d itself stays as it is.
func (d *Dictionary) Extend(dir string) (*Dictionary, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = errors.New("not a directory")
	}
	if err != nil {
		return nil, &connectors.Problem{
			Where: dir,
			What:  connectors.Text{Zh: "读取数据字典目录", En: "read the dictionary directory"},
			Err:   err,
		}
	}
	return load(d, os.DirFS(dir), dir)
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// extendEntity lays a draft over the entity it extends.
func (l *loader) extendEntity(d *entityDraft) {
	before := l.entities[d.extends]
	if before == nil {
		l.add(d.Entity.at, nearest.Suggest(d.extends, l.entityNames()), "要扩展的实体 %s 不存在", "extends %s, which does not exist", d.extends)
		return
	}
	l.keepEntity(d, before)
	e := *before
	e.Elements = slices.Clone(before.Elements)
	for _, draft := range d.elements {
		i := before.Index(draft.name)
		if i < 0 {
			d.Standard, d.Clause = Own, ""
			if el := l.resolve(d, draft); el != nil {
				e.Elements = append(e.Elements, el)
			}
			continue
		}
		e.Elements[i] = l.strengthen(d, draft, before.Elements[i])
	}
	e.build()
	l.entities[e.Name] = &e
}

func (l *loader) entityNames() []string {
	names := make([]string, 0, len(l.entities))
	for name := range l.entities {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// keepEntity refuses a change of what the entity itself says. Repeating it unchanged does no harm.
func (l *loader) keepEntity(d *entityDraft, before *Entity) {
	changed := map[string]bool{
		"title":        d.Title != before.Title,
		"definition":   d.Definition != before.Definition,
		"key":          !slices.Equal(d.Key, before.Key),
		"date_element": d.DateElement != before.DateElement,
		"standard":     d.Standard != before.Standard,
		"clause":       d.Clause != before.Clause,
	}
	for _, key := range []string{"title", "definition", "key", "date_element", "standard", "clause"} {
		if d.given[key] && changed[key] {
			l.add(d.Entity.at, connectors.Text{Zh: "去掉 " + key, En: "leave out " + key}, "扩展不能改变实体 %[1]s 的 %[2]s（定义于 %[3]s）", "an extension cannot change %[2]s of entity %[1]s (declared in %[3]s)", before.Name, key, before.at)
		}
	}
}

// strengthen returns a copy of a built-in element with what the draft adds to it.
func (l *loader) strengthen(d *entityDraft, draft *elementDraft, before *Element) *Element {
	if _, _, ok := d.sameAs(draft); ok {
		l.add(draft.at, noTry, "%s 已在 %s 定义，不能再用 same_as", "%s is declared in %s and cannot be the same as another", draft.name, before.at)
	}
	after := *before
	given := d.read(&after, draft)
	for _, rule := range strengthenRules {
		if given[rule.key] && !rule.keeps(before, &after) {
			l.add(draft.at, rule.try, "不能%[1]s要素 %[3]s 的 %[2]s（定义于 %[4]s）", "cannot %[5]s %[2]s of element %[3]s (declared in %[4]s)", rule.verb.Zh, rule.key, before.Name, before.at, rule.verb.En)
		}
	}
	return &after
}

// moreCodes returns a built-in code set with a city's codes added.
func (l *loader) moreCodes(before *CodeSet, codes []Code, at position) *CodeSet {
	if !before.Extensible {
		l.add(at, connectors.Text{Zh: "另建代码集，或用代码对照表映射到现有代码", En: "make a code set of your own, or map to the existing codes with a crosswalk"}, "代码集 %s 不可增加代码（定义于 %s）", "code set %s takes no further codes (declared in %s)", before.Name, before.at)
		return before
	}
	after := *before
	after.Codes = slices.Clone(before.Codes)
	for _, c := range codes {
		if _, taken := before.index[c.Value]; taken {
			l.add(c.at, noTry, "代码 %s 已在代码集 %s 中（定义于 %s）", "code %s is in code set %s already (declared in %s)", c.Value, before.Name, before.Codes[before.index[c.Value].first].at)
			continue
		}
		after.Codes = append(after.Codes, c)
	}
	after.build()
	return &after
}
