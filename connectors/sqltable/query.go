package sqltable

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// builder writes a SELECT of a set.
type builder struct {
	dialect sqldb.Dialect
	set     *set
	text    strings.Builder
	args    []any
	where   bool
}

func newBuilder(d sqldb.Dialect, s *set) *builder {
	b := &builder{dialect: d, set: s}
	b.text.WriteString("SELECT ")
	for i := range s.columns {
		if i > 0 {
			b.text.WriteString(", ")
		}
		b.text.WriteString(s.columns[i].expr)
	}
	b.text.WriteString(" FROM ")
	b.text.WriteString(s.from)
	return b
}

// name returns the quoted name of a column.
func (b *builder) name(i int) string { return b.dialect.Quote(b.set.columns[i].Name) }

// and begins the next condition.
func (b *builder) and() {
	if b.where {
		b.text.WriteString(" AND ")
	} else {
		b.text.WriteString(" WHERE ")
		b.where = true
	}
}

func (b *builder) compare(i int, operator string, v connectors.Value) {
	b.text.WriteString(b.name(i) + operator)
	b.param(v)
}

// after lets only rows through whose columns come after the given values in order. PostgreSQL and SQLite find the place
// in an index by comparing rows; MySQL needs it spelled out, led by a comparison of the first column alone.
func (b *builder) after(columns []int, values []connectors.Value) {
	b.and()
	if b.dialect != sqldb.MySQL {
		b.text.WriteString("(" + b.names(columns) + ") > (")
		for i := range values {
			if i > 0 {
				b.text.WriteString(", ")
			}
			b.param(values[i])
		}
		b.text.WriteString(")")
		return
	}
	if len(columns) > 1 {
		b.compare(columns[0], " >= ", values[0])
		b.text.WriteString(" AND ")
	}
	b.text.WriteString("(")
	for n := range columns {
		if n > 0 {
			b.text.WriteString(" OR ")
		}
		for i := range n {
			b.compare(columns[i], " = ", values[i])
			b.text.WriteString(" AND ")
		}
		b.compare(columns[n], " > ", values[n])
	}
	b.text.WriteString(")")
}

func (b *builder) names(columns []int) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = b.name(c)
	}
	return strings.Join(quoted, ", ")
}

func (b *builder) order(columns []int) {
	if len(columns) > 0 {
		b.text.WriteString(" ORDER BY " + b.names(columns))
	}
}

func (b *builder) statement(limit int) *statement {
	if limit > 0 {
		b.text.WriteString(" LIMIT " + strconv.Itoa(limit))
	}
	return &statement{text: b.text.String(), args: b.args, columns: b.set.columns, unlimited: limit == 0}
}

// param adds a value as a parameter, in the form in which the database compares it with a column without a conversion
// that loses digits or the use of an index.
func (b *builder) param(v connectors.Value) {
	text := b.dialect.Placeholder(len(b.args) + 1)
	var arg any
	switch v.Kind() {
	case connectors.KindBytes:
		arg = v.Bytes()
	case connectors.KindInt:
		arg = v.Int()
	case connectors.KindFloat:
		arg = v.Float()
	case connectors.KindDecimal:
		if arg = string(v.Bytes()); b.dialect == sqldb.MySQL { // which would compare a text with a number as floats
			text = "CAST(? AS DECIMAL(65,30))"
		}
	default:
		arg = timeText(v)
	}
	if n, isInt := arg.(int64); isInt && b.dialect == sqldb.Postgres {
		arg = strconv.FormatInt(n, 10) // as text it goes with any numeric type
	}
	b.text.WriteString(text)
	b.args = append(b.args, arg)
}

// timeText writes a value for comparison; dates and times in the form that all three databases read.
func timeText(v connectors.Value) string {
	switch v.Kind() {
	case connectors.KindDateTime:
		return infinite(v.Int(), time.UnixMicro(v.Int()).UTC().Format("2006-01-02 15:04:05.999999"))
	case connectors.KindTimestamp:
		return infinite(v.Int(), time.UnixMicro(v.Int()).UTC().Format("2006-01-02 15:04:05.999999"))
	}
	return string(v.AppendText(nil))
}

// infinite stands for times that no calendar reaches.
func infinite(n int64, text string) string {
	if n == math.MaxInt64 {
		return "infinity"
	}
	return text
}
