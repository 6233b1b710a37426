package mapping

import "github.com/datong-dx/datong/internal/civil"

// Times are handled as days and microseconds, so that no time.Time is made and no zone database consulted.
const (
	microsPerSecond = 1_000_000
	microsPerDay    = 86_400 * microsPerSecond
	// chinaOffset is China Standard Time, GB/T 7408.1: +08:00 all year.
	chinaOffset = 8 * 60
	firstDay    = civil.First
	lastDay     = civil.Last
)

// moment is a date, or a date with a time, as it was written.
type moment struct {
	day    int64 // days since 1970-01-01
	micros int64 // of the day, when timed
	offset int32 // minutes east of Greenwich, when zoned
	timed  bool
	zoned  bool
	dashed bool // it was written as 2018-04-01, as it stands in a record
}

// instant returns the Unix microseconds; China Standard Time when no zone was written.
func (m *moment) instant() int64 {
	offset := int64(chinaOffset)
	if m.zoned {
		offset = int64(m.offset)
	}
	return m.day*microsPerDay + m.micros - offset*60*microsPerSecond
}

// date returns the day; of a time with a zone, the day in China.
func (m *moment) date() int64 {
	if m.timed && m.zoned {
		return chinaDay(m.instant())
	}
	return m.day
}

// chinaDay returns the day in China Standard Time of an instant in Unix microseconds.
func chinaDay(micros int64) int64 {
	return floorDiv(micros+chinaOffset*60*microsPerSecond, microsPerDay)
}

// momentAt returns the moment of an instant, told in China Standard Time.
func momentAt(micros int64) moment {
	return wallClock(micros + chinaOffset*60*microsPerSecond)
}

// wallClock returns the moment of wall-clock microseconds since 1970-01-01T00:00:00.
func wallClock(micros int64) moment {
	day := floorDiv(micros, microsPerDay)
	return moment{day: day, micros: micros - day*microsPerDay, timed: true}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// within says that a day can be written with four digits of year.
func within(day int64) bool { return day >= firstDay && day <= lastDay }

// appendDate appends a day as 2018-04-01.
func appendDate(dst []byte, days int64) []byte {
	y, m, d := civil.Date(days)
	return append(dst, byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10),
		'-', byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
}

// appendDateTime appends a moment as RFC 3339 with its offset: 2018-04-01T12:30:00+08:00.
func appendDateTime(dst []byte, m *moment) []byte {
	dst = append(appendDate(dst, m.day), 'T')
	seconds := int(m.micros / microsPerSecond)
	dst = append(appendDigits(dst, seconds/3600, 2), ':')
	dst = append(appendDigits(dst, seconds/60%60, 2), ':')
	dst = appendDigits(dst, seconds%60, 2)
	if fraction := int(m.micros % microsPerSecond); fraction > 0 {
		dst = appendDigits(append(dst, '.'), fraction, 6)
		for dst[len(dst)-1] == '0' {
			dst = dst[:len(dst)-1]
		}
	}
	offset := chinaOffset
	if m.zoned {
		offset = int(m.offset)
	}
	if offset == 0 {
		return append(dst, 'Z')
	}
	if offset < 0 {
		dst, offset = append(dst, '-'), -offset
	} else {
		dst = append(dst, '+')
	}
	dst = append(appendDigits(dst, offset/60, 2), ':')
	return appendDigits(dst, offset%60, 2)
}

// appendDigits appends n with leading zeros up to width digits.
func appendDigits(dst []byte, n, width int) []byte {
	for p := pow10(width - 1); p > 0; p /= 10 {
		dst = append(dst, byte('0'+n/p%10))
	}
	return dst
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}
