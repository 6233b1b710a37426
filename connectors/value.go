package connectors

import (
	"math"
	"strconv"
	"time"
	"unsafe"
)

// ChinaStandardTime is the zone of every time without one (GB/T 7408.1-2023 local time, UTC+08:00), and the one in which
// people are told times.
var ChinaStandardTime = time.FixedZone("CST", 8*60*60)

// Kind is what a [Value] holds.
type Kind uint8

// Kinds. Absent is not null: it says that the source did not give the value (a ragged row, a key-only delete).
const (
	KindAbsent    Kind = iota
	KindNull           // SQL NULL, JSON null
	KindText           // UTF-8
	KindBytes          // anything else
	KindBool           //
	KindInt            // int64
	KindFloat          // float64
	KindDecimal        // an exact decimal number as text: -12.50
	KindDate           // days since 1970-01-01
	KindDateTime       // wall-clock microseconds since 1970-01-01T00:00:00, no zone known
	KindTimestamp      // an instant: Unix microseconds
	KindJSON           // JSON text: objects and arrays
)

var kindNames = [...]string{"absent", "null", "text", "bytes", "bool", "int", "float", "decimal", "date", "datetime", "timestamp", "json"}

// String returns the kind's name.
func (k Kind) String() string { return kindNames[k] }

// Value is one value of a row: a small tagged union that needs no allocation. The zero Value is absent. The bytes of a
// value belong to its batch.
type Value struct {
	// A slice would take 16 bytes more, and there are a dozen values in a row and ten thousand rows on their way.
	text *byte
	n    int64
	size uint32 // of the text
	kind Kind
}

// Null returns the null value.
func Null() Value { return Value{kind: KindNull} }

// String returns a value that holds UTF-8 text; b is not copied.
func String(b []byte) Value { return textValue(KindText, b) }

// Bytes returns a value that holds raw bytes; b is not copied.
func Bytes(b []byte) Value { return textValue(KindBytes, b) }

// Decimal returns an exact decimal number given as text such as -12.50; b is not copied.
func Decimal(b []byte) Value { return textValue(KindDecimal, b) }

// JSON returns a value that holds a JSON object or array as text; b is not copied.
func JSON(b []byte) Value { return textValue(KindJSON, b) }

// textValue keeps b, whose length must fit into 32 bits: no source reads values of 4 GiB.
func textValue(kind Kind, b []byte) Value {
	return Value{kind: kind, text: unsafe.SliceData(b), size: uint32(len(b))}
}

// Int returns an integer value.
func Int(n int64) Value { return Value{kind: KindInt, n: n} }

// Float returns a floating-point value.
func Float(f float64) Value { return Value{kind: KindFloat, n: int64(math.Float64bits(f))} }

// Bool returns a boolean value.
func Bool(t bool) Value {
	v := Value{kind: KindBool}
	if t {
		v.n = 1
	}
	return v
}

// Date returns a calendar date as days since 1970-01-01.
func Date(days int64) Value { return Value{kind: KindDate, n: days} }

// DateTime returns a wall-clock time without a zone, in microseconds since 1970-01-01T00:00:00.
func DateTime(micros int64) Value { return Value{kind: KindDateTime, n: micros} }

// Timestamp returns an instant in Unix microseconds.
func Timestamp(micros int64) Value { return Value{kind: KindTimestamp, n: micros} }

// Kind tells what the value holds.
func (v Value) Kind() Kind { return v.kind }

// IsNull says that there is no value: null or absent.
func (v Value) IsNull() bool { return v.kind <= KindNull }

// Bytes returns the bytes of a text, bytes, decimal or JSON value, nil for every other kind. They must not be changed.
func (v Value) Bytes() []byte { return unsafe.Slice(v.text, v.size) }

// Int returns the number of an int, bool, date, datetime or timestamp value.
func (v Value) Int() int64 { return v.n }

// Float returns the number of a float value.
func (v Value) Float() float64 { return math.Float64frombits(uint64(v.n)) }

// Bool returns the truth of a bool value.
func (v Value) Bool() bool { return v.n != 0 }

// AppendText appends the value as text: numbers in decimal, dates as 2006-01-02, wall-clock times as
// 2006-01-02T15:04:05.999999, instants the same with Z, null and absent as nothing.
func (v Value) AppendText(dst []byte) []byte {
	switch v.kind {
	case KindText, KindBytes, KindDecimal, KindJSON:
		return append(dst, v.Bytes()...)
	case KindBool:
		return strconv.AppendBool(dst, v.n != 0)
	case KindInt:
		return strconv.AppendInt(dst, v.n, 10)
	case KindFloat:
		return strconv.AppendFloat(dst, v.Float(), 'g', -1, 64)
	case KindDate:
		return time.Unix(v.n*86400, 0).UTC().AppendFormat(dst, time.DateOnly)
	case KindDateTime:
		return time.UnixMicro(v.n).UTC().AppendFormat(dst, "2006-01-02T15:04:05.999999")
	case KindTimestamp:
		return time.UnixMicro(v.n).UTC().AppendFormat(dst, "2006-01-02T15:04:05.999999Z")
	}
	return dst
}
