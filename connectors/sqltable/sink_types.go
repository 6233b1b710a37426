package sqltable

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// family is a group of column types that hold the same kind of value, whatever a database calls them.
type family uint8

const (
	otherFamily family = iota
	textFamily
	intFamily
	decimalFamily
	floatFamily
	boolFamily
	dateFamily
	datetimeFamily  // a wall clock
	timestampFamily // an instant
	jsonFamily
	bytesFamily
)

// families maps the kinds of values to the families of columns made for them.
var families = map[connectors.Kind]family{
	connectors.KindNull: textFamily, connectors.KindText: textFamily, connectors.KindBytes: bytesFamily,
	connectors.KindBool: boolFamily, connectors.KindInt: intFamily, connectors.KindFloat: floatFamily,
	connectors.KindDecimal: decimalFamily, connectors.KindDate: dateFamily, connectors.KindDateTime: datetimeFamily,
	connectors.KindTimestamp: timestampFamily, connectors.KindJSON: jsonFamily,
}

// familyTypes is the plain name of each family's type. SQLite's are chosen so that nothing is ever turned into a
// floating-point number: a decimal is text there, exact, and so is a time.
var familyTypes = map[sqldb.Dialect]map[family]string{
	sqldb.Postgres: {
		textFamily: "text", intFamily: "bigint", decimalFamily: "numeric", floatFamily: "double precision",
		boolFamily: "boolean", dateFamily: "date", datetimeFamily: "timestamp", timestampFamily: "timestamptz",
		jsonFamily: "jsonb", bytesFamily: "bytea",
	},
	sqldb.MySQL: {
		textFamily: "longtext", intFamily: "bigint", decimalFamily: "decimal(65,30)", floatFamily: "double",
		boolFamily: "tinyint(1)", dateFamily: "date", datetimeFamily: "datetime(6)", timestampFamily: "datetime(6)",
		jsonFamily: "json", bytesFamily: "longblob",
	},
	sqldb.SQLite: {
		textFamily: "text", intFamily: "integer", decimalFamily: "text", floatFamily: "real", boolFamily: "integer",
		dateFamily: "text", datetimeFamily: "text", timestampFamily: "text", jsonFamily: "text", bytesFamily: "blob",
	},
}

const (
	// longestVarchar is the longest varchar made in MySQL outside a key: a row holds at most 65,535 bytes of them.
	longestVarchar = 255
	// keyVarchar is the length in MySQL of a key column whose length is not known.
	keyVarchar = 128
	// longestPostgresVarchar is the largest n of varchar(n) in PostgreSQL.
	longestPostgresVarchar = 10485760
)

// columnType returns the type that a column is made with.
func (s *sqlSink) columnType(c *connectors.Column, key bool) string {
	f := families[c.Kind]
	switch {
	case f == textFamily && s.dialect == sqldb.Postgres && c.Length > 0 && c.Length <= longestPostgresVarchar:
		return fmt.Sprintf("varchar(%d)", c.Length)
	case f == textFamily && s.dialect == sqldb.MySQL:
		return s.mysqlText(c, key)
	case f == decimalFamily && s.dialect != sqldb.SQLite && c.Precision > 0:
		return fmt.Sprintf("%s(%d,%d)", map[bool]string{true: "decimal", false: "numeric"}[s.dialect == sqldb.MySQL], c.Precision, c.Scale)
	}
	return familyTypes[s.dialect][f]
}

// mysqlText returns a type whose values are compared character by character: in the usual collations ‘a’ and ‘A’ would
// be one key.
func (s *sqlSink) mysqlText(c *connectors.Column, key bool) string {
	name := "longtext"
	switch {
	case key && c.Length == 0:
		name = "varchar(" + strconv.Itoa(keyVarchar) + ")"
	case key, c.Length > 0 && c.Length <= longestVarchar:
		name = "varchar(" + strconv.Itoa(c.Length) + ")"
	case c.Length > 0 && c.Length <= 65535/4: // bytes of TEXT, bytes of a character
		name = "text"
	}
	return name + " CHARACTER SET utf8mb4 COLLATE " + s.collation
}

// actual is a column as it stands in the database.
type actual struct {
	name      string
	family    family
	dbType    string
	length    int // of text; 0 unlimited
	precision int // of decimals; 0 unlimited
	scale     int
	key       bool
}

