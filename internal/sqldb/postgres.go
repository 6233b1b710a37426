package sqldb

import (
	"database/sql/driver"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresConnector sends the session's settings with the start-up message: they cost no round trip and hold for
// every connection, even one that a pooler hands on.
func postgresConnector(address string, s session) (driver.Connector, error) {
	if _, err := parseURL(address); err != nil {
		return nil, err
	}
	cfg, err := pgx.ParseConfig(address)
	if err != nil {
		cause := errors.New("a parameter is not known or has no valid value")
		if parse := (*pgconn.ParseConfigError)(nil); errors.As(err, &parse) && parse.Unwrap() != nil {
			cause = parse.Unwrap()
		}
		return nil, badAddress("is not one for PostgreSQL", "不是合法的 PostgreSQL 地址", cause)
	}
	params := cfg.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = applicationName
	}
	params["datestyle"] = "ISO"
	if s.readOnly {
		params["default_transaction_read_only"] = "on"
	}
	if s.timeout > 0 {
		params["statement_timeout"] = strconv.FormatInt(s.timeout.Milliseconds(), 10)
	}
	return stdlib.GetConnector(*cfg), nil
}
