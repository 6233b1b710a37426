package sqltable

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/internal/sqldb"
)

// database is the department's database: a pool of read-only sessions.
type database struct {
	*sqlx.DB
	dialect    sqldb.Dialect
	configured string
	timeout    time.Duration
}

func openDatabase(c *settings) (*database, error) {
	db, dialect, err := sqldb.OpenReadOnly(c.address, c.maxConnections, c.timeout)
	if err != nil {
		return nil, err
	}
	return &database{DB: db, dialect: dialect, configured: c.configured, timeout: c.timeout}, nil
}

// identity returns a hash of what the server calls itself, and the timeline of its history where it tells one. They
// survive a restart of the server; another server, or the same data loaded into a new one, has another identity.
func (db *database) identity(ctx context.Context) (id, timeline uint64, err error) {
	var name string
	switch db.dialect {
	case sqldb.Postgres:
		name, timeline, err = db.postgresIdentity(ctx)
	case sqldb.MySQL:
		name, err = db.mysqlIdentity(ctx)
	case sqldb.SQLite:
		// A SQLite file has no name of its own. The path as it is configured stands for it, so that the exchange
		// directory can be moved; a file put in the place of another shows when its watermarks step back.
		err = db.GetContext(ctx, &name, "SELECT application_id FROM pragma_application_id")
		name = db.configured + "#" + name
	}
	if err != nil {
		return 0, 0, failed("ask for the identity of", sqldb.Redact(db.configured), err)
	}
	return xxh3.HashString(db.dialect.String() + "\x00" + name), timeline, nil
}

// postgresIdentity needs functions that every account may call unless someone took the right away; then the database's
// object id has to do.
func (db *database) postgresIdentity(ctx context.Context) (name string, timeline uint64, err error) {
	const control = `SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || current_database(),
		(SELECT timeline_id FROM pg_control_checkpoint())`
	err = db.QueryRowxContext(ctx, control).Scan(&name, &timeline)
	if sqldb.Classify(err) != sqldb.Stop {
		return name, timeline, err
	}
	err = db.GetContext(ctx, &name, `SELECT oid::text || '/' || datname FROM pg_database WHERE datname = current_database()`)
	return name, 0, err
}

// mysqlIdentity asks MySQL (server_uuid), then MariaDB (server_uid, since 10.10), then older ones, which can only be
// told apart by where they run.
func (db *database) mysqlIdentity(ctx context.Context) (name string, err error) {
	for _, expr := range []string{"@@server_uuid", "@@server_uid", "CONCAT_WS('/', @@hostname, @@port, @@datadir, @@server_id)"} {
		err = db.GetContext(ctx, &name, "SELECT CONCAT_WS('/', "+expr+", DATABASE())")
		var known *mysql.MySQLError
		const unknownVariable = 1193
		if !errors.As(err, &known) || known.Number != unknownVariable {
			return name, err
		}
	}
	return name, err
}

// limitMySQL sets how long a statement of the session may take, in either server's way; zero is without limit.
func (db *database) limitMySQL(ctx context.Context, conn *sqlx.Conn, limit time.Duration) error {
	_, err := conn.ExecContext(ctx, fmt.Sprintf("SET SESSION max_statement_time = %.3f", limit.Seconds()))
	var known *mysql.MySQLError
	if errors.As(err, &known) && known.Number == 1193 {
		_, err = conn.ExecContext(ctx, fmt.Sprintf("SET SESSION max_execution_time = %d", limit.Milliseconds()))
	}
	return err
}
