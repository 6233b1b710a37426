package files

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/datong-dx/datong/connectors"
)

// tableOf makes the table of a file with the given header. What is doubtful but can be read is told in notes.
func tableOf(s *settings, set, where string, header []string) (*connectors.Table, []connectors.Problem, error) {
	names, notes := distinct(where, header)
	t := &connectors.Table{Name: set, Columns: make([]connectors.Column, len(names))}
	for i, name := range names {
		if renamed, ok := s.columns[name]; ok {
			name = renamed
		}
		t.Columns[i].Name = name
	}
	if i, name := firstRepeated(t.Columns); i >= 0 {
		return nil, notes, stop(where, "改名后有两列同名："+name, "two columns are called "+name+" after renaming",
			connectors.Text{Zh: "改正 columns", En: "correct columns"})
	}
	err := keyOf(s, t, where)
	return t, notes, err
}

// keyOf finds the key columns, and the operation's, in the table.
func keyOf(s *settings, t *connectors.Table, where string) error {
	var errs []error
	for _, name := range s.key {
		i := t.Index(name)
		if i < 0 {
			errs = append(errs, noColumn(where, "key", name, t))
			continue
		}
		t.Key = append(t.Key, i)
	}
	if s.opColumn != "" && t.Index(s.opColumn) < 0 {
		errs = append(errs, noColumn(where, "op_column", s.opColumn, t))
	}
	return errors.Join(errs...)
}

func noColumn(where, option, name string, t *connectors.Table) error {
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = t.Columns[i].Name
	}
	list := strings.Join(names[:min(len(names), 30)], ", ")
	return stop(where, option+" 的列 "+name+" 不在表头中", option+" names column "+name+", which is not in the header",
		connectors.Text{Zh: "表头为：" + list, En: "the header has " + list})
}

// distinct gives nameless columns the name that spreadsheets give them, F1, F2, …, and repeated names a number.
func distinct(where string, header []string) ([]string, []connectors.Problem) {
	var notes []connectors.Problem
	note := func(zh, en string) {
		notes = append(notes, connectors.Problem{Where: where, Warning: true, What: connectors.Text{Zh: zh, En: en},
			Try: connectors.Text{Zh: "用 columns 给列命名，或用 header 列出所有列名", En: "name the column in columns, or list all names in header"}})
	}
	names := slices.Clone(header)
	used := make(map[string]bool, len(names))
	for _, name := range names {
		used[name] = true
	}
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if name == "" {
			names[i] = unused(used, fmt.Sprintf("F%d", i+1))
			note(fmt.Sprintf("第 %d 列没有列名，称为 %s", i+1, names[i]), fmt.Sprintf("column %d has no name and is called %s", i+1, names[i]))
		} else if seen[name] {
			names[i] = unused(used, name+"_2")
			note(fmt.Sprintf("列名 %s 重复，第 %d 列称为 %s", name, i+1, names[i]), fmt.Sprintf("column name %s is repeated: column %d is called %s", name, i+1, names[i]))
		}
		seen[name], seen[names[i]], used[names[i]] = true, true, true
	}
	return names, notes
}

// unused returns the name, or the first of name_2, name_3, … that no column has.
func unused(used map[string]bool, name string) string {
	base, _, _ := strings.Cut(name, "_2")
	for n := 2; used[name]; n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	return name
}

func firstRepeated(columns []connectors.Column) (int, string) {
	seen := make(map[string]bool, len(columns))
	for i := range columns {
		if seen[columns[i].Name] {
			return i, columns[i].Name
		}
		seen[columns[i].Name] = true
	}
	return -1, ""
}

// numbered returns the names F1, F2, … of n columns.
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("F%d", i+1)
	}
	return names
}

// readHeader consumes what stands before the first row and makes the table. It returns a nil table for a file that
// ends before.
func (c *csvReader) readHeader(s *settings, set, where, format string) ([]connectors.Problem, error) {
	for range s.skipRows {
		if err := c.lines.skipLine(); err != nil {
			return nil, err
		}
	}
	line, err := c.firstLine()
	if err != nil {
		return nil, headerProblem(where, err)
	}
	if line == nil {
		return nil, nil
	}
	c.delim = delimiterOf(s, format, line)
	names := s.header
	if auto := names[0] == "auto"; len(names) == 1 && (auto || names[0] == "none") {
		first, size, feeds, err := c.header(line)
		if err != nil {
			return nil, headerProblem(where, err)
		}
		if names = numbered(len(first)); auto {
			names = first
			c.lines.advance(size, feeds)
		}
	}
	var notes []connectors.Problem
	c.table, notes, err = tableOf(s, set, where, names)
	return notes, err
}

// headerProblem makes of what is wrong with the header's row a problem of the whole file.
func headerProblem(where string, err error) error {
	var p *connectors.Problem
	if !errors.As(err, &p) {
		return err
	}
	return stop(where, "表头无法读取："+p.What.Zh, "the header cannot be read: "+p.What.En, connectors.Text{
		Zh: "检查 encoding 和 delimiter，或用 header 列出列名并设 skip_rows: 1",
		En: "check encoding and delimiter, or list the names in header with skip_rows: 1",
	})
}

// firstLine returns the first line that is not blank, consuming those before it; nil when there is none.
func (c *csvReader) firstLine() ([]byte, error) {
	for {
		line, err := c.lines.peek(0)
		if errors.Is(err, errRowTooLong) {
			return nil, tooLong(c.lines.max)
		}
		if err != nil || len(line) == 0 {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) > 0 {
			return line, nil
		}
		c.lines.advance(len(line), 1)
	}
}

// delimiterOf returns the delimiter: as set, by format, or what the first line of a CSV has instead of commas. Tabs under
// the name .csv are common.
func delimiterOf(s *settings, format string, first []byte) byte {
	switch {
	case s.delimiter != 0:
		return s.delimiter
	case format == "tsv":
		return '\t'
	case bytes.IndexByte(first, ',') < 0:
		for _, d := range []byte("\t;|") {
			if bytes.IndexByte(first, d) >= 0 {
				return d
			}
		}
	}
	return ','
}
