package mapping

import "testing"

func TestWhyATextIsNoDate(t *testing.T) {
	tests := []struct{ value, layouts, want string }{
		{"2023-02-30", "", "is no day of the calendar; try: correct it at the source"},
		{"20230230", "", "is no day of the calendar; try: correct it at the source"},
		{"2023年13月1日", "", "is no day of the calendar; try: correct it at the source"},
		{"20230231", "yyyyMMdd", "is no day of the calendar; try: correct it at the source"},
		{"2023-01-01 25:00", "", "has a time of day beyond 23:59:59; try: correct it at the source"},
		{"20230101096100", "", "has a time of day beyond 23:59:59; try: correct it at the source"},
		{"2023-01-01 09:00 +0800x", "", "is not a date; try: name the form in layouts, such as yyyyMMdd, excel, unix"},
		{"03/04/2023", "", "does not tell which number is the month and which the day; try: write layouts: [d/M/yyyy] or [M/d/yyyy], as the source means it"},
		{"3-4-2023 9:00", "", "does not tell which number is the month and which the day; try: write layouts: [d/M/yyyy] or [M/d/yyyy], as the source means it"},
		{"44931", "", "is not a date; try: if it is a spreadsheet's serial number, write layouts: [excel]"},
		{"2028-01-04", "yyyyMMdd", "is not a date; try: the layouts are yyyyMMdd: add the one that is missing"},
		{"明年", "", "is not a date; try: name the form in layouts, such as yyyyMMdd, excel, unix"},
		{"0000-00-00", "", `is not a date; try: if it means no value, add nulls: ["0000-00-00"] to the field`},
	}
	for _, tt := range tests {
		t.Run(tt.value, func(t *testing.T) {
			field := "born: A"
			if tt.layouts != "" {
				field = "born: {from: A, layouts: [" + tt.layouts + "]}"
			}
			row := rowOf("A", tt.value)
			plan := compile(t, "entity: sample\nfields:\n  id: {value: x}\n  part: {value: '1'}\n  "+field+"\n", nil)
			r := mapperFor(t, plan, row.Table).Map(row)
			if len(r.Violations) != 1 {
				t.Fatalf("got %s, want one violation", outcome(r))
			}
			if got, want := r.Violations[0].Message.En, "First day (born): "+tt.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
