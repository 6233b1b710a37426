package sqltable

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// create makes a table with its comments and its primary key.
func (s *sqlSink) create(ctx context.Context, t *connectors.Table) error {
	st := s.newTable(t)
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (", st.qualified)
	for i := range t.Columns {
		b.WriteString("\n  " + s.columnDDL(&t.Columns[i], slices.Contains(t.Key, i)) + ",")
	}
	fmt.Fprintf(&b, "\n  PRIMARY KEY (%s)\n)", strings.Join(st.keyColumns(), ", "))
	if s.dialect == sqldb.MySQL {
		fmt.Fprintf(&b, " ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT=%s", literal(t.Comment.In("zh")))
	}
	if err := s.exec(ctx, b.String()); err != nil {
		return failed("create the table", t.Name, err)
	}
	if s.dialect != sqldb.Postgres {
		return nil
	}
	if err := s.comment(ctx, "TABLE "+st.qualified, t.Comment); err != nil {
		return err
	}
	for i := range t.Columns {
		if err := s.comment(ctx, "COLUMN "+st.qualified+"."+st.columns[i], t.Columns[i].Comment); err != nil {
			return err
		}
	}
	return nil
}

// columnDDL returns a column's line in CREATE TABLE. Only key columns are NOT NULL: what else must be there the
// dictionary has seen to, and a later version of it may drop the obligation. SQLite has no comments, but keeps the
// statement as it was written.
func (s *sqlSink) columnDDL(c *connectors.Column, key bool) string {
	line := s.dialect.Quote(c.Name) + " " + s.columnType(c, key)
	if key {
		line += " NOT NULL"
	}
	switch comment := c.Comment.In("zh"); {
	case comment == "":
	case s.dialect == sqldb.MySQL:
		line += " COMMENT " + literal(comment)
	case s.dialect == sqldb.SQLite:
		line += " /* " + strings.ReplaceAll(comment, "*/", "* /") + " */"
	}
	return line
}

func (s *sqlSink) comment(ctx context.Context, on string, text connectors.Text) error {
	if text.In("zh") == "" {
		return nil
	}
	if err := s.exec(ctx, "COMMENT ON "+on+" IS "+literal(text.In("zh"))); err != nil {
		return failed("comment on", on, err)
	}
	return nil
}

// literal quotes a text for a statement that takes no parameters. A backslash is doubled only where it escapes: in
// MySQL, whose comments we write without any.
func literal(text string) string {
	text = strings.NewReplacer("'", "''", `\`, "/", "\x00", "", "?", "？").Replace(text)
	return "'" + text + "'"
}

func (s *sqlSink) addColumn(ctx context.Context, t *connectors.Table, c *connectors.Column) error {
	name := s.qualified(t.Name)
	statement := "ALTER TABLE " + name + " ADD COLUMN " + s.columnDDL(c, false)
	if err := s.exec(ctx, statement); err != nil {
		return s.cannotChange(t, c, statement, failed("add the column", c.Name+" to "+t.Name, err))
	}
	s.log.Info("a column was added to the platform's table", "table", t.Name, "column", c.Name)
	if s.dialect == sqldb.Postgres {
		return s.comment(ctx, "COLUMN "+name+"."+s.dialect.Quote(c.Name), c.Comment)
	}
	return nil
}

func (s *sqlSink) widenColumn(ctx context.Context, t *connectors.Table, c *connectors.Column, key bool) error {
	name, column := s.qualified(t.Name), s.dialect.Quote(c.Name)
	statement := "ALTER TABLE " + name + " MODIFY COLUMN " + s.columnDDL(c, key)
	if s.dialect == sqldb.Postgres {
		columnType := s.columnType(c, key)
		statement = fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s TYPE %s USING %s::%s", name, column, columnType, column, columnType)
	}
	if err := s.exec(ctx, statement); err != nil {
		return s.cannotChange(t, c, statement, failed("widen the column", c.Name+" of "+t.Name, err))
	}
	s.log.Info("a column of the platform's table was widened", "table", t.Name, "column", c.Name)
	return nil
}

// cannotChange tells a person what to do where the database does not let the sink change a table: a view shows the column
// (PostgreSQL), or the table belongs to somebody else. Trouble that may pass is returned as it is.
func (s *sqlSink) cannotChange(t *connectors.Table, c *connectors.Column, statement string, err error) error {
	if !errors.Is(err, connectors.ErrStop) {
		return err
	}
	return &connectors.Problem{
		Where: s.tableName(t.Name) + "." + c.Name,
		What: connectors.Text{
			En: "the dictionary wants this column so, and the database does not let it be changed",
			Zh: "数据字典要求此列如此，而数据库不允许更改",
		},
		Try: connectors.Text{
			En: "drop the views that show it, or ask the table's owner, then run: " + statement + "; and start again",
			Zh: "先删除引用它的视图，或请表的属主执行：" + statement + "；然后重新启动",
		},
		Err: err,
	}
}

// inspections list a table's columns: name, type, length of text, precision and scale of decimals, part of the key.
var inspections = map[sqldb.Dialect]string{
	sqldb.Postgres: `SELECT a.attname, t.typname,
			CASE WHEN t.typname IN ('varchar', 'bpchar') AND a.atttypmod > 0 THEN a.atttypmod - 4 ELSE 0 END,
			CASE WHEN t.typname = 'numeric' AND a.atttypmod > 0 THEN ((a.atttypmod - 4) >> 16) & 65535 ELSE 0 END,
			CASE WHEN t.typname = 'numeric' AND a.atttypmod > 0 THEN (a.atttypmod - 4) & 2047 ELSE 0 END,
			EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
		WHERE c.relname = $2 AND n.nspname = COALESCE(NULLIF($1, ''), current_schema()) AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY a.attnum`,
	sqldb.MySQL: `SELECT column_name, data_type, COALESCE(CASE WHEN data_type IN ('varchar', 'char', 'text', 'tinytext', 'mediumtext') THEN
				CASE WHEN data_type LIKE '%text' THEN character_maximum_length DIV 4 ELSE character_maximum_length END END, 0),
			CASE WHEN data_type = 'decimal' THEN numeric_precision ELSE 0 END,
			CASE WHEN data_type = 'decimal' THEN numeric_scale ELSE 0 END, column_key = 'PRI'
		FROM information_schema.columns
		WHERE table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND table_name = ?
		ORDER BY ordinal_position`,
	sqldb.SQLite: `SELECT name, lower(type), 0, 0, 0, pk > 0 FROM pragma_table_info(?2) WHERE ?1 = '' ORDER BY cid`,
}

// inspect returns the columns of a table, none when it does not exist.
func (s *sqlSink) inspect(ctx context.Context, table string) ([]actual, error) {
	rows, err := s.conn.QueryContext(ctx, inspections[s.dialect], s.schema, table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var have []actual
	for rows.Next() {
		var a actual
		if err := rows.Scan(&a.name, &a.dbType, &a.length, &a.precision, &a.scale, &a.key); err != nil {
			return nil, err
		}
		a.family = typeFamilies[a.dbType]
		have = append(have, a)
	}
	return have, rows.Err()
}

// Check tells whether the database can be reached and whether the account may create tables in it.
func (s *sqlSink) Check(ctx context.Context) []connectors.Problem {
	if _, err := s.session(ctx); err != nil {
		return []connectors.Problem{asProblem(s.where, err)}
	}
	if s.dialect != sqldb.Postgres {
		return nil
	}
	var may, utf8 bool
	err := s.conn.QueryRowxContext(ctx, `SELECT
		COALESCE(has_schema_privilege((SELECT oid FROM pg_namespace WHERE nspname = COALESCE(NULLIF($1, ''), current_schema())), 'CREATE'),
			has_database_privilege(current_database(), 'CREATE')),
		current_setting('server_encoding') = 'UTF8'`, s.schema).Scan(&may, &utf8)
	if err != nil {
		return []connectors.Problem{{Where: "sink.url", What: connectors.Text{En: "the account's rights cannot be read", Zh: "无法读取账号权限"}, Err: err}}
	}
	return s.rights(may, utf8)
}

func (s *sqlSink) rights(may, utf8 bool) []connectors.Problem {
	var problems []connectors.Problem
	if !may {
		problems = append(problems, connectors.Problem{
			Where: "sink.schema",
			What:  connectors.Text{En: "the account may not create tables there", Zh: "该账号无权在此建表"},
			Try:   connectors.Text{En: "GRANT CREATE, USAGE ON SCHEMA … TO the account", Zh: "执行 GRANT CREATE, USAGE ON SCHEMA … TO 该账号"},
		})
	}
	if !utf8 {
		problems = append(problems, connectors.Problem{
			Where: "sink.url", Warning: true,
			What: connectors.Text{En: "the database is not encoded in UTF-8: it will refuse characters that it does not have", Zh: "数据库编码不是 UTF-8：其字符集以外的字符会被拒绝"},
			Try:  connectors.Text{En: "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0", Zh: "用 CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0 建库"},
		})
	}
	return problems
}
