package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/datong-dx/datong/internal/realdata/sqlinsert"
)

// table is what was read of one SQL table.
type table struct {
	lines []byte
	rows  int
}

// row adds a row to its table.
func (c *converter) row(r sqlinsert.Row) error {
	if filepath.Base(r.Table) != r.Table {
		return fmt.Errorf("line %d: table %q cannot be the name of a file", r.Line, r.Table)
	}
	t := c.tables[r.Table]
	if t == nil {
		t = &table{}
		c.tables[r.Table] = t
		c.names = append(c.names, r.Table)
	}
	t.rows++
	t.lines = append(t.lines, '{')
	for i, v := range r.Values {
		if i > 0 {
			t.lines = append(t.lines, ',')
		}
		t.lines = append(appendText(t.lines, r.Columns[i]), ':')
		t.lines = appendValue(t.lines, v)
	}
	t.lines = append(t.lines, "}\n"...)
	return nil
}

// appendValue keeps a number's digits, and writes a number that JSON does not allow, such as .5 or 007, as a string.
func appendValue(out []byte, v sqlinsert.Value) []byte {
	switch {
	case v.Kind == sqlinsert.Null:
		return append(out, "null"...)
	case v.Kind == sqlinsert.String, !json.Valid([]byte(v.Text)):
		return appendText(out, v.Text)
	}
	return append(out, v.Text...)
}

// appendText appends a JSON string, with <, > and & as they are.
func appendText(out []byte, text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string in a buffer: cannot go wrong
	return append(out, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
