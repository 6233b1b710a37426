package sqltable

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/connectors"
)

// eachPostgres goes around database/sql, which boxes every value, and takes the bytes as they came: in binary what is
// cheaper and exact so, in text what the server shows best itself (numeric above all).
func (db *database) eachPostgres(ctx context.Context, q *statement, f func(record) bool) error {
	conn, err := db.Connx(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(raw any) error {
		pg, ok := raw.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("read through %T: not a connection of pgx", raw)
		}
		if !q.unlimited {
			return eachPgx(ctx, pg.Conn(), q, f)
		}
		if _, err := pg.Conn().Exec(ctx, "SET statement_timeout = 0"); err != nil {
			return err
		}
		if err := eachPgx(ctx, pg.Conn(), q, f); err != nil {
			return err
		}
		_, err := pg.Conn().Exec(ctx, "RESET statement_timeout")
		return err
	})
}

func eachPgx(ctx context.Context, conn *pgx.Conn, q *statement, f func(record) bool) error {
	formats := make(pgx.QueryResultFormats, len(q.columns))
	for i := range q.columns {
		if _, inBinary := binaryOIDs[q.columns[i].DBType]; inBinary {
			formats[i] = pgtype.BinaryFormatCode
		}
	}
	args := append(make([]any, 0, 1+len(q.args)), formats)
	rows, err := conn.Query(ctx, q.text, append(args, q.args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for i, field := range rows.FieldDescriptions() {
		if oid, inBinary := binaryOIDs[q.columns[i].DBType]; inBinary && field.DataTypeOID != oid {
			return errShape
		}
	}
	r := pgRecord{columns: q.columns}
	for rows.Next() {
		r.raw = rows.RawValues()
		if !f(&r) {
			break
		}
	}
	rows.Close()
	return rows.Err()
}

// binaryOIDs are the types that are asked for in binary, by the names that pgx gives them.
var binaryOIDs = map[string]uint32{
	"BOOL": pgtype.BoolOID, "INT2": pgtype.Int2OID, "INT4": pgtype.Int4OID, "INT8": pgtype.Int8OID, "FLOAT4": pgtype.Float4OID,
	"FLOAT8": pgtype.Float8OID, "DATE": pgtype.DateOID, "TIMESTAMP": pgtype.TimestampOID, "TIMESTAMPTZ": pgtype.TimestamptzOID,
	"BYTEA": pgtype.ByteaOID,
}

// pgRecord is a row in the server's own encoding.
type pgRecord struct {
	columns []column
	raw     [][]byte
	buf     []byte
}

func (r *pgRecord) hash() uint64 {
	r.buf = r.buf[:0]
	for _, v := range r.raw {
		if v == nil {
			r.buf = append(r.buf, 0xff, 0xff, 0xff, 0xff)
			continue
		}
		r.buf = binary.BigEndian.AppendUint32(r.buf, uint32(len(v)))
		r.buf = append(r.buf, v...)
	}
	return xxh3.Hash(r.buf)
}

func (r *pgRecord) values(b *connectors.Batch, dst []connectors.Value) (size int) {
	for i, raw := range r.raw {
		size += len(raw)
		dst[i] = pgValue(r.columns[i].Kind, raw, b)
	}
	return size
}

func (r *pgRecord) key(i int, m memory) connectors.Value {
	return pgValue(r.columns[i].Kind, r.raw[i], m)
}

// postgresEpoch is 2000-01-01, from which PostgreSQL counts, in days and microseconds since 1970.
const (
	postgresEpochDays   = 10957
	postgresEpochMicros = postgresEpochDays * 86400 * 1_000_000
)

func pgValue(kind connectors.Kind, raw []byte, m memory) connectors.Value {
	if raw == nil {
		return connectors.Null()
	}
	switch kind {
	case connectors.KindText:
		return connectors.String(m.Copy(raw))
	case connectors.KindBytes:
		return connectors.Bytes(m.Copy(raw))
	case connectors.KindJSON:
		return jsonValue(m.Copy(raw))
	case connectors.KindDecimal:
		return decimalOrText(m.Copy(raw))
	case connectors.KindBool:
		return connectors.Bool(len(raw) == 1 && raw[0] != 0)
	case connectors.KindFloat:
		if len(raw) == 4 {
			return connectors.Float(shortest(math.Float32frombits(binary.BigEndian.Uint32(raw))))
		}
		return connectors.Float(math.Float64frombits(uint64(pgInt(raw))))
	case connectors.KindDate:
		return pgTime(pgInt(raw), math.MinInt32, math.MaxInt32, func(days int64) connectors.Value {
			return connectors.Date(days + postgresEpochDays)
		})
	case connectors.KindDateTime:
		return pgTime(pgInt(raw), math.MinInt64, math.MaxInt64, func(micros int64) connectors.Value {
			return connectors.DateTime(micros + postgresEpochMicros)
		})
	case connectors.KindTimestamp:
		return pgTime(pgInt(raw), math.MinInt64, math.MaxInt64, func(micros int64) connectors.Value {
			return connectors.Timestamp(micros + postgresEpochMicros)
		})
	}
	return connectors.Int(pgInt(raw))
}

// pgTime keeps PostgreSQL's infinities as the texts that they are written as.
func pgTime(n, low, high int64, finite func(int64) connectors.Value) connectors.Value {
	switch n {
	case low:
		return connectors.String([]byte("-infinity"))
	case high:
		return connectors.String([]byte("infinity"))
	}
	return finite(n)
}

func pgInt(raw []byte) int64 {
	switch len(raw) {
	case 2:
		return int64(int16(binary.BigEndian.Uint16(raw)))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(raw)))
	case 8:
		return int64(binary.BigEndian.Uint64(raw))
	}
	return 0
}
