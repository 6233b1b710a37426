package sqltable

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// errShape says that the database answered with other columns than it described a moment ago.
var errShape = errors.New("the columns have changed")

// stale says that an answer had other columns than were expected, because the table was altered in between. The driver
// has dropped the session's prepared statement with the error: trying again helps.
func stale(err error) bool {
	var pg *pgconn.PgError
	return errors.Is(err, errShape) || errors.As(err, &pg) && pg.Code == "0A000" && pg.Routine == "RevalidateCachedQuery"
}

// statement is a SELECT with its arguments and what it returns.
type statement struct {
	text    string
	args    []any
	columns []column
	// unlimited lifts the limit of time for a reading that cannot go on where it was cut off.
	unlimited bool
}

// column is a column as it is read.
type column struct {
	connectors.Column
	expr string // what stands in the select list
}

// memory is where the bytes of values are kept: a batch, or one of the two below.
type memory interface{ Copy([]byte) []byte }

// ownMemory keeps each value's bytes apart.
type ownMemory struct{}

// Copy returns a copy.
func (ownMemory) Copy(p []byte) []byte { return append([]byte{}, p...) }

// scratch is memory that is used again for each row.
type scratch struct{ b []byte }

// Copy returns a copy that lives until the scratch is emptied.
func (s *scratch) Copy(p []byte) []byte {
	at := len(s.b)
	s.b = append(s.b, p...)
	return s.b[at:len(s.b):len(s.b)]
}

// record is one row as the driver gave it. It is valid until the next one.
type record interface {
	// hash is a 64-bit hash of everything in the row, the same for the same content whenever it is read.
	hash() uint64
	// values sets dst, one value for each column, with memory from b, and returns how many bytes of it were used.
	values(b *connectors.Batch, dst []connectors.Value) int
	// key returns column i in the form in which the database compares it.
	key(i int, m memory) connectors.Value
}

// each calls f for each row until it returns false. Ending early costs little when few rows are left.
func (db *database) each(ctx context.Context, q *statement, f func(record) bool) error {
	if db.dialect == sqldb.Postgres {
		return db.eachPostgres(ctx, q, f)
	}
	return db.eachSQL(ctx, q, f)
}

// one returns the single value of a statement with one column and at most one row; absent when there is none.
func (db *database) one(ctx context.Context, q *statement) (v connectors.Value, err error) {
	err = db.each(ctx, q, func(r record) bool {
		v = r.key(0, ownMemory{})
		return false
	})
	return v, err
}
