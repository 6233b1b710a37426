package mapping

import (
	"unicode/utf8"

	"github.com/datong-dx/datong/internal/civil"
)

// readMoment reads the forms that cannot be taken for one another: 2018-04-01, 2018/4/1, 2018.4.1, 2018年4月1日 and
// 20180401, each with an optional time and zone.
func readMoment(b []byte) (m moment, ok bool) {
	if m, ok = dashedDay(b); ok { // what most databases write
		return m, true
	}
	s := scanner{b: b}
	digits := s.countDigits()
	switch {
	case digits == 8 || digits == 14 || digits == 17:
		ok = s.compactDate(&m) && (digits == 8 || s.compactTime(&m, digits == 17))
	case digits == 4:
		ok = s.partedDate(&m)
	}
	if !ok {
		return m, false
	}
	if !s.done() && !m.timed && !s.clock(&m) {
		return m, false
	}
	if !s.done() && m.timed && !s.zone(&m) {
		return m, false
	}
	return m, s.done()
}

// dashedDay reads 2018-04-01 and nothing else.
func dashedDay(b []byte) (m moment, ok bool) {
	if len(b) != 10 || b[4] != '-' || b[7] != '-' {
		return m, false
	}
	m.day, ok = civil.Days(pair(b[0:])*100+pair(b[2:]), pair(b[5:]), pair(b[8:]))
	m.dashed = ok
	return m, ok
}

// compactDay reads 20180401 and nothing else.
func compactDay(b []byte) (m moment, ok bool) {
	if len(b) != 8 {
		return m, false
	}
	m.day, ok = civil.Days(pair(b[0:])*100+pair(b[2:]), pair(b[4:]), pair(b[6:]))
	return m, ok
}

// pair is the number of two digits, far out of every range when they are none.
func pair(b []byte) int {
	tens, ones := b[0]-'0', b[1]-'0'
	if tens > 9 || ones > 9 {
		return -1 << 20
	}
	return int(tens)*10 + int(ones)
}

// scanner reads a time from left to right.
type scanner struct {
	b []byte
	i int
}

func (s *scanner) done() bool { return s.i == len(s.b) }

func (s *scanner) countDigits() int {
	n := s.i
	for n < len(s.b) && s.b[n] >= '0' && s.b[n] <= '9' {
		n++
	}
	return n - s.i
}

// number reads between low and high digits.
func (s *scanner) number(low, high int) (n int, ok bool) {
	start := s.i
	for s.i < len(s.b) && s.i-start < high && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		n = n*10 + int(s.b[s.i]-'0')
		s.i++
	}
	return n, s.i-start >= low
}

// literal reads the given bytes.
func (s *scanner) literal(text string) bool {
	if len(s.b)-s.i < len(text) || string(s.b[s.i:s.i+len(text)]) != text {
		return false
	}
	s.i += len(text)
	return true
}

// spaces reads white space and tells whether there was any.
func (s *scanner) spaces() bool {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] == ' ' {
		s.i++
	}
	return s.i > start
}

func (s *scanner) compactDate(m *moment) bool {
	year, _ := s.number(4, 4)
	month, _ := s.number(2, 2)
	day, _ := s.number(2, 2)
	days, ok := civil.Days(year, month, day)
	m.day = days
	return ok
}

func (s *scanner) compactTime(m *moment, millis bool) bool {
	hour, _ := s.number(2, 2)
	minute, _ := s.number(2, 2)
	second, _ := s.number(2, 2)
	fraction := 0
	if millis {
		fraction, _ = s.number(3, 3)
	}
	return m.setClock(hour, minute, second, fraction*1000)
}

// partedDate reads year, month and day parted by one and the same mark, or by 年, 月 and 日.
func (s *scanner) partedDate(m *moment) bool {
	year, _ := s.number(4, 4)
	first, second, last := "年", "月", "日"
	if !s.done() && s.b[s.i] < utf8.RuneSelf {
		switch s.b[s.i] {
		case '-':
			first, second, last = "-", "-", ""
		case '/':
			first, second, last = "/", "/", ""
		case '.':
			first, second, last = ".", ".", ""
		default:
			return false
		}
	}
	if !s.literal(first) {
		return false
	}
	month, ok := s.number(1, 2)
	if !ok || !s.literal(second) {
		return false
	}
	day, ok := s.number(1, 2)
	if !ok || !s.literal(last) {
		return false
	}
	m.day, ok = civil.Days(year, month, day)
	return ok
}

// clock reads T or spaces, then H:mm, H:mm:ss or H:mm:ss.fff.
func (s *scanner) clock(m *moment) bool {
	if !s.literal("T") && !s.spaces() {
		return false
	}
	hour, ok := s.number(1, 2)
	if !ok || !s.literal(":") {
		return false
	}
	minute, ok := s.number(2, 2)
	if !ok {
		return false
	}
	second, micros := 0, 0
	if s.literal(":") {
		if second, ok = s.number(2, 2); !ok {
			return false
		}
		if micros, ok = s.fraction(); !ok {
			return false
		}
	}
	return m.setClock(hour, minute, second, micros)
}

// fraction reads a point and up to nine digits, of which six count.
func (s *scanner) fraction() (micros int, ok bool) {
	if !s.literal(".") {
		return 0, true
	}
	start := s.i
	micros, ok = s.number(1, 6)
	if !ok {
		return 0, false
	}
	micros *= pow10(6 - (s.i - start))
	_, _ = s.number(0, 3)
	return micros, true
}

// zone reads Z, +08:00, +0800 or +08, after optional spaces.
func (s *scanner) zone(m *moment) bool {
	s.spaces()
	m.zoned = true
	if s.literal("Z") {
		return true
	}
	negative := s.literal("-")
	if !negative && !s.literal("+") {
		return false
	}
	hours, ok := s.number(2, 2)
	if !ok {
		return false
	}
	minutes := 0
	if !s.done() {
		s.literal(":")
		if minutes, ok = s.number(2, 2); !ok {
			return false
		}
	}
	if hours > 14 || minutes > 59 {
		return false
	}
	m.offset = int32(hours*60 + minutes)
	if negative {
		m.offset = -m.offset
	}
	return true
}

func (m *moment) setClock(hour, minute, second, micros int) bool {
	if hour > 23 || minute > 59 || second > 59 {
		return false
	}
	m.timed = true
	m.micros = int64(hour*3600+minute*60+second)*microsPerSecond + int64(micros)
	return true
}
