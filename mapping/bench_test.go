package mapping

import (
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// enterprises is a mapping of a business register: twelve columns and two constants.
const enterprises = `
entity: legal_entity
fields:
  uscc: TYSHXYDM
  org_name: QYMC
  ent_type: QYLX
  legal_rep_name: FDDBR
  reg_capital: {from: ZCZB, unit: 万元}
  reg_capital_currency: {value: "156"}
  est_date: {from: CLRQ, layouts: [yyyyMMdd, yyyy-MM-dd]}
  approve_date: HZRQ
  reg_status: {from: YWZT, codes: reg_status}
  reg_authority: DJJG
  address: ZS
  region_code: XZQH
  industry_code: HYDM
  industry_edition: {value: "2017"}
`

// enterpriseRow is a row of that register, about an invented enterprise.
var enterpriseRow = []string{
	"TYSHXYDM", "91110101MA0000015M", "QYMC", "北京打通数据交换有限公司", "QYLX", "1100", "FDDBR", "张打通",
	"ZCZB", "1000.50", "CLRQ", "20180401", "HZRQ", "2024-03-15", "YWZT", "K", "DJJG", "110101000",
	"ZS", "北京市东城区示例大街一号院二号楼三层", "XZQH", "110101", "HYDM", "I6510",
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
	p, err := Compile(parseSpec(tb, text), dictionary.Builtin(), codes)
	if err != nil {
		tb.Fatal(err)
	}
	return p
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

func mapperFor(tb testing.TB, p *Plan, row *connectors.Row) *Mapper {
	tb.Helper()
	b, err := p.Bind(row.Table)
	if err != nil {
		tb.Fatal(err)
	}
	return b.NewMapper()
}

func enterpriseMapper(tb testing.TB) (*Mapper, *connectors.Row) {
	row := rowOf(enterpriseRow...)
	return mapperFor(tb, compile(tb, enterprises, statusCodes(tb)), row), row
}

func BenchmarkMap12(b *testing.B) {
	m, row := enterpriseMapper(b)
	if r := m.Map(row); r.Outcome != Accepted {
		b.Fatalf("refused: %+v", r.Violations)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Map(row)
	}
}

func BenchmarkDecode12(b *testing.B) {
	m, row := enterpriseMapper(b)
	record := append([]byte(nil), m.Map(row).Value...)
	e := m.bound.plan.entity
	d, dst := NewDecoder(e), make([]connectors.Value, len(e.Elements))
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(record, dst); err != nil {
			b.Fatal(err)
		}
	}
}
