package mapping

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
)

// Crosswalk turns one source's codes into standard codes. A row holds for the days valid_from to valid_to, so that a
// record is translated as its own date demands. Two sources never share a crosswalk: the same digits mean different
// things in different systems.
type Crosswalk struct {
	// File the crosswalk was read from, for messages.
	File string
	// Rows in the order of the file.
	Rows []CrosswalkRow

	index map[string][]int32 // source code → Rows
}

// CrosswalkRow is one translation.
type CrosswalkRow struct {
	Source, Standard string
	// From and To are days since 1970-01-01, both included; math.MinInt32 and math.MaxInt32 where the file says none.
	From, To int32
	Note     string
	Line     int

	standard []byte
}

var crosswalkColumns = []string{"source_code", "standard_code", "valid_from", "valid_to", "note"}

// ReadCrosswalk reads a crosswalk from UTF-8 CSV whose header names source_code and standard_code, and valid_from,
// valid_to and note where they are used. file stands in messages. Every problem is reported, with file:line.
func ReadCrosswalk(r io.Reader, file string) (*Crosswalk, error) {
	p := crosswalkParser{walk: &Crosswalk{File: file, index: map[string][]int32{}}}
	buffered := bufio.NewReader(r)
	if bom, err := buffered.Peek(3); err == nil && string(bom) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	p.csv = csv.NewReader(buffered)
	p.csv.FieldsPerRecord = -1
	if p.header() {
		for p.row() {
		}
	}
	p.overlaps()
	if len(p.problems) > 0 {
		return nil, p.problems.err()
	}
	return p.walk, nil
}

type crosswalkParser struct {
	csv      *csv.Reader
	walk     *Crosswalk
	columns  [5]int // place of each of crosswalkColumns in the file, -1 where it is missing
	problems problems
}

func (p *crosswalkParser) where(line int) string { return fmt.Sprintf("%s:%d", p.walk.File, line) }

func (p *crosswalkParser) header() bool {
	names, err := p.csv.Read()
	if err != nil || !slices.ContainsFunc(names, resemblesColumn) {
		p.problems.add(p.where(1), connectors.Text{Zh: "首行写 " + strings.Join(crosswalkColumns, ","), En: "begin with " + strings.Join(crosswalkColumns, ",")},
			"代码对照表没有表头", "the crosswalk has no header")
		return false
	}
	for i := range p.columns {
		p.columns[i] = -1
	}
	for i, name := range names {
		name = strings.TrimSpace(name)
		at := slices.Index(crosswalkColumns, name)
		if at < 0 {
			p.problems.add(p.where(1), nearest.Suggest(name, crosswalkColumns), "代码对照表中未知的列 %s", "unknown crosswalk column %s", name)
			continue
		}
		p.columns[at] = i
	}
	if len(p.problems) > 0 {
		return false
	}
	for i, must := range crosswalkColumns[:2] {
		if p.columns[i] < 0 {
			p.problems.add(p.where(1), connectors.Text{}, "代码对照表缺少列 %s", "the crosswalk has no column %s", must)
		}
	}
	return len(p.problems) == 0
}

// resemblesColumn says whether a cell of the first line may be meant for a column's name rather than for data.
func resemblesColumn(name string) bool { return nearest.Name(name, crosswalkColumns) != "" }

func (p *crosswalkParser) row() bool {
	fields, err := p.csv.Read()
	if errors.Is(err, io.EOF) {
		return false
	}
	if err != nil {
		line := 0
		if e := (*csv.ParseError)(nil); errors.As(err, &e) {
			line, err = e.Line, e.Err
		}
		p.problems.addCause(p.where(line), err, "代码对照表不是规范的 CSV", "the crosswalk is not well-formed CSV")
		return false
	}
	line, _ := p.csv.FieldPos(0)
	cell := func(column int) string {
		at := p.columns[column]
		if at < 0 || at >= len(fields) {
			return ""
		}
		return string(trim(appendHalfwidth(nil, []byte(fields[at]))))
	}
	row := CrosswalkRow{Source: cell(0), Standard: cell(1), Note: cell(4), Line: line}
	row.From = p.day(line, "valid_from", cell(2), math.MinInt32)
	row.To = p.day(line, "valid_to", cell(3), math.MaxInt32)
	row.standard = []byte(row.Standard)
	p.add(row)
	return true
}

func (p *crosswalkParser) add(row CrosswalkRow) {
	where := p.where(row.Line)
	switch {
	case row.Source == "" && row.Standard == "":
		return // an empty line at the foot of a spreadsheet
	case row.Source == "":
		p.problems.add(where, connectors.Text{}, "source_code 为空", "source_code is empty")
	case row.Standard == "":
		p.problems.add(where, connectors.Text{Zh: "填入标准代码，或删去此行", En: "fill the standard code in, or delete the row"},
			"源代码 %s 没有 standard_code", "source code %s has no standard_code", row.Source)
	case row.From > row.To:
		p.problems.add(where, connectors.Text{}, "valid_from 晚于 valid_to", "valid_from is later than valid_to")
	default:
		p.walk.index[row.Source] = append(p.walk.index[row.Source], int32(len(p.walk.Rows)))
		p.walk.Rows = append(p.walk.Rows, row)
	}
}

func (p *crosswalkParser) day(line int, column, text string, open int32) int32 {
	if text == "" {
		return open
	}
	m, ok := readMoment([]byte(text))
	if !ok || m.timed {
		p.problems.add(p.where(line), connectors.Text{Zh: "写成 2018-04-01", En: "write it as 2018-04-01"},
			"%s 不是日期", "%s is not a date", column)
		return open
	}
	return int32(m.day)
}

// overlaps refuses two rows that translate one code on one day.
func (p *crosswalkParser) overlaps() {
	for i, row := range p.walk.Rows {
		for _, j := range p.walk.index[row.Source] {
			other := p.walk.Rows[j]
			if int(j) < i && row.From <= other.To && other.From <= row.To {
				p.problems.add(p.where(row.Line), connectors.Text{Zh: "用 valid_from、valid_to 分开，或删去一行", En: "part them by valid_from and valid_to, or delete one"},
					"源代码 %s 在同一日期已由第 %d 行对照", "source code %s is already translated on the same days by line %d", row.Source, other.Line)
				break
			}
		}
	}
}

// Lookup returns the standard code of a source code on a day, and whether the crosswalk has the source code at all. It
// allocates nothing; the result must not be changed.
func (c *Crosswalk) Lookup(source []byte, day int32) (standard []byte, known bool) {
	rows, known := c.index[string(source)]
	for _, i := range rows {
		if row := &c.Rows[i]; row.From <= day && day <= row.To {
			return row.standard, true
		}
	}
	return nil, known
}
