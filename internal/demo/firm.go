package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// firm is an enterprise as one department knows it: each department has its own copy, and they drift apart.
type firm struct {
	number   int
	code     string // unified social credit code
	name     string
	form     form
	person   string // legal representative
	yuan     int64  // registered capital
	founded  time.Time
	approved time.Time
	ends     string // term of operation
	status   status
	place    place
	house    int
	industry industry
	phone    string

	flaw *Fault // what is wrong with the row that stands in the department's system now
}

// form is a legal form: market regulation's code of it, and tax's.
type form struct{ register, tax, suffix string }

var forms = []form{
	{"1130", "173", "有限公司"}, {"1130", "173", "有限公司"}, {"1130", "173", "有限责任公司"},
	{"1190", "159", "有限责任公司"}, {"4540", "171", "（个人独资）"}, {"4530", "172", "（普通合伙）"},
}

// status is whether a firm trades: market regulation's word for it, and tax's code.
type status struct{ register, tax string }

var (
	active       = status{"存续", "03"}
	revoked      = status{"吊销", "05"}
	deregistered = status{"注销", "07"}
)

// place is a county of the city.
type place struct{ region, name string }

var places = []place{{"140302", "城区"}, {"140303", "矿区"}, {"140311", "郊区"}, {"140321", "平定县"}, {"140322", "盂县"}}

// industry is a class of GB/T 4754-2017: the section's letter, the digits, and what firms of it are called.
type industry struct{ section, digits, word, scope string }

var industries = []industry{
	{"I", "6513", "软件", "软件开发"}, {"I", "6531", "信息", "信息系统集成服务"}, {"F", "5211", "百货", "日用百货销售"},
	{"F", "5212", "超市", "食品、日用百货零售"}, {"F", "5251", "医药", "药品零售"}, {"H", "6210", "餐饮", "餐饮服务"},
	{"H", "6110", "酒店", "住宿服务"}, {"G", "5431", "物流", "道路货物运输"}, {"E", "4710", "建筑", "房屋建筑工程施工"},
	{"E", "5011", "装饰", "建筑装饰装修工程"}, {"C", "3011", "水泥", "水泥生产、销售"}, {"L", "7211", "管理", "企业总部管理"},
	{"O", "8010", "家政", "家庭服务"}, {"O", "8111", "汽修", "机动车修理和维护"}, {"A", "0111", "农业", "谷物种植、销售"},
	{"A", "0113", "粮业", "玉米种植、销售"}, {"A", "0141", "蔬菜", "蔬菜种植、销售"}, {"A", "0313", "牧业", "畜禽养殖、销售"},
}

// The characters of a trade name, which is three of them.
var nameCharacters = [3][]rune{
	[]rune("云晨远明恒和泰安瑞启新源华盛佳兴宏达祥润"),
	[]rune("杉川岭溪禾松石岳林帆舟桥星雨月山江田海岸"),
	[]rune("丰隆昌升通正广永信德茂腾飞凯博联创优美康顺利旺"),
}

var (
	surnames   = strings.Split("赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨", "")
	givenNames = []string{"样本", "示例", "演示", "虚构"} // nobody is called so
)

// newFirm invents firm number n.
func newFirm(random *rand.Rand, n int) firm {
	f := firm{
		number: n, form: forms[random.IntN(len(forms))], place: places[random.IntN(len(places))],
		industry: industries[random.IntN(len(industries))], house: 1 + random.IntN(300),
		person: pick(random, surnames) + pick(random, givenNames),
		yuan:   []int64{30_000, 100_000, 500_000, 1_000_000, 2_005_000, 5_000_000, 30_000_000}[random.IntN(7)],
		phone:  fmt.Sprintf("0353-555%04d", n%10_000), ends: "长期", status: active,
	}
	f.code = uscc("91", f.place.region, n)
	f.name = "阳泉示例" + tradeName(n) + f.industry.word + f.form.suffix
	f.founded = time.Date(1998+random.IntN(27), time.Month(1+random.IntN(12)), 1+random.IntN(28), 0, 0, 0, 0, connectors.ChinaStandardTime)
	f.approved = f.founded.AddDate(0, 0, random.IntN(200))
	if random.IntN(4) == 0 {
		f.ends = f.founded.AddDate(30, 0, -1).Format(time.DateOnly)
	}
	switch random.IntN(40) {
	case 0:
		f.status = deregistered
	case 1:
		f.status = revoked
	}
	return f
}

func tradeName(n int) string {
	name := make([]rune, len(nameCharacters))
	for i, characters := range nameCharacters {
		name[i] = characters[n%len(characters)]
		n /= len(characters)
	}
	return string(name)
}

// exemplar is the firm that the demonstration follows; it is the one of the fixtures.
func exemplar() firm {
	f := firm{
		number: 1, name: "阳泉示例云杉软件有限公司", form: forms[0], place: places[0], industry: industries[0], house: 1,
		person: "赵样本", yuan: 5_000_000, phone: "0353-5550001", ends: "长期", status: active,
		founded:  time.Date(2018, 4, 1, 0, 0, 0, 0, connectors.ChinaStandardTime),
		approved: time.Date(2023, 6, 30, 0, 0, 0, 0, connectors.ChinaStandardTime),
	}
	f.code = uscc("91", f.place.region, f.number)
	return f
}

func (f *firm) address() string {
	return fmt.Sprintf("山西省阳泉市%s示例路%d号", f.place.name, f.house)
}

func pick[T any](random *rand.Rand, list []T) T { return list[random.IntN(len(list))] }
