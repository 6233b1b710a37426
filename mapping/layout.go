package mapping

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/datong-dx/datong/internal/civil"
)

// layoutNames are the layouts that messages and help name; any other made of the same letters works as well.
var layoutNames = []string{
	"yyyy-MM-dd", "yyyyMMdd", "yyyy/M/d", "yyyy年M月d日", "yyyy.M.d",
	"yyyy-MM-dd HH:mm:ss", "yyyyMMddHHmmss", "yyyy/M/d H:mm:ss", "rfc3339", "excel", "unix", "unixms",
}

// layout is one form in which a date or time is written: a pattern of the letters yyyy M d H m s S, a spreadsheet's or
// a computer's count, or a word such as 长期 that stands for no end.
type layout struct {
	name  string
	count func(*number) (moment, bool) // excel, unix, unixms
	word  string                       // no end: 9999-12-31
	parts []layoutPart                 // the pattern; empty for rfc3339 and the others
	day   func([]byte) (moment, bool)  // yyyy-MM-dd and yyyyMMdd, which registries use most
}

type layoutPart struct {
	letter    byte // y M d H m s S z, or 0 for a literal
	low, high int  // digits
	literal   string
}

// noEnd is 9999-12-31, which stands for a term without an end.
const noEnd = lastDay

// newLayout reads a layout's name. A name of Han characters alone is a word that means that there is no end.
func newLayout(name string) (layout, error) {
	l := layout{name: name}
	switch name {
	case "yyyy-MM-dd":
		l.day = dashedDay
	case "yyyyMMdd":
		l.day = compactDay
	case "excel":
		l.count = excelMoment
	case "unix":
		l.count = unixMoment
	case "unixms":
		l.count = unixMilliMoment
	case "rfc3339":
		return l, nil
	}
	if l.count != nil {
		return l, nil
	}
	if onlyHan(name) {
		l.word = name
		return l, nil
	}
	return l, l.compile(name)
}

func onlyHan(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !unicode.Is(unicode.Han, r) }) < 0
}

// compile reads a pattern. One letter takes one or two digits, a doubled one exactly two.
func (l *layout) compile(name string) error {
	seen := map[byte]bool{}
	for i := 0; i < len(name); {
		n := 1
		for i+n < len(name) && name[i+n] == name[i] {
			n++
		}
		part, width, err := newLayoutPart(name[i:], n)
		if err != nil {
			return err
		}
		if part.letter != 0 && seen[part.letter] {
			return fmt.Errorf("letter %c stands twice", part.letter)
		}
		seen[part.letter] = true
		l.parts = append(l.parts, part)
		i += width
	}
	if !seen['y'] || !seen['M'] || !seen['d'] {
		return fmt.Errorf("a layout needs yyyy, M and d")
	}
	return nil
}

// newLayoutPart reads the first part of a pattern, whose first letter stands n times.
func newLayoutPart(s string, n int) (part layoutPart, width int, err error) {
	c := s[0]
	switch {
	case c == 'y' && n == 4:
		return layoutPart{letter: c, low: 4, high: 4}, n, nil
	case strings.IndexByte("MdHms", c) >= 0 && n == 1:
		return layoutPart{letter: c, low: 1, high: 2}, n, nil
	case strings.IndexByte("MdHms", c) >= 0 && n == 2:
		return layoutPart{letter: c, low: 2, high: 2}, n, nil
	case c == 'S' && n <= 6:
		return layoutPart{letter: c, low: n, high: n}, n, nil
	case strings.HasPrefix(s, "XXX"):
		return layoutPart{letter: 'z'}, 3, nil
	case c == 'T' && n == 1:
		return layoutPart{literal: "T"}, 1, nil
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9':
		return part, 0, fmt.Errorf("%q is not part of a layout", s[:n])
	}
	return layoutPart{literal: s[:1]}, 1, nil
}

// read reads b, trimmed and half-width, in this layout.
func (l *layout) read(b []byte) (moment, bool) {
	switch {
	case l.count != nil:
		var d number
		if d.parse(b, false) != faultNone || d.whole() > 18 {
			return moment{}, false
		}
		m, ok := l.count(&d)
		return m, ok && within(m.day)
	case l.word != "":
		return moment{day: noEnd}, string(b) == l.word
	case l.day != nil:
		return l.day(b)
	case l.parts == nil:
		m, ok := readMoment(b)
		return m, ok && m.timed && m.zoned && len(b) > 10 && b[10] == 'T'
	}
	return l.match(b)
}

func (l *layout) match(b []byte) (m moment, ok bool) {
	s := scanner{b: b}
	var year, month, day, hour, minute, second, micros int
	for i := range l.parts {
		p := &l.parts[i]
		ok = true
		switch p.letter {
		case 0:
			ok = s.literal(p.literal)
		case 'z':
			ok = s.zone(&m)
		case 'y':
			year, ok = s.number(p.low, p.high)
		case 'M':
			month, ok = s.number(p.low, p.high)
		case 'd':
			day, ok = s.number(p.low, p.high)
		case 'H':
			hour, ok = s.number(p.low, p.high)
		case 'm':
			minute, ok = s.number(p.low, p.high)
		case 's':
			second, ok = s.number(p.low, p.high)
		case 'S':
			micros, ok = s.number(p.low, p.high)
			micros *= pow10(6 - p.high)
		}
		if !ok {
			return m, false
		}
		m.timed = m.timed || p.letter == 'H'
	}
	if m.day, ok = civil.Days(year, month, day); !ok || !s.done() {
		return m, false
	}
	return m, !m.timed || m.setClock(hour, minute, second, micros)
}

// excelMoment reads a serial of the 1900 date system, in which 1 is 1900-01-01 and 60 a 29 February 1900 that never was.
// The fraction is the time, to the millisecond that a spreadsheet keeps.
func excelMoment(d *number) (moment, bool) {
	whole, fraction := d.slice(0, d.point), d.slice(d.point, d.point+10)
	if d.negative || d.point < 1 || d.point > 7 || whole == 60 {
		return moment{}, false
	}
	m := moment{day: whole - 25_569}
	if whole < 60 {
		m.day++
	}
	if d.scale() > 0 {
		millis := (fraction*86_400 + 5_000_000) / 10_000_000 // of ten digits of a day
		m.timed, m.day, m.micros = true, m.day+millis/86_400_000, millis%86_400_000*1000
	}
	return m, true
}

// unixMoment reads seconds since 1970-01-01T00:00:00Z, with an optional fraction.
func unixMoment(d *number) (moment, bool) {
	d.shift(3)
	return unixMilliMoment(d)
}

// unixMilliMoment reads milliseconds since 1970-01-01T00:00:00Z.
func unixMilliMoment(d *number) (moment, bool) {
	millis, ok := d.int64()
	if !ok || millis/86_400_000 > lastDay || millis/86_400_000 < firstDay {
		return moment{}, false
	}
	return momentAt(millis * 1000), true
}
