package identifier

import "github.com/datong-dx/datong/connectors"

// orgCode: 8 characters and 11 − (Σ Cᵢ·Wᵢ mod 11), where 10 is written X and 11 is written 0.
var orgCode = &Format{
	Name:     "org_code",
	Title:    connectors.Text{Zh: "组织机构代码", En: "Organisation code"},
	Standard: "GB 11714-1997",
	Layout: connectors.Text{
		Zh: "本体代码 8 位（数字或大写字母）+ 校验码 1 位（MOD 11，数字或 X）；连字符不计",
		En: "8 digits or capital letters + check character 1 (MOD 11, a digit or X); written without the hyphen",
	},
	Check:     checkOrgCode,
	Normalise: compact,
}

var (
	errOrgCodeLength    = reason(RuleLength, "组织机构代码应为 9 位", "an organisation code has 9 characters")
	errOrgCodeCharacter = reason(RuleCharacter, "组织机构代码只能由数字和大写字母组成，末位为数字或 X", "an organisation code consists of digits and capital letters and ends in a digit or X")
	errOrgCodeCheck     = reason(RuleCheck, "组织机构代码的校验码与前 8 位不符", "the check character of the organisation code does not agree with the first 8")
)

var (
	orgCodeValue   = values("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	orgCodeWeights = [8]int{3, 7, 9, 10, 5, 8, 4, 2}
)

func checkOrgCode(b []byte) error {
	if len(b) != 9 {
		return errOrgCodeLength
	}
	sum := 0
	for i, w := range orgCodeWeights {
		v := orgCodeValue[b[i]]
		if v < 0 {
			return errOrgCodeCharacter
		}
		sum += int(v) * w
	}
	last := b[8]
	switch {
	case last != 'X' && (last < '0' || last > '9'):
		return errOrgCodeCharacter
	case last != "0X987654321"[sum%11]:
		return errOrgCodeCheck
	}
	return nil
}
