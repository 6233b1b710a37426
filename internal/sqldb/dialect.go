package sqldb

import (
	"strconv"
	"strings"
)

// Dialect is one of the database families that Datong speaks SQL with.
type Dialect uint8

// Dialects. MySQL stands for MariaDB as well; where the two differ the code asks the server.
const (
	Postgres Dialect = iota + 1
	MySQL
	SQLite
)

// String returns the dialect's name as people write it.
func (d Dialect) String() string {
	switch d {
	case Postgres:
		return "PostgreSQL"
	case MySQL:
		return "MySQL"
	case SQLite:
		return "SQLite"
	}
	return "unknown"
}

// Quote returns ident as a quoted identifier, so that every name is taken exactly as it is written.
func (d Dialect) Quote(ident string) string {
	mark := `"`
	if d == MySQL {
		mark = "`"
	}
	return mark + strings.ReplaceAll(ident, mark, mark+mark) + mark
}

// QuoteTable quotes a table name, part by part: schema.table becomes "schema"."table".
func (d Dialect) QuoteTable(name string) string {
	parts := SplitTable(name)
	for i, part := range parts {
		parts[i] = d.Quote(part)
	}
	return strings.Join(parts, ".")
}

// SplitTable splits a table name at its dots. A part that itself holds a dot stands in double quotes, as in
// scjg."qy.jbxx".
func SplitTable(name string) []string {
	var parts []string
	for name != "" {
		var part string
		if rest, ok := strings.CutPrefix(name, `"`); ok && strings.Contains(rest, `"`) {
			part, name, _ = strings.Cut(rest, `"`)
			name = strings.TrimPrefix(name, ".")
		} else {
			part, name, _ = strings.Cut(name, ".")
		}
		parts = append(parts, part)
	}
	return parts
}

// Placeholder returns the n-th parameter mark of a statement; n begins at 1.
func (d Dialect) Placeholder(n int) string {
	if d == Postgres {
		return "$" + strconv.Itoa(n)
	}
	return "?"
}
