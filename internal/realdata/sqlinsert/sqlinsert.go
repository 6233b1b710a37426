// Package sqlinsert reads the rows that the INSERT statements of an SQL file hold.
//
// Other statements (CREATE TABLE, SET, LOCK, …) are passed over. Names may be bare or in any of the quotes that databases
// and their imitators use: "a", `a`, [a] and 'a'. Values are strings, numbers, TRUE, FALSE and NULL; what the database
// would have to compute is an error that names its line.
package sqlinsert

import (
	"fmt"
	"strings"
)

// Row is one row of one INSERT.
type Row struct {
	Table   string // without its schema
	Columns []string
	Values  []Value
	Line    int // counted from 1
}

// Value is one value of a row. Text is what stood in the file, without quotes and escapes; it is empty for null.
type Value struct {
	Kind Kind
	Text string
}

// Kind tells how a value was written.
type Kind uint8

// The kinds of values.
const (
	Null Kind = iota
	String
	Number
	Bool // Text is true or false
)

// Options say how the file's dialect differs from the standard.
type Options struct {
	// Backslash makes \ in strings an escape, as MySQL has it; in standard SQL it is an ordinary character.
	Backslash bool
}

// Read calls fn with each row of the file in order, and ends with the first error of fn.
func Read(sql string, opts Options, fn func(Row) error) error {
	p := &parser{lexer: lexer{text: strings.TrimPrefix(sql, "\ufeff"), line: 1, backslash: opts.Backslash}, fn: fn}
	for {
		if err := p.next(); err != nil || p.kind == end {
			return err
		}
		var err error
		if p.is("INSERT") || p.is("REPLACE") {
			err = p.insert()
		} else {
			err = p.passOver()
		}
		if err != nil {
			return err
		}
	}
}

// parser is a statement at work; the token that it looks at is the lexer's.
type parser struct {
	lexer
	fn  func(Row) error
	row Row
}

// passOver goes to the end of the statement.
func (p *parser) passOver() error {
	for p.kind != end && !p.is(";") {
		if err := p.next(); err != nil {
			return err
		}
	}
	return nil
}

// insert reads INSERT INTO table (columns) VALUES (values), …
func (p *parser) insert() error {
	for !p.is("INTO") {
		if err := p.next(); err != nil {
			return err
		}
		if p.kind == end || p.is(";") {
			return p.fail("the statement lacks INTO")
		}
	}
	if err := p.table(); err != nil {
		return err
	}
	if !p.is("(") {
		return p.fail("table " + p.row.Table + " is not followed by the names of its columns")
	}
	if err := p.columns(); err != nil {
		return err
	}
	if !p.is("VALUES") && !p.is("VALUE") {
		return p.fail("VALUES should follow the names of the columns")
	}
	for {
		if err := p.next(); err != nil {
			return err
		}
		if err := p.values(); err != nil {
			return err
		}
		if !p.is(",") {
			return p.passOver() // ON CONFLICT … and its like
		}
	}
}

// table reads the name after INTO, with or without a schema.
func (p *parser) table() error {
	for {
		if err := p.name("the name of a table"); err != nil {
			return err
		}
		p.row.Table = p.token
		if err := p.next(); err != nil || !p.is(".") {
			return err
		}
	}
}

func (p *parser) columns() error {
	p.row.Columns = nil
	for {
		if err := p.name("the name of a column"); err != nil {
			return err
		}
		p.row.Columns = append(p.row.Columns, p.token)
		if more, err := p.another(); err != nil || !more {
			return err
		}
	}
}

func (p *parser) name(what string) error {
	if err := p.next(); err != nil {
		return err
	}
	if p.kind != word && p.kind != quotedName && p.kind != text || p.token == "" {
		return p.fail(p.shown() + " stands where " + what + " should")
	}
	return nil
}

// another consumes a comma, or the bracket that closes a list and the token behind it.
func (p *parser) another() (bool, error) {
	if err := p.next(); err != nil {
		return false, err
	}
	switch {
	case p.is(","):
		return true, nil
	case p.is(")"):
		return false, p.next()
	}
	return false, p.fail(p.shown() + " stands where a comma or a closing bracket should")
}

// values reads one row and hands it over.
func (p *parser) values() error {
	if !p.is("(") {
		return p.fail(p.shown() + " stands where the bracket of a row should")
	}
	row := p.row
	row.Line = p.start
	for more := true; more; {
		v, err := p.value()
		if err != nil {
			return err
		}
		row.Values = append(row.Values, v)
		if more, err = p.another(); err != nil {
			return err
		}
	}
	if len(row.Values) != len(row.Columns) {
		return fmt.Errorf("line %d: the row has %d values for %d columns", row.Line, len(row.Values), len(row.Columns))
	}
	return p.fn(row)
}

func (p *parser) value() (Value, error) {
	if err := p.next(); err != nil {
		return Value{}, err
	}
	switch {
	case p.kind == text:
		return Value{String, p.token}, nil
	case p.kind == number:
		return Value{Number, p.token}, nil
	case p.is("NULL"):
		return Value{}, nil
	case p.is("TRUE"), p.is("FALSE"):
		return Value{Bool, strings.ToLower(p.token)}, nil
	}
	return Value{}, p.fail(p.shown() + " stands where a value should, and only strings, numbers, TRUE, FALSE and NULL are read")
}
