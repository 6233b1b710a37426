package identifier

import "github.com/datong-dx/datong/connectors"

// uscc: 18 characters, of which the last is (31 − Σ Cᵢ·3^(i−1) mod 31) mod 31.
var uscc = &Format{
	Name:     "uscc",
	Title:    connectors.Text{Zh: "统一社会信用代码", En: "Unified social credit code"},
	Standard: "GB 32100-2015",
	Layout: connectors.Text{
		Zh: "登记管理部门 1 + 机构类别 1 + 登记管理机关行政区划 6 + 主体标识码 9 + 校验码 1（MOD 31）；字符为 0-9 和 A-Y，不用 I、O、S、V、Z",
		En: "registering authority 1 + kind of organisation 1 + division of the registrar 6 + organisation code 9 + check character 1 (MOD 31); characters 0-9 and A-Y without I, O, S, V, Z",
	},
	Check:     checkUSCC,
	Normalise: compact,
}

var (
	errUSCCLength    = reason(RuleLength, "统一社会信用代码应为 18 位", "a unified social credit code has 18 characters")
	errUSCCCharacter = reason(RuleCharacter, "统一社会信用代码只能由数字和大写字母组成，且不用 I、O、S、V、Z", "a unified social credit code consists of digits and capital letters other than I, O, S, V, Z")
	errUSCCRegion    = reason(RuleRegion, "统一社会信用代码第 3 至 8 位应为行政区划数字", "characters 3 to 8 of a unified social credit code are the digits of a division")
	errUSCCCheck     = reason(RuleCheck, "统一社会信用代码的校验码与前 17 位不符", "the check character of the unified social credit code does not agree with the first 17")
)

const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// usccValue gives each character's value, or −1. usccWeights[i] is 3^i mod 31.
var (
	usccValue   = values(usccAlphabet)
	usccWeights = [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}
)

func values(alphabet string) (v [256]int8) {
	for i := range v {
		v[i] = -1
	}
	for i := range len(alphabet) {
		v[alphabet[i]] = int8(i)
	}
	return v
}

func checkUSCC(b []byte) error {
	if len(b) != 18 {
		return errUSCCLength
	}
	sum := 0
	for i, w := range usccWeights {
		v := usccValue[b[i]]
		if v < 0 {
			return errUSCCCharacter
		}
		sum += int(v) * w
	}
	last := usccValue[b[17]]
	switch {
	case last < 0:
		return errUSCCCharacter
	case !digits(b[2:8]):
		return errUSCCRegion
	case int(last) != (31-sum%31)%31:
		return errUSCCCheck
	}
	return nil
}
