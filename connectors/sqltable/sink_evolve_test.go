package sqltable

import (
	"errors"
	"strings"
	"testing"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

func TestSinkEvolvesATable(t *testing.T) {
	onEach(t, func(t *testing.T, p *platform) {
		old := firm()
		write(t, p.ready(t, old), advance(0, -1, 1), upsert(old, "A", "甲", 12))
		p.exec(t, "ALTER TABLE {firm} ADD COLUMN by_hand int")

		table := firm()
		table.Columns[2].Length = 40
		table.Columns = append(table.Columns,
			connectors.Column{Name: "capital", Kind: connectors.KindDecimal, Precision: 10, Scale: 2, Comment: connectors.Text{Zh: "注册资本"}},
			connectors.Column{Name: "scope", Kind: connectors.KindText})
		if p.dialect != sqldb.SQLite { // which cannot change a column's affinity
			table.Columns[3].Kind, table.Columns[3].Length = connectors.KindText, 4
		}
		s := p.ready(t, table)
		name := strings.Repeat("名", 40)
		row := connectors.Row{Table: table, Op: connectors.OpUpsert, Values: []connectors.Value{
			text("scjg"), text("B"), text(name), text("007"), connectors.Decimal([]byte("1.50")), text("范围"),
		}}
		if p.dialect == sqldb.SQLite {
			row.Values[3] = connectors.Int(7)
		}
		write(t, s, advance(0, 1, 2), row)
		staff := map[bool]string{true: "7", false: "007"}[p.dialect == sqldb.SQLite]
		wantRows(t, p, "SELECT uscc, name, staff, capital, scope, by_hand FROM {firm} ORDER BY uscc",
			"A|甲|12|<nil>|<nil>|<nil>", "B|"+name+"|"+staff+"|1.50|范围|<nil>")

		// The next dictionary wants more digits; an older one, started again, narrows nothing.
		wider := *table
		wider.Columns = append([]connectors.Column(nil), table.Columns...)
		wider.Columns[4].Precision, wider.Columns[4].Scale = 12, 6
		p.ready(t, &wider)
		again := p.ready(t, table)
		row.Values[1], row.Values[4] = text("C"), connectors.Decimal([]byte("12345678.123456"))
		write(t, again, advance(0, 2, 3), row)
		wantRows(t, p, "SELECT name, capital FROM {firm} WHERE uscc = 'C'", name+"|12345678.123456")
	})
}

func TestSinkComments(t *testing.T) {
	onEach(t, func(t *testing.T, p *platform) {
		p.ready(t, firm())
		query := map[sqldb.Dialect]string{
			sqldb.Postgres: `SELECT obj_description('{firm}'::regclass), col_description('{firm}'::regclass, 3)`,
			sqldb.MySQL: `SELECT t.table_comment, c.column_comment FROM information_schema.tables t JOIN information_schema.columns c
				USING (table_schema, table_name) WHERE t.table_name = 'firm' AND t.table_schema = DATABASE() AND c.column_name = 'name'`,
			sqldb.SQLite: `SELECT '企业''s', iif(sql LIKE '%/* 名称 */%', '名称', sql) FROM sqlite_schema WHERE name = 'firm'`,
		}[p.dialect]
		wantRows(t, p, query, "企业's|名称")
	})
}

func TestSinkRefusesATableThatItCannotFill(t *testing.T) {
	tests := []struct{ name, ddl, want string }{
		{"another primary key", "CREATE TABLE {firm} (department varchar(64) NOT NULL, uscc varchar(18) NOT NULL PRIMARY KEY)", "primary key is (uscc)"},
		{"no primary key", "CREATE TABLE {firm} (department varchar(64) NOT NULL, uscc varchar(18) NOT NULL)", "primary key is ()"},
		{"a column of another type", "CREATE TABLE {firm} (department varchar(64) NOT NULL, uscc varchar(18) NOT NULL, name timestamp NULL, PRIMARY KEY (department, uscc))", "firm.name"},
		{"a second unique index", "CREATE TABLE {firm} (department varchar(64) NOT NULL, uscc varchar(18) NOT NULL, name varchar(20) UNIQUE, PRIMARY KEY (department, uscc))", "unique index name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, p *platform) {
				s := p.sink(t)
				if err := s.Ensure(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				p.exec(t, tt.ddl)
				err := s.Ensure(t.Context(), []*connectors.Table{firm()})
				if tt.name == "a second unique index" && p.dialect != sqldb.MySQL {
					if err != nil {
						t.Error(err) // these merge by the primary key alone
					}
					return
				}
				var problem *connectors.Problem
				if !errors.As(err, &problem) || !errors.Is(err, connectors.ErrStop) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Ensure = %v, want a Problem with %q", err, tt.want)
				}
			})
		})
	}
}

func TestSinkCheckFindsNothingWrong(t *testing.T) {
	onEach(t, func(t *testing.T, p *platform) {
		if problems := p.sink(t).Check(t.Context()); len(problems) > 0 {
			t.Error(problems[0].Error())
		}
	})
}
