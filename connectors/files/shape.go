package files

import (
	"fmt"

	"github.com/datong-dx/datong/connectors"
)

// shape is the table of JSON records as far as it is known: a record with a new field makes a new, wider table, in which
// the columns known before keep their places.
type shape struct {
	settings *settings
	where    string
	table    *connectors.Table
	index    map[string]int // column by field name in the file
}

// fieldsMax bounds a table. More are a sign of an object that is a map: `record_path: data.*` reads its entries.
const fieldsMax = 2000

func newShape(s *settings, set, where string) *shape {
	return &shape{settings: s, where: where, table: &connectors.Table{Name: set, Open: true}, index: map[string]int{}}
}

// column returns the column of a field, adding it when it is new; hint is the column it probably has. ok is false when
// there would be too many.
func (s *shape) column(name []byte, hint int) (i int, ok bool) {
	if hint < len(s.table.Columns) && s.table.Columns[hint].Name == string(name) && len(s.settings.columns) == 0 {
		return hint, true
	}
	if i, ok := s.index[string(name)]; ok {
		return i, true
	}
	if len(s.table.Columns) == fieldsMax {
		return 0, false
	}
	s.widen(string(name))
	return len(s.table.Columns) - 1, true
}

func (s *shape) widen(name string) {
	t := *s.table
	s.index[name] = len(t.Columns)
	if renamed, ok := s.settings.columns[name]; ok {
		name = renamed
	}
	t.Columns = append(t.Columns[:len(t.Columns):len(t.Columns)], connectors.Column{Name: name})
	t.Key = nil
	for _, key := range s.settings.key {
		if i := t.Index(key); i >= 0 {
			t.Key = append(t.Key, i)
		}
	}
	if len(t.Key) < len(s.settings.key) {
		t.Key = nil // part of a key identifies nothing
	}
	s.table = &t
}

func tooManyFields() *connectors.Problem {
	return rowProblem(fmt.Sprintf("记录的字段超过 %d 个", fieldsMax), fmt.Sprintf("there are more than %d fields", fieldsMax),
		connectors.Text{Zh: "若对象是映射，用 record_path 的 * 读取各项", En: "read the entries of a map with * in record_path"})
}