// typeFamilies maps the type names that the databases give to families, integers being those of 64 bits.
var typeFamilies = map[string]family{
	"text": textFamily, "varchar": textFamily, "bpchar": textFamily, "char": textFamily, "tinytext": textFamily,
	"mediumtext": textFamily, "longtext": textFamily, "citext": textFamily,
	"int8": intFamily, "bigint": intFamily, "integer": intFamily, "numeric": decimalFamily, "decimal": decimalFamily,
	"float8": floatFamily, "double": floatFamily, "real": floatFamily, "bool": boolFamily, "boolean": boolFamily,
	"tinyint": boolFamily, "date": dateFamily, "timestamp": datetimeFamily, "datetime": datetimeFamily,
	"timestamptz": timestampFamily, "json": jsonFamily, "jsonb": jsonFamily, "bytea": bytesFamily,
	"blob": bytesFamily, "mediumblob": bytesFamily, "longblob": bytesFamily,
}

// smallIntegers are integer types that a bigint widens.
var smallIntegers = map[string]bool{"tinyint": true, "int2": true, "int4": true, "int": true, "smallint": true, "mediumint": true}

// fit says what must be done to a column so that it takes what is wanted.
type fit uint8

const (
	fits fit = iota
	mustWiden
	conflict
)

// compare decides whether a column that exists takes the values of the wanted one, can be widened to take them without
// changing any value it holds, or neither.
func (s *sqlSink) compare(want *connectors.Column, have actual) fit {
	if s.dialect == sqldb.SQLite {
		return compareSQLite(want, have)
	}
	f := families[want.Kind]
	switch {
	case f == textFamily:
		return compareText(want, have)
	case f == decimalFamily:
		return compareDecimal(want, have)
	case smallIntegers[have.dbType] && f == intFamily:
		return mustWiden
	case have.family == f, have.family == textFamily && (have.length == 0 || have.length >= 64):
		return fits
	case s.dialect == sqldb.MySQL && f == timestampFamily && have.family == datetimeFamily,
		s.dialect == sqldb.MySQL && f == jsonFamily && have.family == textFamily, // MariaDB's json
		f == boolFamily && s.dialect == sqldb.MySQL && have.family == intFamily,
		f == intFamily && have.family == decimalFamily:
		return fits
	}
	return conflict
}

// compareSQLite knows that SQLite keeps whatever it is given, save that a column of numeric affinity turns text that
// looks like a number into one (sqlite.org/datatype3.html, determination of column affinity).
func compareSQLite(want *connectors.Column, have actual) fit {
	if familyTypes[sqldb.SQLite][families[want.Kind]] != "text" {
		return fits
	}
	isText := have.dbType == "" || strings.Contains(have.dbType, "blob")
	for _, part := range []string{"char", "clob", "text"} {
		isText = isText || strings.Contains(have.dbType, part)
	}
	if isText && !strings.Contains(have.dbType, "int") {
		return fits
	}
	return conflict
}

func compareText(want *connectors.Column, have actual) fit {
	switch have.family {
	case textFamily, jsonFamily:
		if have.family == textFamily && (have.length == 0 || want.Length > 0 && have.length >= want.Length) {
			return fits
		}
		return mustWiden
	case intFamily, decimalFamily, dateFamily:
		return mustWiden // to text, which shows the same digits
	}
	if smallIntegers[have.dbType] {
		return mustWiden
	}
	return conflict
}

func compareDecimal(want *connectors.Column, have actual) fit {
	switch {
	case have.family == intFamily || smallIntegers[have.dbType]:
		return mustWiden
	case have.family != decimalFamily:
		return map[bool]fit{true: fits, false: conflict}[have.family == textFamily]
	case have.precision == 0,
		want.Precision > 0 && have.scale >= want.Scale && have.precision-have.scale >= want.Precision-want.Scale:
		return fits
	case want.Precision == 0 && have.precision == 65: // as wide as MySQL's get
		return fits
	}
	return mustWiden
}

// widened returns the column to widen to: what is wanted, and no less in any respect than what there is.
func widened(want *connectors.Column, have actual) *connectors.Column {
	c := *want
	if families[c.Kind] == decimalFamily && c.Precision > 0 {
		whole, scale := c.Precision-c.Scale, c.Scale
		switch have.family {
		case decimalFamily:
			whole, scale = max(whole, have.precision-have.scale), max(scale, have.scale)
		default: // integers of up to 64 bits
			whole = max(whole, 19)
		}
		c.Precision, c.Scale = whole+scale, scale
	}
	if families[c.Kind] == textFamily && c.Length > 0 {
		switch have.family {
		case textFamily:
			c.Length = max(c.Length, have.length)
		case jsonFamily:
			c.Length = 0
		default:
			c.Length = max(c.Length, 20, have.precision+2) // a sign, a point, the digits; a date has 10
		}
	}
	return &c
}
