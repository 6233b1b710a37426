// Package sqltable reads any table, view or query of PostgreSQL, MySQL, MariaDB and SQLite, and fills tables of the
// platform in the same databases.
//
// As a source it knows three modes. A snapshot reads everything once, by ranges of the key. A watermark reads
// everything and then what changed since, by a time or a rising id (poll.go tells how nothing is missed or repeated). A
// difference reads everything again and again and leaves it to the pipeline to compare, for tables without a change
// time. It never writes: each session is read only, holds no transaction between two reads and has few connections.
package sqltable

import (
	"context"

	"github.com/datong-dx/datong/connectors"
)

// Connector returns the connector.
func Connector() *connectors.Connector {
	return &connectors.Connector{
		Name: "sqltable",
		Summary: connectors.Text{
			En: "tables, views and queries of PostgreSQL, MySQL, MariaDB and SQLite",
			Zh: "PostgreSQL、MySQL、MariaDB、SQLite 的表、视图与查询",
		},
		SourceOptions:  sourceOptions,
		ValidateSource: validateSource,
		OpenSource: func(ctx context.Context, req connectors.SourceRequest) (connectors.Source, error) {
			return openSource(ctx, req)
		},
		SinkOptions: sinkOptions,
		OpenSink:    openSink,
	}
}

var sourceOptions = []connectors.Option{
	{Name: "url", Type: connectors.SecretOption, Required: true, Example: "${env:DEPARTMENT_URL}", Help: connectors.Text{
		En: "address: postgres://user:password@host:5432/database, mysql://user:password@host:3306/database or sqlite:path",
		Zh: "数据库地址：postgres://用户:口令@主机:5432/库、mysql://用户:口令@主机:3306/库 或 sqlite:文件路径"}},
	{Name: "tables", Type: connectors.ListOption, Example: "[scjg.qyjbxx]", Help: connectors.Text{
		En: "tables or views to read, as schema.table where the schema is not the session's own",
		Zh: "要读取的表或视图；不在默认模式中的写作 模式.表"}},
	{Name: "query", Type: connectors.StringOption, Example: "SELECT * FROM a JOIN b USING (id)", Help: connectors.Text{
		En: "a SELECT to read instead of tables", Zh: "代替表的查询语句（SELECT）"}},
	{Name: "name", Type: connectors.StringOption, Example: "enterprises", Help: connectors.Text{
		En: "name of the set that the query reads", Zh: "查询结果的名称"}},
	{Name: "columns", Type: connectors.ListOption, Help: connectors.Text{
		En: "columns to read; all when left out", Zh: "要读取的列；不写则读取全部"}},
	{Name: "mode", Type: connectors.StringOption, Default: modeSnapshot, Values: []string{modeSnapshot, modeWatermark, modeDifference},
		Help: connectors.Text{
			En: "snapshot: everything once; watermark: everything, then what changed by a time or id; difference: everything again and again, compared with what was published",
			Zh: "snapshot：全量读取一次；watermark：先全量，再按时间或编号读取变化；difference：反复全量读取并与已发布内容比较"}},
	{Name: "watermark", Type: connectors.StringOption, Example: "updated_at", Help: connectors.Text{
		En: "column that grows with each change: a change time or an id that rises", Zh: "随每次变化增大的列：变更时间或递增编号"}},
	{Name: "key", Type: connectors.ListOption, Example: "[id]", Help: connectors.Text{
		En: "columns that identify a row; the primary key, or a unique index over columns that are never null, when left out",
		Zh: "唯一标识一行的列；不写则取主键或非空唯一索引"}},
	{Name: "overlap", Type: connectors.StringOption, Example: "5s", Help: connectors.Text{
		En: "how far behind the watermark is read again, for what commits late: a duration for times (5s when left out), a number for ids (1000 when left out). What commits later than this is not seen",
		Zh: "为迟到提交的数据而重复读取的范围：时间列为时长（默认 5s），编号列为个数（默认 1000）。提交晚于此范围的数据不会被读到"}},
	{Name: "poll", Type: connectors.DurationOption, Default: "1s", Help: connectors.Text{
		En: "pause between two readings in watermark mode", Zh: "watermark 模式下两次读取之间的间隔"}},
	{Name: "every", Type: connectors.DurationOption, Default: "1m", Help: connectors.Text{
		En: "time from the beginning of one full reading to the next in difference mode", Zh: "difference 模式下两次全量读取开始时刻的间隔"}},
	{Name: "chunk", Type: connectors.IntOption, Default: "10000", Help: connectors.Text{
		En: "rows that one statement reads at most", Zh: "一条语句最多读取的行数"}},
	{Name: "max_connections", Type: connectors.IntOption, Default: "2", Help: connectors.Text{
		En: "connections to the database at most", Zh: "数据库连接数上限"}},
	{Name: "statement_timeout", Type: connectors.DurationOption, Default: "5m", Help: connectors.Text{
		En: "the database ends a statement that takes longer", Zh: "单条语句的最长执行时间"}},
}
