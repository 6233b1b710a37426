package sqldb

import (
	"context"
	"database/sql/driver"
	"net/url"
	"strings"

	"modernc.org/sqlite"
)

// sqliteConnector waits up to ten seconds for a lock that another process holds. A file of ours is kept in WAL mode,
// in which readers and the writer do not wait for each other; a department's file is never changed, not even so, and
// never created.
func sqliteConnector(address string, s session) (driver.Connector, error) {
	path, rawParams, _ := strings.Cut(strings.TrimPrefix(address, "sqlite:"), "?")
	params, err := url.ParseQuery(rawParams)
	if path == "" || err != nil {
		return nil, badAddress("names no file", "数据库地址中没有文件", nil)
	}
	params.Add("_pragma", "busy_timeout(10000)")
	params.Set("_dqs", "0") // else a column that is gone, its name in quotes, is read as that text
	if s.readOnly {
		params.Set("mode", "rw")
		params.Add("_pragma", "query_only(1)")
	} else {
		params.Add("_pragma", "journal_mode(WAL)")
		params.Add("_pragma", "synchronous(FULL)")
		params.Add("_pragma", "foreign_keys(1)")
		if params.Get("_txlock") == "" {
			params.Set("_txlock", "immediate")
		}
	}
	file := url.URL{Path: path}
	return sqliteFile{dsn: "file:" + file.EscapedPath() + "?" + params.Encode()}, nil
}

// sqliteFile opens one file again and again; the driver has no connector of its own.
type sqliteFile struct{ dsn string }

// Connect opens the file.
func (f sqliteFile) Connect(context.Context) (driver.Conn, error) { return sqliteDriver.Open(f.dsn) }

// Driver returns the driver.
func (f sqliteFile) Driver() driver.Driver { return sqliteDriver }

var sqliteDriver = &sqlite.Driver{}
