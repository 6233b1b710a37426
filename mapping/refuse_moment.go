package mapping

import (
	"strings"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/civil"
)

// refuseMoment says why a text is no date or time, as far as the way it is written tells.
func (m *Mapper) refuseMoment(s *boundStep, b []byte) {
	g := digitGroups(b)
	year, month, day, ok := g.yearFirst()
	_, exists := civil.Days(year, month, day)
	source := connectors.Text{Zh: "在源系统更正", En: "correct it at the source"}
	switch {
	case suspectNulls.has(trim(b)):
		m.refuseType(s, b, connectors.Text{})
	case ok && !exists:
		m.refuse(s, RuleType, b, "日历上没有这一天", "is no day of the calendar", source)
	case ok && g.clockBeyond():
		m.refuse(s, RuleType, b, "时刻超出 23:59:59", "has a time of day beyond 23:59:59", source)
	case len(s.layouts) > 0:
		m.refuseType(s, b, connectors.Text{Zh: "现有格式 " + s.layoutList() + "，按需补充", En: "the layouts are " + s.layoutList() + ": add the one that is missing"})
	case g.yearLast():
		m.refuse(s, RuleType, b, "分不清哪个是月、哪个是日", "does not tell which number is the month and which the day",
			connectors.Text{Zh: "写 layouts: [d/M/yyyy] 或 [M/d/yyyy]", En: "write layouts: [d/M/yyyy] or [M/d/yyyy], as the source means it"})
	case g.n == 1 && len(b) == 5 && g.width[0] == 5:
		m.refuseType(s, b, connectors.Text{Zh: "若是电子表格的日期序号，写 layouts: [excel]", En: "if it is a spreadsheet's serial number, write layouts: [excel]"})
	default:
		m.refuseType(s, b, connectors.Text{Zh: "在 layouts 中写明格式，如 yyyyMMdd、excel、unix", En: "name the form in layouts, such as yyyyMMdd, excel, unix"})
	}
}

// layoutList names the step's layouts.
func (s *step) layoutList() string {
	names := make([]string, len(s.layouts))
	for i := range s.layouts {
		names[i] = s.layouts[i].name
	}
	return strings.Join(names, ", ")
}

// groups are the first runs of digits of a text, with their values.
type groups struct {
	n            int
	value, width [6]int
}

// digitGroups finds the runs of digits; a run of 8 or 14 is cut as a date and a time without separators are.
func digitGroups(b []byte) (g groups) {
	for i := 0; i < len(b) && g.n < len(g.value); {
		from := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		switch run := b[from:i]; {
		case len(run) == 0:
			i++
		case g.n == 0 && (len(run) == 8 || len(run) == 14):
			g.add(run[:4])
			for run = run[4:]; len(run) > 0; run = run[2:] {
				g.add(run[:2])
			}
		default:
			g.add(run)
		}
	}
	return g
}

func (g *groups) add(digits []byte) {
	n := 0
	for _, c := range digits[:min(len(digits), 9)] {
		n = 10*n + int(c-'0')
	}
	g.value[g.n], g.width[g.n] = n, len(digits)
	g.n++
}

// yearFirst returns the numbers of what is written as year, month and day.
func (g *groups) yearFirst() (year, month, day int, ok bool) {
	ok = g.n >= 3 && g.width[0] == 4 && g.width[1] <= 2 && g.width[2] <= 2
	return g.value[0], g.value[1], g.value[2], ok
}

// yearLast says that the year stands behind month and day, or day and month.
func (g *groups) yearLast() bool {
	return g.n >= 3 && g.width[2] == 4 && g.width[0] <= 2 && g.width[1] <= 2
}

// clockBeyond says that what follows the day is no time of day.
func (g *groups) clockBeyond() bool {
	for i, most := range []int{3: 23, 4: 59, 5: 59} {
		if i >= 3 && i < g.n && g.width[i] <= 2 && g.value[i] > most {
			return true
		}
	}
	return false
}
