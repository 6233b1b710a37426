package sqltable

import (
	"testing"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// kept is one column: how it is declared, what is stored, and what is read of it.
type kept struct {
	declared, stored string
	kind             connectors.Kind
	text             string
}

var keptValues = map[sqldb.Dialect][]kept{
	sqldb.Postgres: {
		{"smallint", "-32768", connectors.KindInt, "-32768"},
		{"bigint", "9223372036854775807", connectors.KindInt, "9223372036854775807"},
		{"numeric(30,4)", "12345678901234567890.1200", connectors.KindDecimal, "12345678901234567890.1200"},
		{"numeric", "'NaN'", connectors.KindText, "NaN"},
		{"real", "0.1", connectors.KindFloat, "0.1"},
		{"double precision", "1e300", connectors.KindFloat, "1e+300"},
		{"boolean", "true", connectors.KindBool, "true"},
		{"text", "'张三 🀄'", connectors.KindText, "张三 🀄"},
		{"char(4)", "'ab'", connectors.KindText, "ab  "},
		{"bytea", `'\x00ff'`, connectors.KindBytes, "\x00\xff"},
		{"date", "'1900-02-28'", connectors.KindDate, "1900-02-28"},
		{"date", "'infinity'", connectors.KindText, "infinity"},
		{"timestamp", "'2026-03-01 12:00:00.123456'", connectors.KindDateTime, "2026-03-01T12:00:00.123456"},
		{"timestamptz", "'2026-03-01 12:00:00+08'", connectors.KindTimestamp, "2026-03-01T04:00:00Z"},
		{"time", "'12:30:00'", connectors.KindText, "12:30:00"},
		{"uuid", "'00000000-0000-0000-0000-00000000000a'", connectors.KindText, "00000000-0000-0000-0000-00000000000a"},
		{"json", `'{"a": [1]}'`, connectors.KindJSON, `{"a": [1]}`},
		{"jsonb", `'"word"'`, connectors.KindText, "word"},
		{"int[]", "'{1,2}'", connectors.KindText, "{1,2}"},
		{"text", "NULL", connectors.KindNull, ""},
	},
	sqldb.MySQL: {
		{"tinyint(1)", "1", connectors.KindInt, "1"},
		{"bigint unsigned", "18446744073709551615", connectors.KindDecimal, "18446744073709551615"},
		{"decimal(30,4)", "12345678901234567890.1200", connectors.KindDecimal, "12345678901234567890.1200"},
		{"float", "0.1", connectors.KindFloat, "0.1"},
		{"double", "1e300", connectors.KindFloat, "1e+300"},
		{"bit(10)", "b'1000000001'", connectors.KindInt, "513"},
		{"varchar(20)", "'张三 🀄'", connectors.KindText, "张三 🀄"},
		{"varchar(20) CHARACTER SET gbk", "'张三'", connectors.KindText, "张三"},
		{"varbinary(8)", "x'00ff'", connectors.KindBytes, "\x00\xff"},
		{"date", "'1900-02-28'", connectors.KindDate, "1900-02-28"},
		{"date", "'0000-00-00'", connectors.KindText, "0000-00-00"},
		{"datetime(6)", "'2026-03-01 12:00:00.123456'", connectors.KindDateTime, "2026-03-01T12:00:00.123456"},
		{"timestamp NULL", "'2026-03-01 12:00:00'", connectors.KindTimestamp, ""},
		{"time", "'-12:30:00'", connectors.KindText, "-12:30:00"},
		{"year", "2026", connectors.KindInt, "2026"},
		{"enum('甲','乙')", "'乙'", connectors.KindText, "乙"},
		{"text", "NULL", connectors.KindNull, ""},
	},
	sqldb.SQLite: {
		{"INTEGER", "-9223372036854775808", connectors.KindInt, "-9223372036854775808"},
		{"DECIMAL(10,2)", "10.5", connectors.KindDecimal, "10.5"},
		{"DECIMAL(10,2)", "'ten'", connectors.KindText, "ten"},
		{"REAL", "0.1", connectors.KindFloat, "0.1"},
		{"BOOLEAN", "1", connectors.KindBool, "true"},
		{"BOOLEAN", "2", connectors.KindInt, "2"},
		{"VARCHAR(9)", "'张三 🀄'", connectors.KindText, "张三 🀄"},
		{"TEXT", "x'00ff'", connectors.KindBytes, "\x00\xff"},
		{"BLOB", "x'00ff'", connectors.KindBytes, "\x00\xff"},
		{"DATE", "'1900-02-28'", connectors.KindDate, "1900-02-28"},
		{"DATE", "'28.2.1900'", connectors.KindText, "28.2.1900"},
		{"DATE", "1234", connectors.KindInt, "1234"},
		{"DATETIME", "'2026-03-01 12:00:00.123'", connectors.KindDateTime, "2026-03-01T12:00:00.123"},
		{"DATETIME", "'2026-03-01T12:00:00+08:00'", connectors.KindTimestamp, "2026-03-01T04:00:00Z"},
		{"JSON", `'{"a":1}'`, connectors.KindJSON, `{"a":1}`},
		{"", "7", connectors.KindInt, "7"},
		{"TEXT", "NULL", connectors.KindNull, ""},
	},
}

func TestValuesAreReadAsTheyAreStored(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		if p.Dialect == sqldb.MySQL {
			p.db.SetMaxOpenConns(1)
			p.exec(t, "SET SESSION sql_mode = ''") // lets 0000-00-00 in
		}
		for _, k := range keptValues[p.Dialect] {
			t.Run(k.declared+" "+k.stored, func(t *testing.T) {
				p.exec(t, "CREATE TABLE kept (id int NOT NULL PRIMARY KEY, v "+k.declared+")")
				defer p.exec(t, "DROP TABLE kept")
				p.exec(t, "INSERT INTO kept VALUES (1, "+k.stored+")")
				src, err := openAt(t, nil, connectors.Settings{"url": p.url, "tables": []string{"kept"}})
				if err != nil {
					t.Fatal(err)
				}
				defer src.Close()
				b, err := src.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer b.Release()
				v := b.Rows[0].Values[1]
				if got := string(v.AppendText(nil)); v.Kind() != k.kind || got != k.text && k.text != "" {
					t.Errorf("read %s %q, want %s %q", v.Kind(), got, k.kind, k.text)
				}
			})
		}
	})
}
