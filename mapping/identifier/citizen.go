package identifier

import (
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/civil"
)

// citizenID: 18 characters; the 15-digit form of before 1999 is brought to 18 by Normalise.
var citizenID = &Format{
	Name:     "citizen_id",
	Title:    connectors.Text{Zh: "公民身份号码", En: "Citizen identification number"},
	Standard: "GB 11643-1999",
	Layout: connectors.Text{
		Zh: "地址码 6 + 出生日期码 8 + 顺序码 3（奇数为男）+ 校验码 1（ISO 7064 MOD 11-2）；含港澳台居民居住证（81、82、83）和外国人永久居留身份证（9 开头）；15 位旧号补全为 18 位",
		En: "division 6 + date of birth 8 + sequence 3 (odd: male) + check character 1 (ISO 7064 MOD 11-2); also residence permits of Hong Kong, Macao and Taiwan (81, 82, 83) and of foreigners (first digit 9); an old number of 15 digits is completed to 18",
	},
	Check:     checkCitizenID,
	Normalise: normaliseCitizenID,
}

var (
	errCitizenLength    = reason(RuleLength, "公民身份号码应为 18 位（或可补全的 15 位旧号）", "a citizen identification number has 18 characters (or 15 of the old form that can be completed)")
	errCitizenCharacter = reason(RuleCharacter, "公民身份号码前 17 位应为数字，末位为数字或 X", "a citizen identification number is 17 digits and a digit or X")
	errCitizenRegion    = reason(RuleRegion, "公民身份号码的地址码不以省级代码开头", "the division in the citizen identification number does not begin with the code of a province")
	errCitizenDate      = reason(RuleDate, "公民身份号码中的出生日期不存在", "the date of birth in the citizen identification number is no day of the calendar")
	errCitizenCheck     = reason(RuleCheck, "公民身份号码的校验码与前 17 位不符", "the check character of the citizen identification number does not agree with the first 17")
)

// citizenWeights[i] is 2^(17−i) mod 11.
var citizenWeights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

func checkCitizenID(b []byte) error {
	switch {
	case len(b) != 18:
		return errCitizenLength
	case !digits(b[:17]) || b[17] != 'X' && (b[17] < '0' || b[17] > '9'):
		return errCitizenCharacter
	case !citizenRegion(b):
		return errCitizenRegion
	case !birthDate(pair(b[6:])*100+pair(b[8:]), pair(b[10:]), pair(b[12:])):
		return errCitizenDate
	case b[17] != citizenCheck(b):
		return errCitizenCheck
	}
	return nil
}

// citizenCheck computes the 18th character from the first 17.
func citizenCheck(b []byte) byte {
	sum := 0
	for i, w := range citizenWeights {
		sum += int(b[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

// citizenRegion looks at the province only: the rest is the division of the first registration, which may be long
// abolished. A foreigner's number is 9 and the province that accepted the application; 83 stands for Taiwan.
func citizenRegion(b []byte) bool {
	if b[0] == '9' {
		b = b[1:]
	}
	p := pair(b)
	return isProvince[p] || p == 83
}

// birthDate takes years from 1800, because the first numbers went to people born then.
func birthDate(year, month, day int) bool {
	return year >= 1800 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= civil.DaysIn(year, month)
}

// normaliseCitizenID completes an old number: 19 before the year, the check character at the end. Sequences 996 to 999
// were kept for people over a hundred, whose century is open, so those are left for Check to refuse.
func normaliseCitizenID(dst, src []byte) []byte {
	at := len(dst)
	dst = compact(dst, src)
	old := dst[at:]
	if len(old) != 15 || !digits(old) || old[12] == '9' && old[13] == '9' && old[14] >= '6' {
		return dst
	}
	dst = append(dst, 0, 0, 0)
	b := dst[at:]
	copy(b[8:17], b[6:15])
	b[6], b[7] = '1', '9'
	b[17] = citizenCheck(b)
	return dst
}
