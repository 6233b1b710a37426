package demo

import "slices"

// sheet is the shape of a department's rows: the name of its table or file and the columns in order.
type sheet struct {
	name    string
	columns []string
}

// row is one row of a sheet as the department writes it: all text, as departments keep it.
type row struct {
	*sheet
	values []string
}

// newRow returns a row of the given values, one for each column.
func (s *sheet) newRow(values ...string) row { return row{sheet: s, values: values} }

func (r row) get(column string) string { return r.values[slices.Index(r.columns, column)] }

func (r row) set(column, value string) { r.values[slices.Index(r.columns, column)] = value }
