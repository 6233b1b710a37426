package sqltable

import (
	"errors"
	"fmt"
	"strings"

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

// failed says what an error means to a person, or else what was being done to what, and marks errors that trying again
// cannot help. Where is a name, or a phrase when it has more than one word. A database's own message names tables and
// columns, never what stands in a row, for the statements used here.
func failed(doing, where string, err error) error {
	if _, told := errors.AsType[*connectors.Problem](err); told {
		return err
	}
	if strings.Contains(where, " ") {
		if p := sqldb.Explain("", err); p != nil {
			return fmt.Errorf("%s %s: %w", doing, where, p)
		}
	} else if p := sqldb.Explain(where, err); p != nil {
		return p
	}
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
