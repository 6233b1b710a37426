package main

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/datong-dx/datong/internal/sqldb"
)

// sqlCommand runs a statement in a database and writes its rows to standard output, columns divided by |.
func sqlCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql ADDRESS STATEMENT")
	}
	address := sqldb.Resolve(args[0], ts.MkAbs("."))
	if !strings.HasPrefix(args[1], "SELECT") {
		ts.Check(execute(address, args[1]))
		return
	}
	db, _, err := sqldb.Open(address, 1)
	ts.Check(err)
	defer db.Close()
	rows, err := db.Query(args[1])
	ts.Check(err)
	defer rows.Close()
	columns, err := rows.Columns()
	ts.Check(err)
	values := make([]sql.NullString, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		ts.Check(rows.Scan(into...))
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = map[bool]string{true: v.String, false: "NULL"}[v.Valid]
		}
		fmt.Fprintln(ts.Stdout(), strings.Join(texts, "|"))
	}
	ts.Check(rows.Err())
}

// execute runs a statement that returns nothing.
func execute(address, statement string) error {
	db, _, err := sqldb.Open(address, 1)
	if err != nil {
		return err
	}
	_, err = db.Exec(statement)
	return errors.Join(err, db.Close())
}

// hold runs a statement in a session that stays open until the script ends: a lock that somebody forgot.
func hold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: hold ADDRESS STATEMENT")
	}
	db, _, err := sqldb.Open(sqldb.Resolve(args[0], ts.MkAbs(".")), 1)
	ts.Check(err)
	ts.Defer(func() { db.Close() })
	_, err = db.Exec(args[1])
	ts.Check(err)
}
