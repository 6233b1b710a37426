package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// errUnknownVariable is ER_UNKNOWN_SYSTEM_VARIABLE.
const errUnknownVariable = 1193

func mysqlConnector(address string, s session) (driver.Connector, error) {
	u, err := parseURL(address)
	if err != nil {
		return nil, err
	}
	cfg, err := mysql.ParseDSN("tcp(host)/?" + u.RawQuery)
	if err != nil {
		return nil, badAddress("has a parameter that the MySQL driver does not know", "含有 MySQL 驱动不认识的参数", nil)
	}
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.DBName = strings.TrimPrefix(u.Path, "/")
	cfg.Addr = u.Host
	if u.Port() == "" {
		cfg.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	cfg.ParseTime, cfg.Loc = true, time.UTC
	cfg.Logger = &mysql.NopLogger{}
	if cfg.ConnectionAttributes == "" {
		cfg.ConnectionAttributes = "program_name:" + applicationName
	}
	if cfg.Params == nil {
		cfg.Params = map[string]string{}
	}
	// TIMESTAMP columns are shown in the session's zone, and we want instants.
	cfg.Params["time_zone"] = "'+00:00'"
	if s.readOnly {
		// Rows are then read as the text that the server sends, whatever it holds: 0000-00-00 is not an error.
		cfg.ParseTime = false
		cfg.InterpolateParams = true
	}
	inner, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, badAddress("is not one for MySQL", "不是合法的 MySQL 地址", nil)
	}
	return prepared{Connector: inner, prepare: func(ctx context.Context, c driver.Conn) error {
		return prepareMySQL(ctx, c, s)
	}}, nil
}

// prepareMySQL speaks both dialects of the family: MariaDB calls the limit of a statement max_statement_time and gives
// it in seconds, MySQL calls it max_execution_time and gives it in milliseconds.
func prepareMySQL(ctx context.Context, c driver.Conn, s session) error {
	if s.readOnly {
		if err := exec(ctx, c, "SET SESSION TRANSACTION READ ONLY"); err != nil {
			return err
		}
	}
	if s.timeout <= 0 {
		return nil
	}
	err := exec(ctx, c, fmt.Sprintf("SET SESSION max_statement_time = %.3f", s.timeout.Seconds()))
	var known *mysql.MySQLError
	if errors.As(err, &known) && known.Number == errUnknownVariable {
		err = exec(ctx, c, fmt.Sprintf("SET SESSION max_execution_time = %d", s.timeout.Milliseconds()))
	}
	return err
}

func exec(ctx context.Context, c driver.Conn, statement string) error {
	execer, ok := c.(driver.ExecerContext)
	if !ok {
		return fmt.Errorf("set the session up: the driver cannot execute %q", statement)
	}
	if _, err := execer.ExecContext(ctx, statement, nil); err != nil {
		return fmt.Errorf("set the session up with %q: %w", statement, err)
	}
	return nil
}

// prepared is a connector whose connections are set up before anyone uses them.
type prepared struct {
	driver.Connector
	prepare func(context.Context, driver.Conn) error
}

// Connect opens a connection and sets it up.
func (p prepared) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.prepare(ctx, c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}
