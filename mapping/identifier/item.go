package identifier

import "github.com/datong-dx/datong/connectors"

// The codes of government service items nest: a base code stands in every implementation code, and that in every
// handling item's code.
var (
	itemBaseCode = &Format{
		Name:     "item_base_code",
		Title:    connectors.Text{Zh: "政务服务事项基本编码", En: "Service item base code"},
		Standard: "GB/T 39554.1-2020",
		Layout: connectors.Text{
			Zh: "区划 2（00 为国家统一）+ 事项类型 2 + 中央业务指导部门 2 + 主项 3 + 子项 3，共 12 位",
			En: "division 2 (00: the whole country) + item type 2 + guiding ministry 2 + main item 3 + sub-item 3, 12 characters",
		},
		Check:     checkItemBaseCode,
		Normalise: compact,
	}
	itemImplCode = &Format{
		Name:     "item_impl_code",
		Title:    connectors.Text{Zh: "政务服务事项实施编码", En: "Service item implementation code"},
		Standard: "GB/T 39554.1-2020",
		Layout: connectors.Text{
			Zh: "实施主体统一社会信用代码 18 + 行使层级 1 + 基本编码 12，共 31 位",
			En: "unified social credit code of the implementing body 18 + level of exercise 1 + base code 12, 31 characters",
		},
		Check:     checkItemImplCode,
		Normalise: compact,
	}
	handlingItemCode = &Format{
		Name:     "handling_item_code",
		Title:    connectors.Text{Zh: "业务办理项编码", En: "Handling item code"},
		Standard: "GB/T 39554.1-2020",
		Layout: connectors.Text{
			Zh: "实施编码 31 + 顺序号 2，共 33 位",
			En: "implementation code 31 + sequence 2, 33 characters",
		},
		Check:     checkHandlingItemCode,
		Normalise: compact,
	}
)

var (
	errBaseLength    = reason(RuleLength, "基本编码应为 12 位", "an item base code has 12 characters")
	errBaseCharacter = reason(RuleCharacter, "基本编码前 4 位应为数字，其余为数字或大写字母", "an item base code begins with 4 digits and goes on with digits or capital letters")
	errBaseRegion    = reason(RuleRegion, "基本编码前两位应为 00 或省级代码", "an item base code begins with 00 or the code of a province")
	errImplLength    = reason(RuleLength, "实施编码应为 31 位", "an item implementation code has 31 characters")
	errImplLevel     = reason(RuleLevel, "实施编码第 19 位应为行使层级 1 至 7", "character 19 of an item implementation code is a level of exercise from 1 to 7")
	errHandlingLen   = reason(RuleLength, "业务办理项编码应为 33 位", "a handling item code has 33 characters")
	errHandlingSeq   = reason(RuleCharacter, "业务办理项编码末两位应为数字", "a handling item code ends in two digits")
)

func checkItemBaseCode(b []byte) error {
	if len(b) != 12 {
		return errBaseLength
	}
	if !digits(b[:4]) {
		return errBaseCharacter
	}
	for _, c := range b[4:] {
		if orgCodeValue[c] < 0 {
			return errBaseCharacter
		}
	}
	if p := pair(b); p != 0 && !isProvince[p] {
		return errBaseRegion
	}
	return nil
}

func checkItemImplCode(b []byte) error {
	if len(b) != 31 {
		return errImplLength
	}
	if err := checkUSCC(b[:18]); err != nil {
		return err
	}
	if b[18] < '1' || b[18] > '7' {
		return errImplLevel
	}
	return checkItemBaseCode(b[19:])
}

func checkHandlingItemCode(b []byte) error {
	if len(b) != 33 {
		return errHandlingLen
	}
	if !digits(b[31:]) {
		return errHandlingSeq
	}
	return checkItemImplCode(b[:31])
}
