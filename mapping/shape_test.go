package mapping

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestShape(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"nothing", "", ""},
		{"a number", "42", "9×2"},
		{"a credit code", "91110101MA0000015M", "9×8A×29×7A"},
		{"a date", "2018年4月1日", "9×4汉9汉9汉"},
		{"a name", "北京打通（示例）Co. Ltd", "汉×4（汉×2）Aa. Aa×2"},
		{"full-width digits are seen", "１２3", "９×29"},
		{"invisible characters are seen", "a\tb\x00", "a␣a␀"},
		{"broken UTF-8 is seen", "a\xff\xfe", "a�×2"},
		{"private use is seen", "\ue000", "□"},
		{"a long value is cut", strings.Repeat("a1", 30), strings.Repeat("a9", 20) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Shape([]byte(tt.value)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func FuzzShape(f *testing.F) {
	f.Add([]byte("北京A1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := Shape(b)
		if n := utf8.RuneCountInString(s); n > maxShape+20 || !utf8.ValidString(s) {
			t.Errorf("shape of %d characters: %q", n, s)
		}
	})
}
