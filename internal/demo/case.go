package demo

import (
	"fmt"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// The approval system keeps the stages of a case in three tables.
var (
	applicationSheet = &sheet{name: "BJ_SQ", columns: []string{
		"SBLSH", "JBBM", "SSBM", "SXMC", "BBH", "BJLX", "SQRMC", "SQRLX", "SQRZJLX", "SQRZJHM", "FRDB", "LXRSJ", "SBLY", "SQSJ", "XZQH", "SFCS", "GXSJ",
	}}
	acceptanceSheet = &sheet{name: "BJ_SL", columns: []string{
		"SBLSH", "SSBM", "XZQH", "SLDW", "SLDWBM", "SQSJ", "SLSJ", "SLZT", "CNBJSJ", "SFCS", "GXSJ",
	}}
	conclusionSheet = &sheet{name: "BJ_BJ", columns: []string{
		"SBLSH", "SSBM", "SLSJ", "BJSJ", "BJJG", "BJJGMS", "ZZMC", "ZZBH", "FZDW", "SFSF", "SFCS", "GXSJ",
	}}
)

// dossier is a case at the approval bureau: a firm applies for an item, is accepted, gets an answer.
type dossier struct {
	number                       string
	item                         *item
	firm                         firm
	applied, accepted, concluded time.Time
	refused                      bool
	trial                        bool // made for training; it stays in the department

	flaws map[*sheet]*Fault // of the rows of its stages
}

func (d *dossier) applicationRow(changed time.Time) row {
	return applicationSheet.newRow(
		d.number, d.item.baseCode(), d.item.implCode(), d.item.name(), fmt.Sprint(d.item.version), d.item.caseType(),
		d.firm.name, "2", "06", d.firm.code, d.firm.person, mobile(d.firm.number), "2",
		compact(d.applied), d.firm.place.region, d.isTrial(), stamp(changed))
}

func (d *dossier) acceptanceRow(changed time.Time) row {
	return acceptanceSheet.newRow(
		d.number, d.item.implCode(), d.firm.place.region, bureauName, bureauCode, compact(d.applied), compact(d.accepted), "受理",
		compact(d.accepted.AddDate(0, 0, d.item.act.days)), d.isTrial(), stamp(changed))
}

func (d *dossier) conclusionRow(changed time.Time) row {
	code, note := "0", "准予"+d.item.name()
	if d.refused {
		code, note = "1", "不符合法定条件"
	}
	return conclusionSheet.newRow(
		d.number, d.item.implCode(), compact(d.accepted), compact(d.concluded), code, note,
		d.item.name()+"证明", "示例字第"+d.number+"号", bureauName, "否", d.isTrial(), stamp(changed))
}

// mobile invents a mobile number, of a prefix that no network uses.
func mobile(n int) string { return fmt.Sprintf("154%08d", n) }

func (d *dossier) isTrial() string {
	if d.trial {
		return "Y"
	}
	return "N"
}

// compact writes a time as the approval system keeps it: 20250901093000.
func compact(t time.Time) string { return t.In(connectors.ChinaStandardTime).Format("20060102150405") }
