// Package sqldb opens the databases that Datong reads from and writes to, over sqlx, and tells their differences:
// quoting, parameter marks and what an error means. The drivers are pgx for PostgreSQL, go-sql-driver for MySQL and
// MariaDB, and modernc for SQLite, none of which needs cgo.
package sqldb

import (
	"database/sql"
	"database/sql/driver"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/connectors"
)

// applicationName is what the database's own lists of sessions show for a connection of ours.
const applicationName = "datong"

// Open returns a pool of at most maxConns connections to the database at the given address and that database's
// dialect. It does not use the network. The address is one of
//
//	postgres://user:password@host:port/database?sslmode=verify-full
//	mysql://user:password@host:port/database?tls=true
//	sqlite:path/to/file.db
//
// with the parameters of the driver after the question mark. An address that cannot be understood is a
// [*connectors.Problem], which holds no password and wraps [connectors.ErrStop].
func Open(address string, maxConns int) (*sqlx.DB, Dialect, error) {
	return open(address, maxConns, session{})
}

// OpenReadOnly is [Open] for a database that must not be changed: each session is made read only and every statement
// ends after the timeout, where that is not zero. A file that does not exist is not created.
func OpenReadOnly(address string, maxConns int, timeout time.Duration) (*sqlx.DB, Dialect, error) {
	return open(address, maxConns, session{readOnly: true, timeout: timeout})
}

// session is what each connection is set to before it is used.
type session struct {
	readOnly bool
	timeout  time.Duration
}

func open(address string, maxConns int, s session) (*sqlx.DB, Dialect, error) {
	dialect, err := DialectOf(address)
	if err != nil {
		return nil, 0, err
	}
	var connector driver.Connector
	switch dialect {
	case Postgres:
		connector, err = postgresConnector(address, s)
	case MySQL:
		connector, err = mysqlConnector(address, s)
	case SQLite:
		connector, err = sqliteConnector(address, s)
	}
	if err != nil {
		return nil, 0, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return sqlx.NewDb(db, driverNames[dialect]), dialect, nil
}

// driverNames are the names by which sqlx knows how a driver marks parameters.
var driverNames = map[Dialect]string{Postgres: "pgx", MySQL: "mysql", SQLite: "sqlite3"}

// DialectOf returns the dialect that an address names by its scheme.
func DialectOf(address string) (Dialect, error) {
	scheme, _, _ := strings.Cut(address, ":")
	switch scheme {
	case "postgres", "postgresql":
		return Postgres, nil
	case "mysql", "mariadb":
		return MySQL, nil
	case "sqlite":
		return SQLite, nil
	}
	return 0, badAddress("names no database that is known", "数据库地址的类型无法识别", nil)
}

// Resolve returns the address with the path of a SQLite file taken relative to dir; other addresses are returned as
// they are.
func Resolve(address, dir string) string {
	rest, ok := strings.CutPrefix(address, "sqlite:")
	if !ok {
		return address
	}
	path, params, hasParams := strings.Cut(rest, "?")
	if path != "" && !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	if hasParams {
		path += "?" + params
	}
	return "sqlite:" + path
}

// parseURL parses an address without ever showing what it could not parse: it may be the password.
func parseURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, badAddress("cannot be parsed as a URL; a password with / ? # % or @ in it must be percent-encoded",
			"数据库地址不是合法的 URL；口令中的 / ? # % @ 须用百分号编码", nil)
	}
	if u.Host == "" {
		return nil, badAddress("names no host", "数据库地址中没有主机", nil)
	}
	return u, nil
}

func badAddress(en, zh string, why error) *connectors.Problem {
	p := &connectors.Problem{
		What: connectors.Text{En: "the database address " + en, Zh: zh},
		Try: connectors.Text{
			En: "postgres://user:password@host:5432/database, mysql://user:password@host:3306/database or sqlite:path",
			Zh: "postgres://用户:口令@主机:5432/库、mysql://用户:口令@主机:3306/库 或 sqlite:文件路径",
		},
		Err: connectors.ErrStop,
	}
	if why != nil {
		p.Err = &cause{why.Error(), connectors.ErrStop}
	}
	return p
}

// Redact returns the address without its password, for messages and logs. An address that cannot be parsed is cut
// down to its scheme.
func Redact(address string) string {
	scheme, _, _ := strings.Cut(address, ":")
	if scheme == "sqlite" {
		return address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		if _, known := DialectOf(address); known != nil {
			return "(an address)"
		}
		return scheme + "://…"
	}
	clean := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.User != nil {
		clean.User = url.User(u.User.Username())
	}
	return clean.String()
}
