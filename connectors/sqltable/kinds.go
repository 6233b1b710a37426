package sqltable

import (
	"strings"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// kindOf returns what a column of the given type holds. Types that have no kind of their own (uuid, interval, arrays,
// enumerations, …) are read as the text that the database shows.
func kindOf(d sqldb.Dialect, dbType string) connectors.Kind {
	switch d {
	case sqldb.Postgres:
		return orText(postgresKinds[dbType])
	case sqldb.MySQL:
		return orText(mysqlKinds[strings.TrimPrefix(dbType, "UNSIGNED ")])
	}
	return sqliteKind(dbType)
}

func orText(k connectors.Kind) connectors.Kind {
	if k == connectors.KindAbsent {
		return connectors.KindText
	}
	return k
}

var postgresKinds = map[string]connectors.Kind{
	"BOOL": connectors.KindBool, "INT2": connectors.KindInt, "INT4": connectors.KindInt, "INT8": connectors.KindInt,
	"FLOAT4": connectors.KindFloat, "FLOAT8": connectors.KindFloat, "NUMERIC": connectors.KindDecimal,
	"DATE": connectors.KindDate, "TIMESTAMP": connectors.KindDateTime, "TIMESTAMPTZ": connectors.KindTimestamp,
	"BYTEA": connectors.KindBytes, "JSON": connectors.KindJSON, "JSONB": connectors.KindJSON,
}

var mysqlKinds = map[string]connectors.Kind{
	"TINYINT": connectors.KindInt, "SMALLINT": connectors.KindInt, "MEDIUMINT": connectors.KindInt, "INT": connectors.KindInt,
	"BIGINT": connectors.KindInt, "YEAR": connectors.KindInt, "BIT": connectors.KindInt,
	"FLOAT": connectors.KindFloat, "DOUBLE": connectors.KindFloat, "DECIMAL": connectors.KindDecimal,
	"DATE": connectors.KindDate, "DATETIME": connectors.KindDateTime, "TIMESTAMP": connectors.KindTimestamp,
	"BINARY": connectors.KindBytes, "VARBINARY": connectors.KindBytes, "TINYBLOB": connectors.KindBytes, "BLOB": connectors.KindBytes,
	"MEDIUMBLOB": connectors.KindBytes, "LONGBLOB": connectors.KindBytes, "GEOMETRY": connectors.KindBytes, "JSON": connectors.KindJSON,
}

// sqliteKind goes by the declared type, which SQLite keeps but does not enforce: first the names that people give to
// what SQLite does not have, then SQLite's own rules of affinity (sqlite.org/datatype3.html, 3.1). KindNull stands for a
// column that says nothing.
func sqliteKind(declared string) connectors.Kind {
	base, _, _ := strings.Cut(strings.ToUpper(declared), "(")
	switch base = strings.TrimSpace(base); base {
	case "":
		return connectors.KindNull
	case "DATE":
		return connectors.KindDate
	case "DATETIME", "TIMESTAMP", "TIMESTAMPTZ":
		return connectors.KindDateTime
	case "BOOLEAN", "BOOL":
		return connectors.KindBool
	case "DECIMAL", "NUMERIC", "NUMBER":
		return connectors.KindDecimal
	case "JSON", "JSONB":
		return connectors.KindJSON
	}
	contains := func(part string) bool { return strings.Contains(base, part) }
	switch {
	case contains("INT"):
		return connectors.KindInt
	case contains("CHAR"), contains("CLOB"), contains("TEXT"):
		return connectors.KindText
	case contains("BLOB"):
		return connectors.KindBytes
	case contains("REAL"), contains("FLOA"), contains("DOUB"): //nolint:misspell // the letters that SQLite looks for
		return connectors.KindFloat
	}
	return connectors.KindNull
}
