package files

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestPositionStaysBounded(t *testing.T) {
	p := position{Version: positionVersion, Path: "x"}
	for i := range 3 * recentMax {
		p.begin(&place{Name: "n", Set: "s", Order: "1", SHA256: bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 16)})
		p.finish()
	}
	if n := len(p.encode()); n > 8<<10 {
		t.Errorf("a position has %d bytes", n)
	}
	newest := 3*recentMax - 1
	if !p.knows(bytes.Repeat([]byte{byte(newest), byte(newest >> 8)}, 16)) {
		t.Error("the newest delivery is forgotten")
	}
}

// TestPositionGolden guards the stored form: a change of it needs a new version that still reads this one.
func TestPositionGolden(t *testing.T) {
	golden, err := os.ReadFile("testdata/position.golden")
	if err != nil {
		t.Fatal(err)
	}
	want := position{
		Version: 1, Path: "in/*.csv", Taken: 3,
		Last:   map[string]last{"enterprise": {Order: "20260402", Name: "in/enterprise_20260402.csv", Sum: []byte("89abcdef")}},
		Recent: []byte("0123456789abcdef"),
		File: &place{
			Name: "in/enterprise_20260403.csv", Set: "enterprise", Order: "20260403", Size: 5000, SHA256: bytes.Repeat([]byte{7}, 32),
			Micros: 1775174400000000, Offset: 1234, Line: 57, Row: 55, Started: true,
		},
	}
	got, err := parsePosition(bytes.TrimSpace(golden), "in/*.csv")
	if err != nil {
		t.Fatal(err)
	}
	check(t, "parsed", want, got)
	check(t, "encoded", string(bytes.TrimSpace(golden)), string(want.encode()))
}

func TestCheckAndDiscover(t *testing.T) {
	for _, c := range []struct {
		name, file, content, encoding string
		want                          string // of the only problem; empty: none
		warning                       bool
	}{
		{"all is well", "a.csv", "编码,名称\n1,东\n", "utf-8", "", false},
		{"nothing there", "", "", "utf-8", "no file matches yet", true},
		{"GBK declared as UTF-8", "a.csv", "a,b\n" + gbk("1,北京市东城区东华门街道\n"), "utf-8", "looks like GB 18030", false},
		{"a repeated column", "a.csv", "a,a\n1,2\n", "utf-8", "column name a is repeated", true},
		{"a nameless column", "a.csv", "a,\n1,2\n", "utf-8", "column 2 has no name", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newExchange(t)
			if c.file != "" {
				e.file(c.file, c.content)
			}
			problems := e.open(nil, map[string]any{"path": "in/*.csv", "encoding": c.encoding}).Check(t.Context())
			if c.want == "" {
				if len(problems) != 0 {
					t.Errorf("problems: %v", problems)
				}
				return
			}
			if len(problems) != 1 || !strings.Contains(problems[0].Error(), c.want) || problems[0].Warning != c.warning {
				t.Errorf("problems: %v, want %q", problems, c.want)
			}
		})
	}
	e := newExchange(t)
	e.file("x_1.csv", "编码,名称\n1,东\n")
	e.file("y_1.jsonl", "{\"a\":1}\n{\"b\":1}\n")
	tables, err := e.open(nil, map[string]any{"path": "in/*", "set": `^(\w)_`}).Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, table := range tables {
		for _, column := range table.Columns {
			got[table.Name] = append(got[table.Name], column.Name)
		}
	}
	check(t, "discovered", map[string][]string{"x": {"编码", "名称"}, "y": {"a", "b"}}, got)
}

func TestSettingsAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		changed map[string]any
		want    string
	}{
		"delimiter": {map[string]any{"delimiter": "||"}, "delimiter is not one ASCII character"},
		"set":       {map[string]any{"set": "("}, "set is not a regular expression"},
		"order":     {map[string]any{"order": `\d+`}, "order must have exactly one group"},
		"ops":       {map[string]any{"ops": map[string]string{"x": "drop"}, "op_column": "c"}, "ops does not know drop"},
		"op_column": {map[string]any{"op_column": "c"}, "need each other"},
		"path":      {map[string]any{"path": "in/["}, "not a valid path"},
		"max":       {map[string]any{"max_row_bytes": int64(1)}, "max_row_bytes is not between"},
		"record":    {map[string]any{"record_path": "a..b"}, "empty part"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, ok := c.changed["path"]; !ok {
				c.changed["path"] = "in/*.csv"
			}
			problems := validate(settingsOf(t, c.changed))
			for _, p := range problems {
				if strings.Contains(p.Error(), c.want) && p.What.Zh != "" {
					return
				}
			}
			t.Errorf("problems: %v, want %q", problems, c.want)
		})
	}
}
