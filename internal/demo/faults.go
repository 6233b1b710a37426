package demo

import (
	"strings"

	"github.com/datong-dx/datong/connectors"
)

// Fault is one way in which departments' rows really go wrong, and the rule of the dictionary that finds it.
type Fault struct {
	Department, Pipeline string // where such rows come from
	Entity               string // that the row would have become
	Element, Rule        string // by which it is refused
	Title                connectors.Text

	sheet *sheet
	spoil func(row)
}

// Faults are the kinds of wrong rows that the demonstration makes.
var Faults = []Fault{
	inRegister("uscc", "format.uscc.check", "校验码抄错", "a check character copied wrongly",
		func(r row) { r.set("TYSHXYDM", miscopied(r.get("TYSHXYDM"))) }),
	inRegister("uscc", "exponent", "代码被电子表格改成科学计数法", "a code that a spreadsheet turned into 9.11403E+17",
		func(r row) { r.set("TYSHXYDM", "9.11403E+17") }),
	inRegister("uscc", "format.uscc.character", "数字 0 写成字母 O", "the letter O typed for zero",
		func(r row) { r.set("TYSHXYDM", strings.Replace(r.get("TYSHXYDM"), "0", "O", 1)) }),
	inRegister("est_date", "type", "日期不存在（2 月 30 日）", "a day that never was: 30 February", func(r row) { r.set("CLRQ", "20190230") }),
	inRegister("reg_status", "crosswalk", "对照表中没有的状态“清算”", "a status that the crosswalk does not know", func(r row) { r.set("YWZT", "清算") }),
	inRegister("org_name", "required", "名称为空", "no name", func(r row) { r.set("QYMC", "") }),
	inRegister("region_code", "codeset", "行政区划代码不存在", "a division that does not exist", func(r row) { r.set("XZQH", "140399") }),

	inTax("industry_code", "crosswalk", "行业代码丢了前导零（0111 成了 111）", "a leading zero lost: 0111 became 111", func(r row) { r.set("HY_DM", "111") }),
	inTax("reg_capital", "type", "金额里写了单位", "a unit inside an amount", func(r row) { r.set("ZCZB", "50万元") }),
	inTax("est_date", "type", "日期不存在（2 月 30 日）", "a day that never was: 30 February", func(r row) { r.set("KYSLRQ", "2019/2/30 0:00:00") }),
	inTax("uscc", "format.uscc.length", "代码少一位", "a code that lost a character", func(r row) { r.set("NSRSBH", r.get("NSRSBH")[:17]) }),
	inTax("address", "required", "地址为空", "no address", func(r row) { r.set("SCJYDZ", "") }),

	inBureau(itemSheet, "service-items", "service_item", "item_type", "crosswalk", "事项类型丢了前导零（01 成了 1）", "a leading zero lost: 01 became 1",
		func(r row) { r.set("SXLX", "1") }),
	inBureau(applicationSheet, "cases", "case_application", "agent_mobile", "exponent", "手机号被电子表格改成科学计数法", "a mobile number that became 1.54E+10",
		func(r row) { r.set("LXRSJ", "1.54E+10") }),
	inBureau(applicationSheet, "cases", "case_application", "applicant_name", "required", "申请者为空", "no applicant", func(r row) { r.set("SQRMC", "") }),
	inBureau(applicationSheet, "cases", "case_application", "applicant_doc_type", "crosswalk", "对照表中没有的证件类型", "a document type that the crosswalk does not know",
		func(r row) { r.set("SQRZJLX", "7") }),
	inBureau(acceptanceSheet, "cases", "case_acceptance", "accepted_at", "not_before", "受理时间早于申请时间", "accepted before it was applied for",
		func(r row) { r.set("SLSJ", "20150101090000") }),
	inBureau(conclusionSheet, "cases", "case_result", "conclusion", "crosswalk", "对照表中没有的办结结果", "a conclusion that the crosswalk does not know",
		func(r row) { r.set("BJJG", "9") }),
	inBureau(conclusionSheet, "cases", "case_result", "concluded_at", "type", "时间不存在（25 时）", "a time that never was: 25 o'clock",
		func(r row) { r.set("BJSJ", r.get("BJSJ")[:8]+"250000") }),
}

func inRegister(element, rule, zh, en string, spoil func(row)) Fault {
	return Fault{Register, "enterprises", "legal_entity", element, rule, connectors.Text{Zh: zh, En: en}, registerSheet, spoil}
}

func inTax(element, rule, zh, en string, spoil func(row)) Fault {
	return Fault{Tax, "taxpayers", "legal_entity", element, rule, connectors.Text{Zh: zh, En: en}, taxSheet, spoil}
}

func inBureau(s *sheet, pipeline, entity, element, rule, zh, en string, spoil func(row)) Fault {
	return Fault{Approval, pipeline, entity, element, rule, connectors.Text{Zh: zh, En: en}, s, spoil}
}

// quirks are oddities that mapping puts right: rows that look wrong and are not.
var quirks = map[*sheet][]func(row){
	registerSheet: {
		func(r row) { r.set("TYSHXYDM", fullWidth(r.get("TYSHXYDM"))) },
		func(r row) { r.set("TYSHXYDM", strings.ToLower(r.get("TYSHXYDM"))) },
		func(r row) { r.set("XZQH", r.get("XZQH")+"  ") },
		func(r row) { r.set("JYFW", "无") },
	},
	taxSheet: {
		func(r row) { r.set("NSRZT_DM", fullWidth(r.get("NSRZT_DM"))) },
		func(r row) { r.set("NSRSBH", r.get("NSRSBH")[:8]+"-"+r.get("NSRSBH")[8:]) },
		func(r row) { r.set("HY_DM", " "+r.get("HY_DM")) },
	},
	applicationSheet: {
		func(r row) { r.set("SQRLX", fullWidth(r.get("SQRLX"))) },
	},
}

// fullWidth writes ASCII the way a Chinese input method does.
func fullWidth(s string) string {
	return strings.Map(func(c rune) rune {
		if c > ' ' && c < 0x7F {
			return c - '!' + '！'
		}
		return c
	}, s)
}
