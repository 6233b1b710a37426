package mapping_test

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// A department's row of an administrative division becomes a standard record, and another one is refused with its reasons.
func Example() {
	var node yaml.Node
	err := yaml.Unmarshal([]byte(`
entity: division
fields:
  code: DM
  name: MC
  level: {from: JB, default: "3"}
  year: {value: "2023"}
`), &node)
	if err != nil {
		panic(err)
	}
	spec, err := mapping.ParseSpec(&node, "divisions.yaml")
	if err != nil {
		panic(err)
	}
	plan, err := mapping.Compile(spec, dictionary.Builtin(), nil)
	if err != nil {
		panic(err)
	}
	table := &connectors.Table{Name: "xzqh", Columns: []connectors.Column{{Name: "DM"}, {Name: "MC"}, {Name: "JB"}}}
	bound, err := plan.Bind(table)
	if err != nil {
		panic(err)
	}
	mapper := bound.NewMapper()
	for _, cells := range [][]string{{"１１０１０１", " 东城区 ", "3"}, {"1.10101E+5", "", "县"}} {
		row := &connectors.Row{Table: table, Op: connectors.OpInsert}
		for _, c := range cells {
			row.Values = append(row.Values, connectors.String([]byte(c)))
		}
		result := mapper.Map(row)
		if result.Outcome == mapping.Accepted {
			fmt.Println(string(result.Value))
		}
		for _, v := range result.Violations {
			fmt.Printf("%s breaks rule %s: %s\n", v.Column, v.Rule, v.Message.En)
		}
	}
	// Output:
	// {"code":"110101","year":2023,"name":"东城区","level":"3"}
	// DM breaks rule exponent: Division code (code): was turned into scientific notation by a spreadsheet: digits beyond the 15th are lost; try: format the column as text and export it again
	// MC breaks rule required: Name (name): is required and has no value; try: fill it in at the source, or give a default in the mapping
	// JB breaks rule codeset: Level (level): is not in code set division_level; try: translate it by a crosswalk with codes
}
