package sqltable

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// sinkOptions is what `sink:` takes.
var sinkOptions = []connectors.Option{
	{
		Name: "url", Type: connectors.SecretOption, Required: true,
		Help: connectors.Text{
			Zh: "平台数据库的地址：postgres://、mysql:// 或 sqlite:文件路径",
			En: "address of the platform's database: postgres://, mysql:// or sqlite:path",
		},
		Example: "${env:PLATFORM_DSN}",
	},
	{
		Name: "schema", Type: connectors.StringOption,
		Help: connectors.Text{
			Zh: "建表所在的模式（PostgreSQL，不存在则创建）或库（MySQL）；默认用连接自己的",
			En: "schema (PostgreSQL, created if missing) or database (MySQL) that the tables go into; default: the connection's own",
		},
		Example: "platform",
	},
	{
		Name: "table_prefix", Type: connectors.StringOption,
		Help:    connectors.Text{Zh: "加在每个表名前的前缀", En: "put before the name of every table"},
		Example: "dt_",
	},
	{
		Name: "transaction_timeout", Type: connectors.DurationOption, Default: "2m",
		Help: connectors.Text{
			Zh: "数据库多久后中止一个停住的投递进程的事务，使接替者不必再等它的锁（PostgreSQL、MySQL）",
			En: "after how long the database ends the transaction of a delivery that hangs, so that its successor need not wait for its locks (PostgreSQL, MySQL)",
		},
	},
}

// sqlSink fills one database. It uses one connection: one transaction at a time is what keeps rows and offsets
// together, and the lock on the offsets would hold a second one back.
type sqlSink struct {
	db      *sqlx.DB
	dialect sqldb.Dialect
	where   string // the address for messages
	schema  string
	prefix  string
	timeout time.Duration
	log     *slog.Logger

	conn   *sqlx.Conn // nil until first used and after it broke
	used   time.Time  // when conn was last known to work
	bulk   bulk       // of conn
	tables map[string]*sinkTable
	made   int // tables numbered so far
	// collation of text in MySQL, found when the first table is made.
	collation string
}

// bulk writes many rows of one table over one connection, inside the transaction that is open on it.
type bulk interface {
	// prepare is called outside the transaction, before n rows of the table are written in it.
	prepare(ctx context.Context, t *sinkTable, n int) error
	upsert(ctx context.Context, t *sinkTable, rows []*connectors.Row) error
	remove(ctx context.Context, t *sinkTable, rows []*connectors.Row) error
}

// idleLimit is how long a connection may rest before it is tried out: firewalls and servers close what rests.
const idleLimit = 30 * time.Second

// openSink returns the sink without touching the network.
func openSink(_ context.Context, req connectors.SinkRequest) (connectors.Sink, error) {
	url := connectors.Setting[string](req.Settings, "url")
	db, dialect, err := sqldb.Open(sqldb.Resolve(url, req.Dir), 1)
	if err != nil {
		return nil, err
	}
	s := &sqlSink{
		db: db, dialect: dialect, where: sqldb.Redact(url), log: req.Log,
		schema:  connectors.Setting[string](req.Settings, "schema"),
		prefix:  connectors.Setting[string](req.Settings, "table_prefix"),
		timeout: connectors.Setting[time.Duration](req.Settings, "transaction_timeout"),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.schema != "" && dialect == sqldb.SQLite {
		return nil, errors.Join(stop("sink.schema", "SQLite has no schemas", "SQLite 没有模式（schema）",
			"leave schema: out, or use table_prefix:", "去掉 schema:，或改用 table_prefix:"), db.Close())
	}
	return s, nil
}

// Close gives the connection back. An open transaction ends with it.
func (s *sqlSink) Close() error {
	s.drop()
	return s.db.Close()
}

// session returns the connection, made or made anew where it must be.
func (s *sqlSink) session(ctx context.Context) (*sqlx.Conn, error) {
	if s.conn != nil && time.Since(s.used) > idleLimit && s.conn.PingContext(ctx) != nil {
		s.drop()
	}
	if s.conn != nil {
		s.used = time.Now()
		return s.conn, nil
	}
	conn, err := s.db.Connx(ctx)
	if err != nil {
		return nil, failed("connect to", s.where, err)
	}
	s.conn, s.used = conn, time.Now()
	if err := s.setUp(ctx); err != nil {
		s.drop()
		return nil, failed("set up", "the session", err)
	}
	return conn, nil
}

// setUp makes a new connection strict and mortal: the server refuses what does not fit instead of cutting it off, and
// ends the transaction of a process that has been stopped in the middle of it.
func (s *sqlSink) setUp(ctx context.Context) error {
	switch s.dialect {
	case sqldb.Postgres:
		s.bulk = newPostgresBulk(s.conn)
		ms := s.timeout.Milliseconds()
		return s.exec(ctx, fmt.Sprintf(
			"SET idle_in_transaction_session_timeout = %d; SET statement_timeout = %d; SET client_min_messages = warning", ms, ms))
	case sqldb.MySQL:
		s.bulk = newMultiRow(s.conn, s.dialect)
		return s.setUpMySQL(ctx)
	default:
		s.bulk = newMultiRow(s.conn, s.dialect)
		return nil
	}
}

func (s *sqlSink) setUpMySQL(ctx context.Context) error {
	for _, statement := range []string{
		"SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO'",
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
	} {
		if err := s.exec(ctx, statement); err != nil {
			return err
		}
	}
	seconds := max(1, int(s.timeout.Seconds()))
	if s.exec(ctx, fmt.Sprintf("SET SESSION idle_transaction_timeout = %d", seconds)) == nil {
		return nil // MariaDB
	}
	return s.exec(ctx, fmt.Sprintf("SET SESSION wait_timeout = %d", seconds))
}

// drop closes the connection for good rather than giving it back to the pool in a state that nobody knows.
func (s *sqlSink) drop() {
	if s.conn == nil {
		return
	}
	// The error says only that the connection is gone, which is what is wanted.
	_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = s.conn.Close()
	s.conn, s.bulk = nil, nil
}

func (s *sqlSink) exec(ctx context.Context, statement string, args ...any) error {
	_, err := s.conn.ExecContext(ctx, s.db.Rebind(statement), args...)
	return err
}

// begin opens a transaction that may write, sees what others have committed statement by statement, and checks even
// deferred constraints at once, so that none is left to fail at the commit.
func (s *sqlSink) begin(ctx context.Context) error {
	if _, err := s.session(ctx); err != nil {
		return err
	}
	statement := map[sqldb.Dialect]string{
		sqldb.Postgres: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET CONSTRAINTS ALL IMMEDIATE",
		sqldb.MySQL:    "START TRANSACTION READ WRITE",
		sqldb.SQLite:   "BEGIN IMMEDIATE",
	}[s.dialect]
	return s.exec(ctx, statement)
}

// transaction runs work between begin and commit. After any error nothing of it remains; a connection that cannot
// even roll back is closed, which rolls back at the server.
func (s *sqlSink) transaction(ctx context.Context, work func() error) error {
	if err := s.begin(ctx); err != nil {
		s.drop()
		return failed("begin", "a transaction", err)
	}
	err := work()
	if err == nil {
		if err = s.exec(ctx, "COMMIT"); err == nil {
			return nil
		}
		err = failed("commit", "the transaction", err)
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if s.exec(undo, "ROLLBACK") != nil {
		s.drop()
	}
	return err
}

var (
	_ connectors.Sink    = (*sqlSink)(nil)
	_ connectors.Checker = (*sqlSink)(nil)
)
