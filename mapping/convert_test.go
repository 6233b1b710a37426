package mapping

import (
	"math"
	"strings"
	"testing"

	"github.com/datong-dx/datong/connectors"
)

// converted maps one value to one element of sample and returns its JSON, "absent", or the rule that it breaks.
func converted(t *testing.T, field string, v connectors.Value) string {
	t.Helper()
	element, options, _ := strings.Cut(field, " ")
	text := "entity: sample\nfields:\n  id: {value: x}\n  part: {value: '1'}\n  " + element + ": {from: c" + options + "}\n"
	if element == "id" {
		text = strings.Replace(text, "  id: {value: x}\n", "", 1)
	}
	codes := map[string]*Crosswalk{
		"states": readCrosswalk(t, "source_code,standard_code,valid_from,valid_to\n01,1,,\n02,2,,2019-12-31\n02,3,2020-01-01,\nA,9,,2000-01-01\n"),
		"truth":  readCrosswalk(t, "source_code,standard_code\n有,true\n没有,false\n"),
	}
	row := &connectors.Row{
		Table: &connectors.Table{Columns: []connectors.Column{{Name: "c"}}},
		Op:    connectors.OpInsert, Values: []connectors.Value{v}, Time: fixtureTime,
	}
	r := mapperFor(t, compile(t, text, codes), row.Table).Map(row)
	if r.Outcome == Refused {
		for _, violation := range r.Violations {
			if violation.Message.Zh == "" || violation.Message.En == "" || violation.Column != "c" {
				t.Errorf("violation lacks a message or its column: %+v", violation)
			}
		}
		_, rule, _ := strings.Cut(outcome(r), " ")
		return "!" + rule
	}
	_, after, found := strings.Cut(string(r.Value), `"`+element+`":`)
	if !found {
		return "absent"
	}
	if end := strings.Index(after, `,"`); end >= 0 && after[0] != '[' {
		return after[:end]
	}
	return strings.TrimSuffix(after, "}")
}

func text(s string) connectors.Value { return connectors.String([]byte(s)) }

