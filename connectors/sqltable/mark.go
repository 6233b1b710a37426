package sqltable

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// A watermark is handled as a number, so that an overlap can be taken from it: an id as itself, a time in microseconds.
// A time without a zone counts as if it were in UTC: only differences matter.

// chinaStandardTime is what a time without a zone is most likely in: UTC+8 (GB/T 7408).
const chinaStandardTime = 8 * 3600

// noMark is below every watermark.
const noMark = math.MinInt64

// ordinal returns a watermark's number. ok is false for null, and for what is neither a number nor a time.
func ordinal(v connectors.Value) (n int64, ok bool) {
	switch v.Kind() {
	case connectors.KindInt, connectors.KindDateTime, connectors.KindTimestamp:
		return v.Int(), true
	case connectors.KindDate:
		return v.Int() * 86400_000_000, true
	case connectors.KindDecimal:
		whole, _, _ := bytes.Cut(v.Bytes(), []byte{'.'})
		n, err := strconv.ParseInt(string(whole), 10, 64)
		return n, err == nil
	case connectors.KindText:
		return textOrdinal(v.Bytes())
	}
	return 0, false
}

// textOrdinal reads times that are kept as text in one of the layouts whose order as text is their order in time:
// 2018-04-01, 2018-04-01 10:20:30 and the same without marks, 20180401102030.
func textOrdinal(b []byte) (int64, bool) {
	switch string(b) {
	case "infinity":
		return math.MaxInt64, true
	case "-infinity":
		return noMark + 1, true
	}
	b = bytes.TrimRight(b, " ")
	if days, ok := parseDate(b); ok {
		return days * 86400_000_000, true
	}
	if v, ok := parseTime(b); ok {
		return v.Int(), true
	}
	layout := "20060102150405"
	if len(b) != 8 && len(b) < 14 || len(b) > 20 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	t, err := time.Parse(layout[:min(len(b), 14)], string(b[:min(len(b), 14)]))
	return t.UnixMicro(), err == nil
}

// isID says that a watermark of this kind is a number that rises rather than a time.
func isID(kind connectors.Kind) bool {
	return kind == connectors.KindInt || kind == connectors.KindDecimal
}

// markValue turns a number back into something that the column can be compared with. It may be a little lower: a text is
// cut to whole seconds, a date to its day. like is a text in the column's layout.
func markValue(n int64, kind connectors.Kind, like []byte) connectors.Value {
	switch kind {
	case connectors.KindDate:
		days := n / 86400_000_000
		if n%86400_000_000 < 0 {
			days--
		}
		return connectors.Date(days)
	case connectors.KindDateTime:
		return connectors.DateTime(n)
	case connectors.KindTimestamp:
		return connectors.Timestamp(n)
	case connectors.KindText:
		return connectors.String([]byte(textMark(n, like)))
	}
	return connectors.Int(n)
}

func textMark(n int64, like []byte) string {
	t := time.UnixMicro(n).UTC()
	if len(like) < 8 || bytes.IndexByte(like, '-') < 0 {
		return t.Format("20060102150405"[:max(8, min(14, len(like)))])
	}
	if len(like) == 10 {
		return t.Format(time.DateOnly)
	}
	return t.Format("2006-01-02" + string(like[10:11]) + "15:04:05")
}
