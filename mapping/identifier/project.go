package identifier

import "github.com/datong-dx/datong/connectors"

// investProjectCode keeps its hyphens: with them it is the 24 characters that specifications give.
var investProjectCode = &Format{
	Name:     "invest_project_code",
	Title:    connectors.Text{Zh: "投资项目统一代码", En: "Unified code of an investment project"},
	Standard: "practice",
	Layout: connectors.Text{
		Zh: "年月 4 - 地区（部门）6 - 行业 2 - 项目类型 2 - 流水号 6，含连字符共 24 位",
		En: "year and month 4 - division or ministry 6 - industry 2 - project type 2 - sequence 6, 24 characters with the hyphens",
	},
	Check:     checkInvestProjectCode,
	Normalise: normaliseInvestProjectCode,
}

var (
	errProjectLength    = reason(RuleLength, "投资项目统一代码应为 24 位（含 4 个连字符）", "an investment project code has 24 characters, 4 of them hyphens")
	errProjectCharacter = reason(RuleCharacter, "投资项目统一代码应为 4-6-2-2-6 位数字", "an investment project code is digits in groups of 4-6-2-2-6")
	errProjectDate      = reason(RuleDate, "投资项目统一代码的月份应为 01 至 12", "the month in an investment project code is 01 to 12")
)

// projectHyphens are the places of the hyphens in the canonical form.
var projectHyphens = [4]int{4, 11, 14, 17}

func checkInvestProjectCode(b []byte) error {
	if len(b) != 24 {
		return errProjectLength
	}
	from := 0
	for _, at := range projectHyphens {
		if b[at] != '-' || !digits(b[from:at]) {
			return errProjectCharacter
		}
		from = at + 1
	}
	if !digits(b[from:]) {
		return errProjectCharacter
	}
	if month := pair(b[2:]); month < 1 || month > 12 {
		return errProjectDate
	}
	return nil
}

func normaliseInvestProjectCode(dst, src []byte) []byte {
	at := len(dst)
	dst = compact(dst, src)
	if len(dst)-at != 20 || !digits(dst[at:]) {
		return dst
	}
	dst = append(dst, "    "...)
	b := dst[at:]
	copy(b[18:], b[14:20])
	copy(b[15:17], b[12:14])
	copy(b[12:14], b[10:12])
	copy(b[5:11], b[4:10])
	for _, h := range projectHyphens {
		b[h] = '-'
	}
	return dst
}
