package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// everything maps one column to every element of sample, with most conversions there are.
const everything = `
entity: sample
fields:
  id: c
  part: {from: p}
  name: c
  state: {from: c, codes: states, width: 2}
  reason: {concat: [c, {text: "/"}, c], separator: "-"}
  credit: c
  amount: {from: c, unit: 万元}
  ratio: c
  count: c
  total: c
  born: {from: c, layouts: [yyyy-MM-dd, yyyyMMdd, yyyy/M/d, "yyyy年M月d日", excel, unix, 长期]}
  until: c
  seen: {from: c, layouts: [rfc3339, "yyyy-MM-dd HH:mm:ss", unixms]}
  closed: c
  open: c
  states: {from: c, separator: ";"}
  sizes: {from: c, separator: ","}
  note: {expr: 'c'}
`

// FuzzMap maps arbitrary bytes, as a value of every kind, to every element. A row comes out accepted, and then its record
// reads back and maps to itself, or with violations that tell nothing of the value.
func FuzzMap(f *testing.F) {
	for _, seed := range []string{"2018-04-01", "1,234.50", "9111010 1MA0000015M", "２０１８年４月１日", "a;b；c", "01", "1.40302E+17", "\x1f", "\xff", `["1",2]`, "长期", "00000000", "43191.5", "2018-04-01T12:00:00.123+08:00"} {
		f.Add([]byte(seed), uint8(0), int64(43191))
	}
	walk, err := ReadCrosswalk(strings.NewReader("source_code,standard_code\n01,1\n02,3\n"), "c.csv")
	if err != nil {
		f.Fatal(err)
	}
	plan := compile(f, everything, map[string]*Crosswalk{"states": walk})
	table := &connectors.Table{Columns: []connectors.Column{{Name: "c"}, {Name: "p"}}}
	m, d := mapperFor(f, plan, table), NewDecoder(plan.entity)
	dst := make([]connectors.Value, len(plan.entity.Elements))
	f.Fuzz(func(t *testing.T, b []byte, kind uint8, n int64) {
		row := &connectors.Row{Table: table, Op: connectors.OpInsert, Time: fixtureTime}
		row.Values = []connectors.Value{fuzzValue(b, kind, n), connectors.Int(1)}
		r := m.Map(row)
		if r.Outcome == Refused {
			checkViolations(t, r.Violations, b)
			fuzzElements(t, plan, d, dst, row)
			return
		}
		if !json.Valid(r.Value) {
			t.Fatalf("the record is no JSON: %q", r.Value)
		}
		if err := d.Decode(r.Value, dst); err != nil {
			t.Fatalf("%v: %s", err, r.Value)
		}
	})
}

// fuzzElements maps the value to each element alone, so that one refusal does not hide what another makes of it.
func fuzzElements(t *testing.T, plan *Plan, d *Decoder, dst []connectors.Value, row *connectors.Row) {
	bound, err := plan.Bind(row.Table)
	if err != nil {
		t.Fatal(err)
	}
	m := bound.NewMapper()
	for i := range bound.steps {
		m.begin(row.Values, row.Time)
		m.takeStep(i)
		if m.cells[i].state != cellSet {
			continue
		}
		m.encode()
		name := plan.entity.Elements[bound.steps[i].slot].Name
		if err := d.Decode(m.value, dst); err != nil || !json.Valid(m.value) {
			t.Fatalf("%s: %v: %q", name, err, m.value)
		}
		again := connectors.String(bytes.Clone(m.cells[i].text))
		if s := &bound.steps[i]; s.element.Type == dictionary.String && !s.element.List && s.format == nil && s.walk == nil {
			one := cell{}
			if m.fill(s, again, &one); one.state != cellSet || !bytes.Equal(one.text, again.Bytes()) {
				t.Fatalf("%s: %q maps to %q", name, again.Bytes(), one.text)
			}
		}
	}
}

func fuzzValue(b []byte, kind uint8, n int64) connectors.Value {
	switch kind % 10 {
	case 1:
		return connectors.Bytes(b)
	case 2:
		return connectors.Int(n)
	case 3:
		return connectors.Float(float64(n) / 1000)
	case 4:
		return connectors.Decimal(b)
	case 5:
		return connectors.Date(n)
	case 6:
		return connectors.DateTime(n)
	case 7:
		return connectors.Timestamp(n)
	case 8:
		return connectors.JSON(b)
	case 9:
		return connectors.Bool(n&1 == 1)
	}
	return connectors.String(b)
}

func checkViolations(t *testing.T, list []Violation, b []byte) {
	if len(list) == 0 {
		t.Fatal("refused without a reason")
	}
	public := suspectNulls.has(trim(appendHalfwidth(nil, b))) // words that are nobody's data
	for _, v := range list {
		if v.Rule == "" || v.Message.Zh == "" || v.Message.En == "" {
			t.Errorf("violation without rule or message: %+v", v)
		}
		told := v.Shape + v.Message.Zh + v.Message.En
		if secret := digitsOf(b); len(secret) > 6 && !public && strings.Contains(told, secret) {
			t.Errorf("violation tells the value %q: %+v", b, v)
		}
	}
}

func digitsOf(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, string(b))
}

// FuzzParseSpec parses and compiles arbitrary YAML: it ends in a plan or in problems, never in a panic.
func FuzzParseSpec(f *testing.F) {
	f.Add(everything)
	f.Add(small)
	f.Add(enterprises)
	f.Add("entity: &a sample\nfields: {id: *a, part: {from: [*a, b], nulls: [-, ~]}}")
	f.Add("- a\n- b")
	dict := testDictionary(f)
	f.Fuzz(func(t *testing.T, s string) {
		var n yaml.Node
		if yaml.Unmarshal([]byte(s), &n) != nil {
			return
		}
		spec, err := ParseSpec(&n, "f.yaml")
		if err == nil {
			var plan *Plan
			if plan, err = Compile(spec, dict, nil); err == nil {
				_ = plan.Describe("en")
				return
			}
		}
		var p *connectors.Problem
		if !errors.As(err, &p) || p.What.En == "" {
			t.Errorf("not a problem: %v", err)
		}
	})
}

func FuzzReadCrosswalk(f *testing.F) {
	f.Add("source_code,standard_code,valid_from,valid_to,note\n01,1,2020-01-01,,x\n")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ReadCrosswalk(strings.NewReader(s), "c.csv")
		if err != nil {
			return
		}
		for _, row := range c.Rows {
			if got, known := c.Lookup([]byte(row.Source), row.From); !known || string(got) != row.Standard {
				t.Errorf("row %d: got %q, %v", row.Line, got, known)
			}
		}
	})
}
