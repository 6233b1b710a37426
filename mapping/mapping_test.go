package mapping

import (
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// sampleDictionary is the built-in dictionary with the entity sample of testdata/dictionary.
var sampleDictionary = sync.OnceValues(func() (*dictionary.Dictionary, error) {
	return dictionary.Builtin().Extend("testdata/dictionary")
})

func testDictionary(tb testing.TB) *dictionary.Dictionary {
	tb.Helper()
	d, err := sampleDictionary()
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func parseSpec(tb testing.TB, text string) *Spec {
	tb.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		tb.Fatal(err)
	}
	s, err := ParseSpec(&n, "test.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func compile(tb testing.TB, text string, codes map[string]*Crosswalk) *Plan {
	tb.Helper()
	p, err := Compile(parseSpec(tb, text), testDictionary(tb), codes)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func readCrosswalk(tb testing.TB, text string) *Crosswalk {
	tb.Helper()
	c, err := ReadCrosswalk(strings.NewReader(text), "codes/test.csv")
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// rowOf makes a row, with its table, of names and texts in turn.
func rowOf(pairs ...string) *connectors.Row {
	row := &connectors.Row{Table: &connectors.Table{Name: "t"}, Op: connectors.OpUpsert, Time: fixtureTime}
	for i := 0; i < len(pairs); i += 2 {
		row.Table.Columns = append(row.Table.Columns, connectors.Column{Name: pairs[i]})
		row.Values = append(row.Values, connectors.String([]byte(pairs[i+1])))
	}
	return row
}

func mapperFor(tb testing.TB, p *Plan, t *connectors.Table) *Mapper {
	tb.Helper()
	b, err := p.Bind(t)
	if err != nil {
		tb.Fatal(err)
	}
	return b.NewMapper()
}

// outcome tells in one line what a row became: the record, or the rules that it breaks.
func outcome(r *Result) string {
	switch r.Outcome {
	case Accepted:
		return string(r.Value)
	case Refused:
		var rules []string
		for _, v := range r.Violations {
			rules = append(rules, v.Element+" "+v.Rule)
		}
		return strings.Join(rules, ", ")
	}
	return r.Outcome.String()
}
