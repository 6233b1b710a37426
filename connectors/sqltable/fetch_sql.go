package sqltable

import (
	"context"
	"database/sql"
	"encoding/binary"
	"math"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// eachSQL reads through database/sql.
func (db *database) eachSQL(ctx context.Context, q *statement, f func(record) bool) error {
	conn, err := db.Connx(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if q.unlimited && db.dialect == sqldb.MySQL {
		if err := db.limitMySQL(ctx, conn, 0); err != nil {
			return err
		}
		defer db.limitMySQL(context.WithoutCancel(ctx), conn, db.timeout) //nolint:errcheck // a broken session is not used again
	}
	rows, err := conn.QueryContext(ctx, q.text, q.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	r := sqlRecord{columns: q.columns, dialect: db.dialect, cells: make([]cell, len(q.columns))}
	dest := make([]any, len(q.columns))
	for i := range dest {
		dest[i] = &r.cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		if !f(&r) {
			break
		}
	}
	if err := rows.Close(); err != nil {
		return err
	}
	return rows.Err()
}

// sqlRecord is a row as database/sql hands it over.
type sqlRecord struct {
	columns []column
	dialect sqldb.Dialect
	cells   []cell
	buf     []byte
}

func (r *sqlRecord) hash() uint64 {
	r.buf = r.buf[:0]
	for i := range r.cells {
		r.buf = r.cells[i].appendHashed(r.buf)
	}
	return xxh3.Hash(r.buf)
}

func (r *sqlRecord) values(b *connectors.Batch, dst []connectors.Value) (size int) {
	for i := range r.cells {
		size += len(r.cells[i].b)
		dst[i] = r.cells[i].value(&r.columns[i], b)
	}
	return size
}

// key keeps what SQLite really stores, because that is what it compares: a date may be text, or a number.
func (r *sqlRecord) key(i int, m memory) connectors.Value {
	if r.dialect == sqldb.SQLite {
		return r.cells[i].stored(m)
	}
	return r.cells[i].value(&r.columns[i], m)
}

// cell receives one value of a row without a conversion by database/sql.
type cell struct {
	kind cellKind
	n    int64
	b    []byte // reused; the driver's own memory may be overwritten once Scan has returned
}

type cellKind byte

const (
	cellNull cellKind = iota
	cellInt
	cellUint
	cellFloat
	cellText
	cellBytes // a blob, or whatever MySQL sends
)

var _ sql.Scanner = (*cell)(nil)

// Scan takes a value from the driver.
func (c *cell) Scan(src any) error {
	c.b = c.b[:0]
	switch v := src.(type) {
	case nil:
		c.kind = cellNull
	case int64:
		c.kind, c.n = cellInt, v
	case uint64:
		c.kind, c.n = cellUint, int64(v)
	case float64:
		c.kind, c.n = cellFloat, int64(math.Float64bits(v))
	case float32:
		c.kind, c.n = cellFloat, int64(math.Float64bits(shortest(v)))
	case bool:
		c.kind, c.n = cellInt, 0
		if v {
			c.n = 1
		}
	case []byte:
		c.kind, c.b = cellBytes, append(c.b, v...)
	case string:
		c.kind, c.b = cellText, append(c.b, v...)
	default:
		return errShape
	}
	return nil
}

func (c *cell) appendHashed(buf []byte) []byte {
	buf = append(buf, byte(c.kind))
	if c.kind >= cellText {
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(c.b)))
		return append(buf, c.b...)
	}
	if c.kind == cellNull {
		return buf
	}
	return binary.BigEndian.AppendUint64(buf, uint64(c.n))
}

// stored returns the value as it is stored.
func (c *cell) stored(m memory) connectors.Value {
	switch c.kind {
	case cellInt, cellUint:
		return connectors.Int(c.n)
	case cellFloat:
		return connectors.Float(math.Float64frombits(uint64(c.n)))
	case cellText:
		return connectors.String(m.Copy(c.b))
	case cellBytes:
		return connectors.Bytes(m.Copy(c.b))
	}
	return connectors.Null()
}
