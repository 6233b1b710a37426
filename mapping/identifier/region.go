package identifier

import "github.com/datong-dx/datong/connectors"

// region: the shape of a division's code; whether the division exists, and when, is for the code set `division`.
var region = &Format{
	Name:     "region",
	Title:    connectors.Text{Zh: "行政区划代码", En: "Administrative division code"},
	Standard: "GB/T 2260-2007, GB/T 10114-2003",
	Layout: connectors.Text{
		Zh: "省 2 + 市 2 + 县 2，可再加乡镇街道 3、村居 3；末尾成组的 000 去掉",
		En: "province 2 + prefecture 2 + county 2, then township 3 and village 3 where needed; groups of 000 at the end are left out",
	},
	Check:     checkRegion,
	Normalise: normaliseRegion,
}

var (
	errRegionLength    = reason(RuleLength, "行政区划代码应为 6、9 或 12 位", "a division code has 6, 9 or 12 digits")
	errRegionShort     = reason(RuleLength, "行政区划代码只有 2 位或 4 位，缺少末尾的零；应在映射中补足到 6 位", "the division code has only 2 or 4 digits and lacks its zeros; complete it to 6 in the mapping")
	errRegionZeros     = reason(RuleLength, "行政区划代码末尾成组的 000 应去掉", "the division code ends in a group of 000, which is left out")
	errRegionCharacter = reason(RuleCharacter, "行政区划代码只能是数字", "a division code consists of digits")
	errRegionProvince  = reason(RuleRegion, "行政区划代码前两位不是省级代码", "the first two digits of the division code are no province")
	errRegionGap       = reason(RuleRegion, "行政区划代码的上级位为零而下级位不为零", "the division code has a level under one that is zero")
)

// isProvince knows the first two digits of GB/T 2260-2007, with 71, 81 and 82.
var isProvince = func() (is [100]bool) {
	for _, p := range []int{11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46,
		50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82} {
		is[p] = true
	}
	return is
}()

// checkRegion allows a township right under a prefecture, as four prefectures have no counties, and a county right under
// a province, as in Hainan until the nineties.
func checkRegion(b []byte) error {
	switch {
	case len(b) == 2 || len(b) == 4:
		return errRegionShort
	case len(b) != 6 && len(b) != 9 && len(b) != 12:
		return errRegionLength
	case !digits(b):
		return errRegionCharacter
	case !isProvince[pair(b)]:
		return errRegionProvince
	}
	if len(b) > 6 && string(b[len(b)-3:]) == "000" {
		return errRegionZeros
	}
	if len(b) > 6 && string(b[2:6]) == "0000" || len(b) == 12 && string(b[6:9]) == "000" {
		return errRegionGap
	}
	return nil
}

// normaliseRegion gives one place one code, so that the tables of two departments meet: the zeros of lower levels go.
// Zeros that are missing are not made up: a two-digit code may as well be one of another system.
func normaliseRegion(dst, src []byte) []byte {
	at := len(dst)
	dst = compact(dst, src)
	if !digits(dst[at:]) {
		return dst
	}
	for n := len(dst) - at; (n == 9 || n == 12) && string(dst[at+n-3:]) == "000"; n -= 3 {
		dst = dst[:at+n-3]
	}
	return dst
}
