package delivery

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// Columns that every table has beside the entity's elements.
const (
	departmentColumn = "department"  // whose record it is: a key column
	sourceColumn     = "_source"     // ce_source of the record
	changedColumn    = "_changed_at" // ce_time of the record
)

// entityTable is an entity as a table of the platform.
type entityTable struct {
	*connectors.Table
	entity *dictionary.Entity
	major  int // of the dictionary's version
}

// entityTables makes the tables of the named entities, of all when none is named.
func entityTables(dict *dictionary.Dictionary, names []string) (map[string]*entityTable, error) {
	tables := make(map[string]*entityTable)
	var problems []error
	for _, name := range names {
		if dict.Entity(name) == nil {
			problems = append(problems, &connectors.Problem{
				What: connectors.Text{En: fmt.Sprintf("the dictionary has no entity %q", name), Zh: fmt.Sprintf("字典中没有实体 %q", name)},
				Try:  connectors.Text{En: "`datong dictionary list` shows every entity", Zh: "`datong dictionary list` 列出全部实体"},
				Err:  connectors.ErrStop,
			})
		}
	}
	for _, e := range dict.Entities() {
		if len(names) > 0 && !slices.Contains(names, e.Name) {
			continue
		}
		if e.Index(departmentColumn) >= 0 {
			problems = append(problems, &connectors.Problem{
				Where: e.Name,
				What:  connectors.Text{En: "an element is named department, as is the column that says whose record it is", Zh: "数据元与“所属部门”列 department 重名"},
				Try:   connectors.Text{En: "rename the element", Zh: "给该数据元改名"},
				Err:   connectors.ErrStop,
			})
			continue
		}
		tables[e.Name] = newEntityTable(e, dict.Version)
	}
	return tables, errors.Join(problems...)
}

func newEntityTable(e *dictionary.Entity, version string) *entityTable {
	t := &entityTable{entity: e, major: major(version), Table: &connectors.Table{
		Name: e.Name, Unique: true, Comment: e.Title, Key: []int{0},
		Columns: []connectors.Column{{
			Name: departmentColumn, Kind: connectors.KindText, Length: 64, NotNull: true,
			Comment: connectors.Text{Zh: "所属部门", En: "department"},
		}},
	}}
	for _, i := range e.KeyIndexes() {
		t.Key = append(t.Key, i+1)
	}
	for _, el := range e.Elements {
		t.Columns = append(t.Columns, column(el))
	}
	t.Columns = append(t.Columns,
		connectors.Column{Name: sourceColumn, Kind: connectors.KindText, Comment: connectors.Text{Zh: "来源", En: "source"}},
		connectors.Column{Name: changedColumn, Kind: connectors.KindTimestamp, Comment: connectors.Text{Zh: "变更时间", En: "time of change"}})
	return t
}

// kinds are those that [mapping.Decoder] gives.
var kinds = map[dictionary.Type]connectors.Kind{
	dictionary.String: connectors.KindText, dictionary.Integer: connectors.KindInt, dictionary.Decimal: connectors.KindDecimal,
	dictionary.Date: connectors.KindDate, dictionary.DateTime: connectors.KindTimestamp, dictionary.Boolean: connectors.KindBool,
}

func column(el *dictionary.Element) connectors.Column {
	c := connectors.Column{Name: el.Name, Kind: kinds[el.Type], Comment: el.Title}
	switch {
	case el.List:
		c.Kind = connectors.KindJSON
	case c.Kind == connectors.KindText:
		c.Length = el.Length
	case c.Kind == connectors.KindDecimal:
		c.Precision, c.Scale = el.Precision, el.Scale
	}
	return c
}

// errVersion says that a record was written with a dictionary that this program cannot know.
var errVersion = errors.New("written with a newer dictionary")

// checkSchema compares a record's ce_dataschema, urn:datong:<entity>:<version>, with what is known. Within one major
// number versions differ in elements added: those not known are passed over, those missing are absent.
func (t *entityTable) checkSchema(schema string) error {
	rest, ours := strings.CutPrefix(schema, "urn:datong:")
	if !ours {
		return nil // decoding tells whether it is one of ours
	}
	entity, version, _ := strings.Cut(rest, ":")
	if entity != t.entity.Name {
		return fmt.Errorf("a record of entity %s in a topic of %s", entity, t.entity.Name)
	}
	if major(version) > t.major {
		return fmt.Errorf("%w: version %s, this program knows %d", errVersion, version, t.major)
	}
	return nil
}

// major returns the first number of a version, 0 when there is none.
func major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return n
}
