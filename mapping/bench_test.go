package mapping

import (
	"strings"
	"testing"

	"github.com/datong-dx/datong/connectors"
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

// statusCodes translates that register's status codes.
const statusCodes = "source_code,standard_code,valid_from,valid_to,note\n" +
	"K,1,,,开业\nD,2,,,吊销\nX,3,,2019-12-31,注销\nX,4,2020-01-01,,迁出\n"

func enterpriseMapper(tb testing.TB) (*Mapper, *connectors.Row) {
	tb.Helper()
	row := rowOf(enterpriseRow...)
	codes := map[string]*Crosswalk{"reg_status": readCrosswalk(tb, statusCodes)}
	return mapperFor(tb, compile(tb, enterprises, codes), row.Table), row
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

// BenchmarkMapExpression is BenchmarkMap12 with the status by an expression.
func BenchmarkMapExpression(b *testing.B) {
	row := rowOf(enterpriseRow...)
	text := strings.Replace(enterprises, "{from: YWZT, codes: reg_status}", `{expr: 'YWZT in ["K", "开业"] ? "1" : "9"'}`, 1)
	m := mapperFor(b, compile(b, text, nil), row.Table)
	if r := m.Map(row); r.Outcome != Accepted {
		b.Fatalf("refused: %s", outcome(r))
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

// An accepted row costs no allocation once the mapper has warmed up; neither does reading the record back.
func TestAcceptedRowsCostNoAllocation(t *testing.T) {
	m, row := enterpriseMapper(t)
	if r := m.Map(row); r.Outcome != Accepted {
		t.Fatalf("refused: %s", outcome(r))
	}
	if n := testing.AllocsPerRun(1000, func() { m.Map(row) }); n != 0 {
		t.Errorf("mapping allocates %v times", n)
	}
	record := append([]byte(nil), m.Map(row).Value...)
	e := m.bound.plan.entity
	d, dst := NewDecoder(e), make([]connectors.Value, len(e.Elements))
	if n := testing.AllocsPerRun(1000, func() { _ = d.Decode(record, dst) }); n != 0 {
		t.Errorf("decoding allocates %v times", n)
	}
}
