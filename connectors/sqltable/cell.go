package sqltable

import (
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/datong-dx/datong/connectors"
)

// value returns the cell as its column's type says, or as what it really is where the two do not fit.
func (c *cell) value(col *column, m memory) connectors.Value {
	switch c.kind {
	case cellInt:
		return intValue(c.n, col.Kind, m)
	case cellUint:
		if c.n < 0 { // beyond an int64
			return connectors.Decimal(m.Copy(strconv.AppendUint(nil, uint64(c.n), 10)))
		}
		return connectors.Int(c.n)
	case cellFloat:
		f := math.Float64frombits(uint64(c.n))
		if col.Kind == connectors.KindDecimal {
			return decimalOrText(strconv.AppendFloat(nil, f, 'f', -1, 64))
		}
		return connectors.Float(f)
	case cellText, cellBytes:
		return c.textValue(col, m)
	}
	return connectors.Null()
}

func intValue(n int64, kind connectors.Kind, m memory) connectors.Value {
	switch {
	case kind == connectors.KindBool && (n == 0 || n == 1):
		return connectors.Bool(n == 1)
	case kind == connectors.KindDecimal:
		return connectors.Decimal(m.Copy(strconv.AppendInt(nil, n, 10)))
	}
	return connectors.Int(n)
}

func (c *cell) textValue(col *column, m memory) connectors.Value {
	switch col.Kind {
	case connectors.KindDate, connectors.KindDateTime, connectors.KindTimestamp:
		if v, ok := timeValue(c.b, col.Kind); ok {
			return v
		}
	case connectors.KindInt:
		if c.kind == cellBytes && col.DBType == "BIT" {
			return bitValue(c.b)
		}
	case connectors.KindDecimal:
		return decimalOrText(m.Copy(c.b))
	case connectors.KindJSON:
		if utf8.Valid(c.b) {
			return jsonValue(m.Copy(c.b))
		}
	case connectors.KindBytes:
		return connectors.Bytes(m.Copy(c.b))
	}
	// A blob in SQLite stays a blob whatever its column was declared as; MySQL sends text as bytes too.
	if c.kind == cellBytes && col.Kind == connectors.KindNull || !utf8.Valid(c.b) {
		return connectors.Bytes(m.Copy(c.b))
	}
	return connectors.String(m.Copy(c.b))
}

// timeValue reads a date or time as its column says; a text that says more than its column is kept whole.
func timeValue(b []byte, kind connectors.Kind) (connectors.Value, bool) {
	if days, ok := parseDate(b); ok && kind == connectors.KindDate {
		return connectors.Date(days), true
	}
	v, ok := parseTime(b)
	if ok && kind == connectors.KindTimestamp && v.Kind() == connectors.KindDateTime {
		v = connectors.Timestamp(v.Int()) // the session's zone is UTC
	}
	return v, ok
}

// bitValue reads MySQL's BIT(n), at most 64 bits, most significant byte first.
func bitValue(b []byte) connectors.Value {
	var n uint64
	for _, octet := range b {
		n = n<<8 | uint64(octet)
	}
	return connectors.Int(int64(n))
}

// decimalOrText keeps as a decimal what is one: PostgreSQL's numeric knows NaN and Infinity, SQLite takes any text.
func decimalOrText(b []byte) connectors.Value {
	digits, points := 0, 0
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			points++
		case c == '-' && i == 0:
		default:
			return connectors.String(b)
		}
	}
	if digits == 0 || points > 1 {
		return connectors.String(b)
	}
	return connectors.Decimal(b)
}

// jsonValue gives a JSON scalar the kind that it has; objects and arrays stay text.
func jsonValue(b []byte) connectors.Value {
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[':
	case b[0] == '"':
		var s string
		if json.Unmarshal(b, &s) == nil {
			return connectors.String([]byte(s))
		}
	case string(b) == "null":
		return connectors.Null()
	case string(b) == "true", string(b) == "false":
		return connectors.Bool(b[0] == 't')
	default:
		if v := decimalOrText(b); v.Kind() == connectors.KindDecimal {
			return v
		}
	}
	return connectors.JSON(b)
}

// shortest gives a float32 the float64 that is written the same: 0.1, not 0.10000000149011612.
func shortest(f float32) float64 {
	wide, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	if err != nil {
		return float64(f)
	}
	return wide
}