func TestConversions(t *testing.T) {
	const micros = 1_522_557_000_123_400 // 2018-04-01T12:30:00.1234+08:00
	tests := []struct {
		name  string
		field string // element, and further keys of its field
		value connectors.Value
		want  string // JSON, absent, or !rule
	}{
		// Texts.
		{"a text stands as it is", "note", text("打通 A，b"), `"打通 A，b"`},
		{"ASCII space, tab, NBSP and U+3000 are trimmed", "note", text(" \t\u00a0\u3000名\u3000称\u00a0 \r\n"), `"名　称"`},
		{"a name keeps its full-width forms", "name", text("Ａ公司（一）"), `"Ａ公司（一）"`},
		{"quotes, backslashes and control characters are escaped", "note", text("a\"b\\c\nd\te\x01<&>\u2028"), `"a\"b\\c\nd\te\u0001<&>` + "\u2028\""},
		{"length counts characters, not bytes", "name", text("一二三四五六七八九十"), `"一二三四五六七八九十"`},
		{"one character too many is refused", "name", text("一二三四五六七八九十一"), "!length"},
		{"too few characters are refused", "name", text("一"), "!length"},
		{"a rare character of four bytes is one character", "name", text("𠮷野家"), `"𠮷野家"`},
		{"invalid UTF-8 is refused", "note", connectors.Bytes([]byte{0xB4, 0xF3}), "!encoding"},
		{"a replacement character is refused", "note", text("a\uFFFDb"), "!encoding"},
		{"U+0000 is refused", "note", text("a\x00b"), "!encoding"},
		{"a surrogate written as UTF-8 is refused", "note", text("\xed\xa0\x80"), "!encoding"},
		{"bytes that are UTF-8 are a text", "note", connectors.Bytes([]byte(" 打通 ")), `"打通"`},
		{"a number becomes its digits", "note", connectors.Int(-42), `"-42"`},
		{"a float becomes its shortest digits without exponent", "note", connectors.Float(1e6), `"1000000"`},
		{"a float that has lost digits is refused", "note", connectors.Float(1.40302e17), "!exponent"},
		{"a float that is no number is refused", "note", connectors.Float(math.NaN()), "!type"},
		{"a JSON object is refused", "note", connectors.JSON([]byte(`{"a":1}`)), "!type"},
		{"a boolean becomes a word", "note", connectors.Bool(true), `"true"`},
		{"a date becomes its text", "note", connectors.Date(17622), `"2018-04-01"`},

		// Null words.
		{"null is absent", "note", connectors.Null(), "absent"},
		{"a value that is not there is absent", "note", connectors.Value{}, "absent"},
		{"empty text is absent", "note", text(""), "absent"},
		{"blanks are absent", "note", text(" \u3000 "), "absent"},
		{"NULL is absent", "note", text("NULL"), "absent"},
		{`\N is absent`, "note", text(`\N`), "absent"},
		{"N/A is absent", "note", text(" N/A "), "absent"},
		{"a hyphen is a text unless declared", "note", text("-"), `"-"`},
		{"a declared null word is absent", `note , nulls: ["-", 无]`, text("无"), "absent"},
		{"a declared null word leaves the standing ones", `note , nulls: ["-"]`, text("null"), "absent"},
		{"a null takes the default", `note , default: 缺省`, text(""), `"缺省"`},
		{"a default is checked as any value", `state , default: "2"`, text(""), "!codeset_date"},

		// Codes.
		{"a code of the set is accepted", "state", text("1"), `"1"`},
		{"full-width digits of a code become half-width", "state", text("１"), `"1"`},
		{"an unknown code is refused", "state", text("7"), "!codeset"},
		{"a code is checked at the record's day", "state", text("3"), `"3"`},
		{"a code that held before is refused by its date", "state", text("2"), "!codeset_date"},
		{"an integer is a code", "state", connectors.Int(1), `"1"`},
		{"a crosswalk translates", "state , codes: states", text("01"), `"1"`},
		{"a crosswalk is dated", "state , codes: states", text("02"), `"3"`},
		{"a code that the crosswalk lacks is refused", "state , codes: states", text("1"), "!crosswalk"},
		{"a crosswalk row that has ended is refused", "state , codes: states", text("A"), "!crosswalk"},
		{"full-width source codes are found", "state , codes: states", text("０１"), `"1"`},
		{"lost zeros are put back before the crosswalk", "state , codes: states, width: 2", connectors.Int(1), `"1"`},
		{"width leaves longer values alone", "id , width: 4", text("12345"), `"12345"`},
		{"width pads digits", "id , width: 6", text("111"), `"000111"`},
		{"width leaves letters alone", "id , width: 6", text("A11"), `"A11"`},
		{"a key with the unit separator is refused", "id", text("a\x1fb"), "!key"},

		// Identifiers.
		{"an identifier is accepted", "credit", text("91110101MA0000015M"), `"91110101MA0000015M"`},
		{"lower case, hyphens and full-width forms are made canonical", "credit", text("91110101-ma0000015ｍ"), `"91110101MA0000015M"`},
		{"a wrong check character is named", "credit", text("91110101MA0000015N"), "!format.uscc.check"},
		{"a short identifier is named", "credit", text("91110101"), "!format.uscc.length"},
		{"an Excel exponent is named for what it is", "credit", text("1.40302E+17"), "!exponent"},

		// Integers.
		{"an integer from text", "count", text("42"), "42"},
		{"an integer loses zeros that do not count", "count", text("+0042"), "42"},
		{"a whole number with decimals is whole", "count", text("42.00"), "42"},
		{"a fraction is not whole", "count", text("42.5"), "!type"},
		{"thousands are read", "count", text("1,000,000"), "1000000"},
		{"wrong thousands are refused", "count", text("10,00"), "!type"},
		{"full-width digits are read", "count", text("４２"), "42"},
		{"an exponent is refused", "total", text("1.40302E+17"), "!exponent"},
		{"less than the minimum", "count", connectors.Int(-6), "!range"},
		{"the minimum itself", "count", connectors.Int(-5), "-5"},
		{"more than the maximum", "count", text("1000001"), "!range"},
		{"minus zero is zero", "count", text("-0"), "0"},
		{"more than 18 digits are out of range", "total", text("1234567890123456789"), "!range"},
		{"eighteen digits are exact", "total", connectors.Int(999_999_999_999_999_999), "999999999999999999"},
		{"a word is no integer", "count", text("五"), "!type"},
		{"a boolean is no integer", "count", connectors.Bool(true), "!type"},
		{"a decimal that is whole", "count", connectors.Decimal([]byte("1.2e1")), "12"},
		{"a float that is whole", "count", connectors.Float(7), "7"},

		// Decimals.
		{"a decimal is exact", "amount", text("0.10"), `"0.1"`},
		{"a decimal keeps no zeros that do not count", "amount", text("00120.500"), `"120.5"`},
		{"a decimal begins with a digit", "amount", text(".5"), `"0.5"`},
		{"thousands of a decimal are read", "amount", text("1,234,567.89"), `"1234567.89"`},
		{"thousands that are not parted by threes are refused", "amount", text("1,23,456"), "!type"},
		{"a comma for a point is refused", "amount", text("12,5"), "!type"},
		{"too many decimals are refused, not rounded", "amount", text("0.125"), "!precision"},
		{"too many digits are refused", "amount", text("12345678901.00"), "!precision"},
		{"a negative amount is out of range", "amount", text("-0.01"), "!range"},
		{"units shift the point", "amount , unit: 万元", text("50.5"), `"505000"`},
		{"units shift small amounts exactly", "amount , unit: 万元", text("0.000001"), `"0.01"`},
		{"units that leave too many decimals are refused", "amount , unit: 万元", text("0.0000001"), "!precision"},
		{"亿元 are a hundred million", "amount , unit: 亿元", text("1.2"), `"120000000"`},
		{"分 are a hundredth", "amount , unit: 分", connectors.Int(12345), `"123.45"`},
		{"a unit in the text is refused", "amount", text("50万元"), "!type"},
		{"an exponent in a text is refused", "ratio", text("1E3"), "!exponent"},
		{"an exponent of a database is exact", "ratio", connectors.Decimal([]byte("-1.5E-3")), `"-0.0015"`},
		{"a float gives its shortest digits", "ratio", connectors.Float(0.1), `"0.1"`},
		{"zero is zero", "ratio", text("-0.000"), `"0"`},
		{"a point alone is no number", "ratio", text("."), "!type"},
		{"a sign alone is no number", "ratio", text("-"), "!type"},
		{"a hundred digits are too many", "ratio", text(strings.Repeat("9", 100)), "!precision"},
		{"a huge exponent is too many digits", "ratio", connectors.Decimal([]byte("1e999")), "!precision"},
		{"full-width numbers are read", "amount", text("１２．５"), `"12.5"`},

		// Dates.
		{"2018-04-01", "born", text("2018-04-01"), `"2018-04-01"`},
		{"20180401", "born", text("20180401"), `"2018-04-01"`},
		{"2018/4/1", "born", text("2018/4/1"), `"2018-04-01"`},
		{"2018年4月1日", "born", text("2018年4月1日"), `"2018-04-01"`},
		{"2018.4.1", "born", text("2018.4.1"), `"2018-04-01"`},
		{"a date with a time gives its day", "born", text("2018/4/1 0:00:00"), `"2018-04-01"`},
		{"fourteen digits give their day", "born", text("20180401123000"), `"2018-04-01"`},
		{"a full-width date", "born", text("２０１８－０４－０１"), `"2018-04-01"`},
		{"a time elsewhere gives the day in China", "born", text("2018-04-01T20:00:00Z"), `"2018-04-02"`},
		{"the 29th of February of a leap year", "born", text("2020-02-29"), `"2020-02-29"`},
		{"the 29th of February of another year", "born", text("2019-02-29"), "!type"},
		{"month 13", "born", text("20181301"), "!type"},
		{"mixed marks are refused", "born", text("2018-04/01"), "!type"},
		{"a two-digit year is refused", "born", text("18-04-01"), "!type"},
		{"a serial is no date unless declared", "born", text("43191"), "!type"},
		{"a serial of the 1900 system", "born , layouts: [excel]", text("43191"), `"2018-04-01"`},
		{"a serial as a number", "born , layouts: [yyyy-MM-dd, excel]", connectors.Float(43191.75), `"2018-04-01"`},
		{"serial 1", "born , layouts: [excel]", text("1"), `"1900-01-01"`},
		{"serial 59", "born , layouts: [excel]", text("59"), `"1900-02-28"`},
		{"serial 60 is a day that never was", "born , layouts: [excel]", text("60"), "!type"},
		{"serial 61", "born , layouts: [excel]", text("61"), `"1900-03-01"`},
		{"serial 0 is no day", "born , layouts: [excel]", text("0"), "!type"},
		{"an integer is read in the layouts", "born", connectors.Int(20180401), `"2018-04-01"`},
		{"declared layouts are the only ones", "born , layouts: [yyyyMMdd]", text("2018-04-01"), "!type"},
		{"layouts are tried in turn", "born , layouts: [yyyyMMdd, d/M/yyyy]", text("1/4/2018"), `"2018-04-01"`},
		{"day before month when declared", "born , layouts: [yyyy-dd-MM]", text("2018-01-04"), `"2018-04-01"`},
		{"unix seconds", "born , layouts: [unix]", text("1522512000"), `"2018-04-01"`},
		{"unix milliseconds", "born , layouts: [unixms]", connectors.Int(1522512000000), `"2018-04-01"`},
		{"a typed date", "born", connectors.Date(17622), `"2018-04-01"`},
		{"a date in a value that is no text", "born", connectors.Decimal([]byte("2018-04-01")), `"2018-04-01"`},
		{"a typed wall-clock time gives its day", "born", connectors.DateTime(17622 * microsPerDay), `"2018-04-01"`},
		{"a typed instant gives its day in China", "born", connectors.Timestamp(17622*microsPerDay - 1), `"2018-04-01"`},
		{"a typed date out of all reach", "until", connectors.Date(math.MaxInt64), "!range"},
		{"before the minimum", "born", text("1849-12-31"), "!range"},
		{"长期 is no date unless declared", "until", text("长期"), "!type"},
		{"长期 is 9999-12-31 when declared", "until , layouts: [yyyy-MM-dd, 长期]", text("长期"), `"9999-12-31"`},
		{"the year 9999 has no end when that is declared", "until , layouts: [yyyy-M-d, 长期]", text("9999-9-9"), `"9999-12-31"`},
		{"the year 9999 is a date otherwise", "until", text("9999-9-9"), `"9999-09-09"`},

		// Times.
		{"a time without zone is China Standard Time", "seen", text("2018-04-01 12:30:00"), `"2018-04-01T12:30:00+08:00"`},
		{"a date is midnight", "seen", text("2018/4/1"), `"2018-04-01T00:00:00+08:00"`},
		{"a zone is kept", "seen", text("2018-04-01T04:30:00Z"), `"2018-04-01T04:30:00Z"`},
		{"an offset is kept", "seen", text("2018-04-01T04:30:00.250-0530"), `"2018-04-01T04:30:00.25-05:30"`},
		{"fourteen digits", "seen", text("20180401123000"), `"2018-04-01T12:30:00+08:00"`},
		{"seventeen digits", "seen", text("20180401123000123"), `"2018-04-01T12:30:00.123+08:00"`},
		{"one-digit hours", "seen", text("2018/4/1 9:05"), `"2018-04-01T09:05:00+08:00"`},
		{"24 o'clock is none", "seen", text("2018-04-01 24:00:00"), "!type"},
		{"digits beyond the microsecond are dropped", "seen", text("2018-04-01 12:30:00.1234567"), `"2018-04-01T12:30:00.123456+08:00"`},
		{"a declared layout", "seen , layouts: [\"yyyy/M/d H:mm:ss\"]", text("2018/4/1 9:05:07"), `"2018-04-01T09:05:07+08:00"`},
		{"a declared layout with text and zone", "seen , layouts: [\"yyyy-MM-ddTHH:mm:ss.SSSXXX\"]", text("2018-04-01T09:05:07.120+09:00"), `"2018-04-01T09:05:07.12+09:00"`},
		{"rfc3339 demands a zone", "seen , layouts: [rfc3339]", text("2018-04-01T09:05:07"), "!type"},
		{"rfc3339", "seen , layouts: [rfc3339]", text("2018-04-01T09:05:07Z"), `"2018-04-01T09:05:07Z"`},
		{"a serial with a time", "seen , layouts: [excel]", text("43191.604166666664"), `"2018-04-01T14:30:00+08:00"`},
		{"a serial just before midnight", "seen , layouts: [excel]", text("43191.9999999999"), `"2018-04-02T00:00:00+08:00"`},
		{"unix seconds with a fraction", "seen , layouts: [unix]", text("1522512000.5"), `"2018-04-01T00:00:00.5+08:00"`},
		{"a typed instant", "seen", connectors.Timestamp(micros), `"2018-04-01T12:30:00.1234+08:00"`},
		{"a typed wall-clock time", "seen", connectors.DateTime(micros), `"2018-04-01T04:30:00.1234+08:00"`},
		{"a typed date is midnight", "seen", connectors.Date(17622), `"2018-04-01T00:00:00+08:00"`},
		{"before 1970", "seen", connectors.DateTime(-1), `"1969-12-31T23:59:59.999999+08:00"`},

		// Booleans.
		{"1", "open", text("1"), "true"},
		{"0 as a number", "open", connectors.Int(0), "false"},
		{"是", "open", text("是"), "true"},
		{"否", "open", text("否"), "false"},
		{"T", "open", text("T"), "true"},
		{"n", "open", text("n"), "false"},
		{"TRUE", "open", text("TRUE"), "true"},
		{"full-width Ｙ", "open", text("Ｙ"), "true"},
		{"a typed boolean", "open", connectors.Bool(false), "false"},
		{"51 is no boolean", "open", text("51"), "!type"},
		{"a crosswalk to true", "open , codes: truth", text("有"), "true"},

		// Lists.
		{"a list is parted by its separator", `states , separator: ";"`, text("1; 3 ;;1"), `["1","3","1"]`},
		{"full-width separators of codes are half-width", `states , separator: ";"`, text("1；3"), `["1","3"]`},
		{"a list without separator is one item", "states", text("1"), `["1"]`},
		{"an undeclared separator is seen in the code set", "states", text("1^3"), "!codeset"},
		{"a JSON array", "states", connectors.JSON([]byte(`["1", "3"]`)), `["1","3"]`},
		{"numbers of a JSON array", "sizes", connectors.JSON([]byte(`[1, 20, null]`)), `[1,20]`},
		{"a JSON object is no list", "states", connectors.JSON([]byte(`{"a":1}`)), "!type"},
		{"nested arrays are no list", "states", connectors.JSON([]byte(`[[1]]`)), "!type"},
		{"several wrong items are one violation", `states , separator: ","`, text("7,8,1"), "!codeset"},
		{"an empty list is absent", `states , separator: ";"`, text(";"), "absent"},
		{"codes of a list are translated", `states , separator: ";", codes: states`, text("01;02"), `["1","3"]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := converted(t, tt.field, tt.value); got != tt.want {
				t.Errorf("%s of %q: got %s, want %s", tt.field, tt.value.AppendText(nil), got, tt.want)
			}
		})
	}
}
