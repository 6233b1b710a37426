package sqltable

import (
	"context"
	"strconv"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// Check tells what is missing before the source can be read; see [connectors.Checker].
func (s *source) Check(ctx context.Context) []connectors.Problem {
	if err := s.db.PingContext(ctx); err != nil {
		return []connectors.Problem{unreachable(sqldb.Redact(s.configured), err)}
	}
	var problems []connectors.Problem
	if s.start != nil {
		identity, _, err := s.db.identity(ctx)
		if err != nil {
			problems = append(problems, asProblem(sqldb.Redact(s.configured), err))
		} else if identity != s.start.identity {
			problems = append(problems, asProblem("", otherServer(sqldb.Redact(s.configured))))
		}
	}
	if s.mode == modeWatermark && s.db.dialect == sqldb.Postgres {
		problems = append(problems, s.checkTransactionsShow(ctx)...)
	}
	for _, name := range s.sets() {
		problems = append(problems, s.checkSet(ctx, name)...)
	}
	return problems
}

func (s *source) checkSet(ctx context.Context, name string) []connectors.Problem {
	found, err := s.db.describe(ctx, &s.settings, name)
	if err != nil {
		return []connectors.Problem{unreadable(name, err)}
	}
	b := newBuilder(s.db.dialect, found)
	if err := s.db.each(ctx, b.statement(1), func(record) bool { return false }); err != nil {
		return []connectors.Problem{unreadable(name, err)}
	}
	var problems []connectors.Problem
	switch {
	case len(found.key) == 0:
		problems = append(problems, warning(name,
			"has no primary key and no unique index over columns that are never null: a full reading cannot be resumed where it was cut off", "没有主键，也没有非空唯一索引：全量读取中断后只能从头开始",
			"name the columns that identify a row in key", "在 key 中写明唯一标识一行的列"))
	case !found.unique:
		problems = append(problems, warning(name,
			"does not promise that its key is unique", "不保证 key 唯一",
			"make sure that no two rows share the values of key; the second of them would be quarantined", "请确认没有两行的 key 相同；否则第二行会进入隔离区"))
	}
	if found.mark >= 0 {
		problems = append(problems, s.checkWatermark(ctx, found)...)
	}
	return problems
}

func (s *source) checkWatermark(ctx context.Context, found *set) []connectors.Problem {
	var problems []connectors.Problem
	column := s.db.dialect.Quote(s.watermark)
	if !found.indexed && s.query == "" {
		problems = append(problems, warning(found.name,
			"no index begins with the watermark "+s.watermark+": each poll reads the whole table", "没有以水位列 "+s.watermark+" 开头的索引：每次轮询都会读取全表",
			"ask the department for an index on it, or poll less often", "请部门在该列上建立索引，或加大 poll 间隔"))
	}
	r := reader{settings: &s.settings, db: s.db, sets: []*set{found}, state: &state{tables: []*tableState{{}}}, log: s.log}
	if _, err := r.ahead(ctx, 0); err != nil {
		return append(problems, asProblem(found.name, err))
	}
	var nulls int64
	count := "SELECT count(*) FROM (SELECT 1 AS one FROM " + found.from + " WHERE " + column + " IS NULL LIMIT 10000) AS datong_nulls"
	if err := s.db.GetContext(ctx, &nulls, count); err != nil {
		return append(problems, asProblem(found.name, failed("count rows without a watermark in", found.name, err)))
	}
	if nulls > 0 {
		n := strconv.FormatInt(nulls, 10)
		if nulls == 10000 {
			n += "+"
		}
		problems = append(problems, warning(found.name,
			n+" rows have no "+s.watermark+": the first scan reads them, their later changes are not seen", n+" 行的 "+s.watermark+" 为空：首次全量会读到，其后的变化读不到",
			"have the department fill the column, or use mode: difference", "请部门补全该列，或使用 mode: difference"))
	}
	return problems
}

// checkTransactionsShow looks for sessions whose transactions this account may not see.
func (s *source) checkTransactionsShow(ctx context.Context) []connectors.Problem {
	var user string
	var shown bool
	err := s.db.QueryRowxContext(ctx, `SELECT current_user, pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')`).Scan(&user, &shown)
	if err != nil {
		return []connectors.Problem{asProblem(sqldb.Redact(s.configured), err)}
	}
	if shown {
		return nil
	}
	return []connectors.Problem{warning(sqldb.Redact(s.configured),
		"this account does not see other accounts' transactions, so only the overlap guards against what commits late", "该账号看不到其他账号的事务，迟到提交只能靠 overlap 保证",
		"GRANT pg_read_all_stats TO "+sqldb.Postgres.Quote(user)+", or an overlap longer than any transaction", "GRANT pg_read_all_stats TO "+sqldb.Postgres.Quote(user)+"；或将 overlap 设为长于任何事务")}
}

func warning(where, en, zh, tryEn, tryZh string) connectors.Problem {
	return connectors.Problem{Where: where, Warning: true,
		What: connectors.Text{En: en, Zh: zh}, Try: connectors.Text{En: tryEn, Zh: tryZh}}
}

// unreachable tells why a database cannot even be asked.
func unreachable(where string, err error) connectors.Problem {
	if p := sqldb.Explain(where, err); p != nil {
		return *p
	}
	return connectors.Problem{
		Where: where, Err: err,
		What: connectors.Text{En: "the database cannot be reached", Zh: "无法连接数据库"},
		Try: connectors.Text{
			En: "check address, account and password, and that the database lets this machine in",
			Zh: "检查地址、账号与口令，并确认数据库允许本机访问"},
	}
}

// unreadable tells why a table cannot be read, with the cure for the commonest cause.
func unreadable(name string, err error) connectors.Problem {
	p := asProblem(name, failed("read", name, err))
	if p.Try == (connectors.Text{}) {
		p.Try = connectors.Text{
			En: "check the table's name and grant the account the right to read it (SELECT)",
			Zh: "检查表名，并授予该账号读取（SELECT）权限"}
	}
	return p
}
