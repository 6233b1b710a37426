package mapping

import (
	"strings"
	"testing"
)

func TestCrosswalkLookup(t *testing.T) {
	c := readCrosswalk(t, "\ufeffsource_code,standard_code,valid_from,valid_to,note\n"+
		"１,10,,2019-12-31,first\n 1 ,20,2020/1/1,2020-12-31,\n1,30,20210101,,\n,,,,\nA,40\n")
	tests := []struct {
		name   string
		source string
		day    string
		want   string
		known  bool
	}{
		{"before all", "1", "1900-01-01", "10", true},
		{"the last day of a row", "1", "2019-12-31", "10", true},
		{"the first day of the next", "1", "2020-01-01", "20", true},
		{"the open end", "1", "2999-01-01", "30", true},
		{"a row without dates", "A", "1700-01-01", "40", true},
		{"a code that is not there", "a", "2020-01-01", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, _ := readMoment([]byte(tt.day))
			got, known := c.Lookup([]byte(tt.source), int32(m.day))
			if string(got) != tt.want || known != tt.known {
				t.Errorf("got %q, %v, want %q, %v", got, known, tt.want, tt.known)
			}
		})
	}
	if n := testing.AllocsPerRun(100, func() { c.Lookup([]byte("1"), 0) }); n != 0 {
		t.Errorf("Lookup allocates %v times", n)
	}
}

func TestCrosswalkProblems(t *testing.T) {
	tests := []struct {
		name string
		file string
		want []string // each problem's beginning, after the file's name
	}{
		{"an empty file", "", []string{"1: the crosswalk has no header"}},
		{"a header without what is needed", "source,note\n", []string{"1: unknown crosswalk column source"}},
		{"a header without a column", "source_code,note\n", []string{"1: the crosswalk has no column standard_code"}},
		{"no header", "01,10\n02,20\n03,30\n", []string{"1: the crosswalk has no header"}},
		{"codes that are missing", "source_code,standard_code\n1,\n,2\n", []string{"2: source code 1 has no standard_code", "3: source_code is empty"}},
		{"dates that are none", "source_code,standard_code,valid_from,valid_to\n1,2,soon,2020-13-01\n", []string{"2: valid_from is not a date", "2: valid_to is not a date"}},
		{"an end before its beginning", "source_code,standard_code,valid_from,valid_to\n1,2,2020-01-02,2020-01-01\n", []string{"2: valid_from is later"}},
		{"two rows for one day", "source_code,standard_code,valid_from,valid_to\n1,2,,2020-01-01\n1,3,2020-01-01,\n", []string{"3: source code 1 is already translated on the same days by line 2"}},
		{"quotes that do not close", "source_code,standard_code\n1,\"2\n", []string{"2: the crosswalk is not well-formed CSV"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadCrosswalk(strings.NewReader(tt.file), "c.csv")
			problems := joined(t, err)
			for i, p := range problems {
				if i >= len(tt.want) || !strings.HasPrefix(p.Error(), "c.csv:"+tt.want[i]) {
					t.Errorf("problem %d: got %v, want %q", i, p, tt.want)
				}
			}
			if len(problems) != len(tt.want) {
				t.Errorf("got %d problems, want %d", len(problems), len(tt.want))
			}
		})
	}
}
