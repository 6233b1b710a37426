package sqltable

import (
	"errors"
	"fmt"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// stop makes a problem that only a person can solve.
func stop(where, en, zh, tryEn, tryZh string) error {
	return &connectors.Problem{
		Where: where,
		What:  connectors.Text{En: en, Zh: zh},
		Try:   connectors.Text{En: tryEn, Zh: tryZh},
		Err:   connectors.ErrStop,
	}
}

// failed says what was being done to what, and marks errors that trying again cannot help. A database's own message
// names tables and columns, never what stands in a row, for the statements used here.
func failed(doing, where string, err error) error {
	err = fmt.Errorf("%s %s: %w", doing, where, err)
	if sqldb.Classify(err) == sqldb.Stop && !stale(err) {
		err = fmt.Errorf("%w: %w", err, connectors.ErrStop)
	}
	return err
}

// asProblem turns an error into a problem for Check.
func asProblem(where string, err error) connectors.Problem {
	var p *connectors.Problem
	if errors.As(err, &p) {
		problem := *p
		if problem.Where == "" {
			problem.Where = where
		}
		return problem
	}
	return connectors.Problem{Where: where, What: connectors.Text{En: "cannot be read", Zh: "无法读取"}, Err: err}
}
