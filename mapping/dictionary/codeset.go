package dictionary

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// CodeSet is a list of dated codes.
type CodeSet struct {
	Name       string          `json:"name"`
	Title      connectors.Text `json:"title"`
	Definition connectors.Text `json:"definition,omitzero"`
	// Standard is the number of the standard that gives the codes, or [Practice] or [Own]; Clause its place there.
	Standard string `json:"standard"`
	Clause   string `json:"clause,omitempty"`
	// Extensible says that a city may add codes.
	Extensible bool `json:"extensible,omitempty"`
	// Prefix, when it is not 0, says that a longer value belongs to the set by its first Prefix characters: a 12-digit
	// division code by the county it lies in. The rest is left to the element's format.
	Prefix int `json:"prefix,omitempty"`
	// Codes sorted by Value, then From. One value may stand several times, for periods that do not overlap.
	Codes []Code `json:"codes"`

	index map[string]span
	at    position
}

// Code is one code for the days From to To, both inclusive.
type Code struct {
	Value  string
	Title  connectors.Text
	Parent string // value of the code above, empty at the top
	// From and To are days since 1970-01-01; math.MinInt32 and math.MaxInt32 mean that the period is open.
	From, To int32

	at position
}

// span is where the periods of one value stand in Codes. A value that is valid always has no need to look there.
type span struct {
	first, end int32
	always     bool
}

// Valid reports whether code belongs to the set on the given day (days since 1970-01-01), and whether it is known at
// all, on that or on another day. It allocates nothing.
func (c *CodeSet) Valid(code []byte, day int32) (ok, known bool) {
	if c.Prefix > 0 && len(code) > c.Prefix {
		code = code[:c.Prefix]
	}
	s, known := c.index[string(code)]
	if !known || s.always {
		return known, known
	}
	for i := s.first; i < s.end; i++ {
		if c.Codes[i].From <= day && day <= c.Codes[i].To {
			return true, true
		}
	}
	return false, true
}

// TitleOf returns the title of a code, the latest where it has had several, and whether the set knows the code.
func (c *CodeSet) TitleOf(code string) (connectors.Text, bool) {
	if c.Prefix > 0 && len(code) > c.Prefix {
		code = code[:c.Prefix]
	}
	s, known := c.index[code]
	if !known {
		return connectors.Text{}, false
	}
	return c.Codes[s.end-1].Title, true
}

// build sorts the codes and makes the index.
func (c *CodeSet) build() {
	slices.SortStableFunc(c.Codes, func(a, b Code) int {
		if n := strings.Compare(a.Value, b.Value); n != 0 {
			return n
		}
		return int(max(-1, min(1, int64(a.From)-int64(b.From))))
	})
	c.index = make(map[string]span, len(c.Codes))
	for i := range c.Codes {
		code := &c.Codes[i]
		s, seen := c.index[code.Value]
		if !seen {
			s.first = int32(i)
		}
		s.end = int32(i) + 1
		s.always = !seen && code.From == math.MinInt32 && code.To == math.MaxInt32
		c.index[code.Value] = s
	}
}

// MarshalJSON writes the code with its period as dates; an open end is left out.
func (c Code) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Value     string          `json:"code"`
		Title     connectors.Text `json:"title"`
		Parent    string          `json:"parent,omitempty"`
		ValidFrom string          `json:"valid_from,omitempty"`
		ValidTo   string          `json:"valid_to,omitempty"`
	}{c.Value, c.Title, c.Parent, dayText(c.From), dayText(c.To)})
}

// dayText writes a day as 2006-01-02, an open end as nothing.
func dayText(day int32) string {
	if day == math.MinInt32 || day == math.MaxInt32 {
		return ""
	}
	return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)
}

// parseDay reads a day written as 2006-01-02; nothing is the open end.
func parseDay(s string, open int32) (int32, error) {
	if s == "" {
		return open, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, err
	}
	return int32(t.Unix() / 86400), nil
}
