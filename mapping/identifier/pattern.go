package identifier

import "github.com/datong-dx/datong/connectors"

// Codes whose tables are not public or have several editions: only their shape can be checked.
var (
	entType = &Format{
		Name:     "ent_type",
		Title:    connectors.Text{Zh: "市场主体类型代码", En: "Market entity type code"},
		Standard: "practice",
		Layout:   connectors.Text{Zh: "4 位数字，首位不为 0", En: "4 digits, the first not 0"},
		Check: func(b []byte) error {
			switch {
			case len(b) != 4:
				return errEntTypeLength
			case !digits(b) || b[0] == '0':
				return errEntTypeCharacter
			}
			return nil
		},
		Normalise: compact,
	}
	industryCode = &Format{
		Name:     "industry_code",
		Title:    connectors.Text{Zh: "国民经济行业代码", En: "Industry code"},
		Standard: "GB/T 4754",
		Layout:   connectors.Text{Zh: "门类字母 A 至 T + 2 至 4 位数字（大类、中类、小类）", En: "section letter A to T + 2 to 4 digits (division, group, class)"},
		Check: func(b []byte) error {
			switch {
			case len(b) < 3 || len(b) > 5:
				return errIndustryLength
			case b[0] < 'A' || b[0] > 'T' || !digits(b[1:]):
				return errIndustryCharacter
			}
			return nil
		},
		Normalise: compact,
	}
	postcode = &Format{
		Name:     "postcode",
		Title:    connectors.Text{Zh: "邮政编码", En: "Postal code"},
		Standard: "practice",
		Layout:   connectors.Text{Zh: "6 位数字", En: "6 digits"},
		Check: func(b []byte) error {
			switch {
			case len(b) != 6:
				return errPostcodeLength
			case !digits(b):
				return errPostcodeCharacter
			}
			return nil
		},
		Normalise: compact,
	}
)

var (
	errEntTypeLength     = reason(RuleLength, "市场主体类型代码应为 4 位", "a market entity type code has 4 digits")
	errEntTypeCharacter  = reason(RuleCharacter, "市场主体类型代码应为数字，首位不为 0", "a market entity type code is digits, the first not 0")
	errIndustryLength    = reason(RuleLength, "行业代码应为门类字母加 2 至 4 位数字", "an industry code is a letter and 2 to 4 digits")
	errIndustryCharacter = reason(RuleCharacter, "行业代码应以门类字母 A 至 T 开头，其后为数字", "an industry code begins with a section letter from A to T, digits follow")
	errPostcodeLength    = reason(RuleLength, "邮政编码应为 6 位", "a postal code has 6 digits")
	errPostcodeCharacter = reason(RuleCharacter, "邮政编码只能是数字", "a postal code consists of digits")
)
