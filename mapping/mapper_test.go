package mapping

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/connectors"
)

const small = `
entity: sample
table: items
when: s != "9"
fields:
  id: a
  part: p
  state: {from: s, codes: states}
  name: {from: [n1, n2]}
`

func smallCodes(t *testing.T) map[string]*Crosswalk {
	return map[string]*Crosswalk{"states": readCrosswalk(t, "source_code,standard_code\n01,1\n")}
}

func TestBindNamesEveryMissingColumn(t *testing.T) {
	plan := compile(t, small, smallCodes(t))
	_, err := plan.Bind(&connectors.Table{Name: "items", Columns: []connectors.Column{{Name: "A"}, {Name: "p"}, {Name: "s"}, {Name: "n1"}}})
	var got []string
	for _, p := range joined(t, err) {
		got = append(got, p.Error())
	}
	want := []string{
		"items: the mapping reads column a, which is not there (try: did you mean A)",
		"items: the mapping reads column n2, which is not there (try: did you mean n1)",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

func TestAnOpenTableMayLackColumns(t *testing.T) {
	plan := compile(t, "entity: sample\nfields:\n  id: a\n  part: {value: '1'}\n  note: {expr: 'n == nil ? \"none\" : n'}\n  name: {concat: [a, b]}\n", nil)
	row := rowOf("a", "xy")
	row.Table.Open = true
	if got, want := outcome(mapperFor(t, plan, row.Table).Map(row)), `{"id":"xy","part":1,"name":"xy","note":"none"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := plan.Bind(&connectors.Table{Name: "other", Open: true, Columns: []connectors.Column{{Name: "value"}}}); err == nil {
		t.Error("a table without any column that the mapping reads was taken")
	}
}

func TestPlanTellsItsColumns(t *testing.T) {
	plan := compile(t, small, smallCodes(t))
	if diff := cmp.Diff(plan.Columns(), []string{"a", "n1", "n2", "p", "s"}); diff != "" {
		t.Errorf("columns: got -, want +:\n%s", diff)
	}
	columns, plain := plan.KeyColumns()
	if diff := cmp.Diff(columns, []string{"a", "p"}); diff != "" || !plain {
		t.Errorf("key columns, plain %v: got -, want +:\n%s", plain, diff)
	}
	for _, id := range []string{`{from: [a, b]}`, `{concat: [a]}`, `{expr: a}`, `{value: x}`, `{from: a, width: 3}`, `{from: a, default: x}`} {
		plan := compile(t, "entity: sample\nfields: {id: "+id+", part: p}", nil)
		if _, plain := plan.KeyColumns(); plain {
			t.Errorf("%s counts as a plain column", id)
		}
	}
	if got, want := plan.Spec().Table, "items"; got != want {
		t.Errorf("got table %s, want %s", got, want)
	}
}

// The digest stays when a mapping moves within its file, and changes with whatever can change a record.
func TestDigest(t *testing.T) {
	digest := func(text string, codes map[string]*Crosswalk) uint64 { return compile(t, text, codes).Digest() }
	base := digest(small, smallCodes(t))
	if digest("# moved\n\n"+small, smallCodes(t)) != base {
		t.Error("the digest changes with the place of the mapping")
	}
	other := map[string]*Crosswalk{"states": readCrosswalk(t, "source_code,standard_code\n01,2\n")}
	if digest(small, other) == base {
		t.Error("the digest stays when a crosswalk changes")
	}
	if digest(small+"  note: n\n", smallCodes(t)) == base {
		t.Error("the digest stays when a field is added")
	}
	plan := compile(t, small, smallCodes(t))
	entity := *plan.entity
	entity.Title.En += "!"
	changed := *plan
	changed.entity = &entity
	if sum, err := changed.sum(smallCodes(t)); err != nil || sum == base {
		t.Errorf("the digest stays when the dictionary changes (%v)", err)
	}
}

func TestOldKey(t *testing.T) {
	plan := compile(t, "entity: sample\nfields: {id: a, part: p, name: n}", nil)
	row := rowOf("p", "2", "n", "名称", "a", "new")
	row.Table.Key = []int{2, 0}
	row.Op = connectors.OpUpdate
	m := mapperFor(t, plan, row.Table)
	result := m.Map(row)
	if _, ok := m.OldKey(row); ok {
		t.Error("a row that does not tell its old key has one")
	}
	row.Old = []connectors.Value{text(" old "), connectors.Int(1)}
	key, ok := m.OldKey(row)
	if !ok || string(key) != "old\x1f1" || string(result.Key) != "new\x1f2" {
		t.Errorf("got %q, %v beside %q", key, ok, result.Key)
	}
	row.Old = []connectors.Value{text(""), connectors.Int(1)}
	if key, ok := m.OldKey(row); ok {
		t.Errorf("an old key that is null gives %q", key)
	}
	row.Table.Key = []int{2}
	row.Old = row.Old[:1]
	if _, ok := mapperFor(t, plan, row.Table).OldKey(row); ok {
		t.Error("the source's key does not hold the entity's, and yet there is an old key")
	}
}

func TestMapTellsWhatARowBecame(t *testing.T) {
	plan := compile(t, small, smallCodes(t))
	row := rowOf("a", "A", "p", "1", "s", "01", "n1", "", "n2", "名称")
	m := mapperFor(t, plan, row.Table)
	r := m.Map(row)
	if got, want := outcome(r), `{"id":"A","part":1,"name":"名称","state":"1"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if r.Digest == 0 {
		t.Error("an accepted row has no digest")
	}
	row.Values[2] = text("9")
	if r := m.Map(row); r.Outcome != Filtered || string(r.Key) != "A\x1f1" || r.Value != nil || r.Digest != 0 {
		t.Errorf("filtered: %+v", r)
	}
	row.Values = row.Values[:1]
	if got, want := outcome(m.Map(row)), "part required"; got != want {
		t.Errorf("a ragged row: got %s, want %s", got, want)
	}
	row.Op = connectors.OpDelete
	if got, want := outcome(m.Map(row)), "part required"; got != want {
		t.Errorf("a delete without its key: got %s, want %s", got, want)
	}
}

func TestConditionThatCannotBeComputed(t *testing.T) {
	plan := compile(t, "entity: sample\nwhen: 'n > 3'\nfields: {id: a, part: p}", nil)
	row := rowOf("a", "A", "p", "1", "n", "many")
	m := mapperFor(t, plan, row.Table)
	if got, want := outcome(m.Map(row)), " when"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	row.Values[2] = connectors.Int(4)
	if got, want := outcome(m.Map(row)), `{"id":"A","part":1}`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	row.Values[2] = connectors.Int(3)
	if got := m.Map(row).Outcome; got != Filtered {
		t.Errorf("got %s, want filtered", got)
	}
}

// Expressions see columns as nil, text, int, float and bool, by any name, and cannot see the clock.
func TestExpressions(t *testing.T) {
	tests := []struct {
		name, expression string
		value            connectors.Value
		want             string
	}{
		{"a text", `列 + "!"`, text(" 打通 "), `"打通!"`},
		{"a null word is nil", `列 == nil ? "none" : 列`, text("NULL"), `"none"`},
		{"a name that is no word", `row["列"] ?? "x"`, connectors.Null(), `"x"`},
		{"an integer", `列 * 2`, connectors.Int(21), `"42"`},
		{"a float", `列 / 4`, connectors.Float(1), `"0.25"`},
		{"a decimal stays exact, as text", `列`, connectors.Decimal([]byte("0.10")), `"0.10"`},
		{"a boolean", `列 ? "是" : "否"`, connectors.Bool(true), `"是"`},
		{"a date", `列 > "2018-01-01" ? "new" : "old"`, connectors.Date(17622), `"new"`},
		{"a date of a text, in China", `date(列)`, text("2018-04-01"), `"2018-03-31T16:00:00Z"`},
		{"local variables", `let x = 列; x + x`, text("a"), `"aa"`},
		{"predicates", `filter(split(列, ","), # != "b") | join("")`, text("a,b,c"), `"ac"`},
		{"a result that is no value", `{"a": 列}`, text("a"), "note expr"},
		{"an error", `列 + 1`, text("a"), "note expr"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Field{Element: "note", Expr: tt.expression}
			one := "1"
			spec := &Spec{Entity: "sample", Fields: []Field{{Element: "id", Value: &one}, {Element: "part", Value: &one}, f}}
			plan, err := Compile(spec, testDictionary(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plan.Columns(), []string{"列"}); diff != "" {
				t.Fatal(diff)
			}
			row := &connectors.Row{Table: &connectors.Table{Columns: []connectors.Column{{Name: "列"}}}, Op: connectors.OpInsert, Values: []connectors.Value{tt.value}}
			got := outcome(mapperFor(t, plan, row.Table).Map(row))
			if want := `{"id":"1","part":1,"note":` + tt.want + "}"; got != want && got != tt.want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestAppendRowKey(t *testing.T) {
	row := rowOf("a", "A", "b", "", "c", "C")
	row.Values[1] = connectors.Null()
	if got, want := string(AppendRowKey([]byte("k"), row, []int{2, 1, 0, 7})), "kC\x1f\x00\x1fA\x1f\x00"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDescribe(t *testing.T) {
	plan := compile(t, small+"  amount: {from: m, unit: 万元}\n  born: {from: d, layouts: [yyyyMMdd]}\n", smallCodes(t))
	want := `sample (样例)
  when s != "9"
  id ← a  [主键, 0..20 字]
  part ← p → 半角  [主键, 整数]
  name ← n1 | n2  [2..10 字]
  state ← s → 半角 → 对照表 states  [0..2 字, 代码集 sample_state]
  amount ← m → 半角 → 万元 → 元  [数字, 12 位，小数 2 位, 0..]
  born ← d → 半角 → 格式 yyyyMMdd  [日期, 1850-01-01..]
`
	if diff := cmp.Diff(plan.Describe("zh"), want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	plan = compile(t, `
entity: sample
fields:
  id: {value: x, default: y}
  part: {expr: p + 1}
  reason: {concat: [a, {text: "/"}], separator: "-"}
  credit: {from: c, nulls: ["-"], width: 18}
  states: {from: m, separator: ";"}
  until: u
`, nil)
	want = `sample (Sample)
  id ← "x" → default "y"  [key, 0..20 characters]
  part ← p + 1 → half-width  [key, integer]
  reason ← a + "/"  [required by state]
  credit ← c → ["-"] are null → half-width → zeros up to 18 digits → canonical uscc  [format uscc]
  until ← u → half-width  [date, not before born]
  states ← m → parted by ";" → half-width  [code set sample_state]
`
	if diff := cmp.Diff(plan.Describe("en"), want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	if len(plan.Steps()) != 6 {
		t.Errorf("got %d steps", len(plan.Steps()))
	}
}

func TestCompileChecksASpecBuiltInGo(t *testing.T) {
	spec := &Spec{Entity: "sample", Fields: []Field{
		{Element: "id", From: []string{"a"}}, {Element: "id", From: []string{"b"}}, {Element: "part"},
	}}
	_, err := Compile(spec, testDictionary(t), nil)
	var p *connectors.Problem
	if problems := joined(t, err); len(problems) != 2 || !errors.As(err, &p) {
		t.Errorf("got %v", problems)
	}
}
