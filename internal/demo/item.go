package demo

import (
	"fmt"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// itemSheet is the approval system's table of service items. Its columns are the first letters of the pinyin.
var itemSheet = &sheet{name: "SX_SSQD", columns: []string{
	"ID", "JBBM", "SSBM", "SXMC", "SXLX", "SXZT", "BBH", "SDYJ", "XSCJ", "QLLY", "SSZT", "SSZTBM", "SSZTXZ",
	"FDBJSX", "FDBJSXDW", "CNBJSX", "CNBJSXDW", "CNBJSXSM", "SLTJ", "BLLC", "JGLX", "JGMC", "SFSF", "FWDX", "BJLX",
	"WBSD", "DBSXCCS", "BXXCYY", "TBCX", "SFYY", "SFWSZF", "SFWLKD", "SFWB", "SFZZZD", "SFJZDT", "BLDD", "BLSJ",
	"ZXFS", "JDTS", "SFCG", "GXSJ",
}}

const bureauName = "阳泉市行政审批服务管理局"

// bureauCode is the invented code of the approval bureau.
var bureauCode = uscc("11", "140300", 4)

// item is a service item of the approval bureau.
type item struct {
	number  int
	matter  string
	act     act
	version int
	draft   bool

	flaw *Fault
}

// act is what is done in a matter: its type by the province's list and by the standard, whether it is handled at once,
// and how long the law gives.
type act struct {
	word, provincial, standard string
	atOnce                     bool
	days                       int
	result                     string
}

var acts = []act{
	{"许可", "01", "01", false, 20, "证照"}, {"变更登记", "08", "07", false, 15, "批文"}, {"延续", "01", "01", false, 20, "证照"},
	{"备案", "14", "20", true, 1, "其他"}, {"补发", "14", "20", true, 1, "证照"}, {"注销", "08", "07", true, 5, "批文"},
}

var matters = []string{
	"食品经营", "公共场所卫生", "药品零售", "医疗器械经营", "烟花爆竹零售", "成品油零售", "道路货物运输", "城市建筑垃圾处置",
	"户外广告设置", "占用挖掘道路", "林木采伐", "取水", "排水", "民办学校设立", "劳务派遣", "人力资源服务", "营业性演出",
	"娱乐场所经营", "出版物零售", "印刷经营", "旅行社设立", "拍卖", "特种设备使用", "计量标准考核", "动物防疫条件",
	"农药经营", "种子生产经营", "兽药经营", "燃气经营", "施工",
}

// newItem is item number n of the list: every matter with every act.
func newItem(n int) item {
	return item{number: n + 1, matter: matters[n/len(acts)%len(matters)], act: acts[n%len(acts)], version: 1 + n%4, draft: n%20 == 19}
}

func (it *item) name() string { return it.matter + it.act.word }

// baseCode is made as the standard says: division, type, ministry, main item, sub-item.
func (it *item) baseCode() string {
	return fmt.Sprintf("14%s31%03d%03d", it.act.standard, 1+(it.number-1)/len(acts), 1+(it.number-1)%len(acts))
}

func (it *item) implCode() string { return bureauCode + "3" + it.baseCode() }

// caseType is the system's own: 1 for a promised time, 2 for at once, the reverse of the standard.
func (it *item) caseType() string {
	if it.act.atOnce {
		return "2"
	}
	return "1"
}

func (it *item) row(changed time.Time) row {
	draft := "N"
	if it.draft {
		draft = "Y"
	}
	return itemSheet.newRow(
		fmt.Sprintf("SX%04d", it.number), it.baseCode(), it.implCode(), it.name(), it.act.provincial, "在用", fmt.Sprint(it.version),
		"《山西省"+it.matter+"管理办法（示例）》", "3", "01", bureauName, bureauCode, "1",
		fmt.Sprint(it.act.days), "个工作日", fmt.Sprint((it.act.days+3)/4), "工作日", "", "申请材料齐全，符合法定形式", "申请—受理—审查—决定—送达",
		it.act.result, it.name()+"结果", "否", "1^2^5", it.caseType(), "3^4^5", "0", "", "",
		"是", "否", "是", "是", "否", "是", "阳泉市政务服务中心（示例）", "工作日 9:00-17:00", "0353-5550000", "0353-5550001",
		draft, stamp(changed))
}

// stamp writes a change time as the approval system does: China Standard Time, without saying so.
func stamp(t time.Time) string { return t.In(connectors.ChinaStandardTime).Format(time.DateTime) }
