package sqltable

import (
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/civil"
)

// parseDate reads 2018-04-01 as days since 1970.
func parseDate(b []byte) (int64, bool) {
	if len(b) != 10 || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	year, ok1 := parseDigits(b[0:4])
	month, ok2 := parseDigits(b[5:7])
	day, ok3 := parseDigits(b[8:10])
	if !ok1 || !ok2 || !ok3 {
		return 0, false
	}
	return civil.Days(year, month, day)
}

// parseDateTime reads 2018-04-01 10:20:30.123456, with a space or a T, as wall-clock microseconds. rest is what follows.
func parseDateTime(b []byte) (micros int64, rest []byte, ok bool) {
	if len(b) < 19 || b[10] != ' ' && b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, nil, false
	}
	days, ok := parseDate(b[:10])
	if !ok {
		return 0, nil, false
	}
	hour, ok1 := parseDigits(b[11:13])
	minute, ok2 := parseDigits(b[14:16])
	second, ok3 := parseDigits(b[17:19])
	if !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 59 {
		return 0, nil, false
	}
	fraction, rest := parseFraction(b[19:])
	seconds := days*86400 + int64(hour)*3600 + int64(minute)*60 + int64(second)
	return seconds*1e6 + fraction, rest, true
}

// parseFraction reads .123456 as microseconds; further digits are cut off.
func parseFraction(b []byte) (micros int64, rest []byte) {
	if len(b) < 2 || b[0] != '.' || b[1] < '0' || b[1] > '9' {
		return 0, b
	}
	i, unit := 1, int64(100_000)
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		micros += int64(b[i]-'0') * unit
		unit /= 10
	}
	return micros, b[i:]
}

// parseZone reads Z, +08:00, +0800 or +08 as seconds east of Greenwich.
func parseZone(b []byte) (seconds int64, ok bool) {
	if len(b) == 1 && b[0] == 'Z' {
		return 0, true
	}
	if len(b) < 3 || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	hours, ok := parseDigits(b[1:3])
	minutes := 0
	if rest := b[3:]; ok && len(rest) > 0 {
		if rest[0] == ':' {
			rest = rest[1:]
		}
		if len(rest) != 2 {
			return 0, false
		}
		minutes, ok = parseDigits(rest)
	}
	seconds = int64(hours)*3600 + int64(minutes)*60
	if b[0] == '-' {
		seconds = -seconds
	}
	return seconds, ok
}

// parseTime reads a date and time with or without a zone.
func parseTime(b []byte) (connectors.Value, bool) {
	micros, rest, ok := parseDateTime(b)
	if !ok {
		return connectors.Value{}, false
	}
	if len(rest) == 0 {
		return connectors.DateTime(micros), true
	}
	east, ok := parseZone(rest)
	return connectors.Timestamp(micros - east*1e6), ok
}

func parseDigits(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
