package jsliteral

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestToJSON(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"a page's list of items", "// 数据\nconst items = [\n  {\"department\": \"区甲局\", \"items\": [{\"name\": \"示例\"}]},\n];\n", `[{"department":"区甲局","items":[{"name":"示例"}]}]`},
		{"a bare literal", `[1, -2.50, 1e3]`, `[1,-2.50,1e3]`},
		{"names without quotes", `var a = {name: 'x', 部门: "y", $z_1: true,}`, `{"name":"x","部门":"y","$z_1":true}`},
		{"a module", `export default {a: null, b: undefined}`, `{"a":null,"b":null}`},
		{"a CommonJS module", `module.exports = [];`, `[]`},
		{"comments everywhere", "/* a\n b */ x /*c*/ = [ // d\n1, /* e */ 2 ] // f", `[1,2]`},
		{"quotes in quotes", `['it\'s', "a \"b\"", 'say "c"']`, `["it's","a \"b\"","say \"c\""]`},
		{"escapes", `["\x41\u4e2d\u{1F600}\uD83D\uDE00\n\/\q", 'a\
b']`, `["A中😀😀\n/q","ab"]`},
		{"a template string without substitutions", "[`a\nb \\` c`]", `["a\nb ` + "`" + ` c"]`},
		{"a byte-order mark and CRLF", "\ufeffx = [\r\n1\r\n]\r\n", `[1]`},
		{"markup is not escaped", `["<a href='?a=1&b=2'>"]`, `["<a href='?a=1&b=2'>"]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ToJSON([]byte(tt.script))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want+"\n", string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestToJSONRefuses(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"nothing", "\n// only a comment\n", "line 3: the file ends where a value should stand"},
		{"a function", "const a = {\n b: load()\n}", "line 2: load is a name, and only literals are read"},
		{"a substitution", "[\n`a${b}`]", "line 2: a template string holds ${…}, and only literals are read"},
		{"an open array", "x = [\n1,\n2\n", "line 4: the file ends before the ']' that closes line 1"},
		{"an open string", "[\"a\n\"]", "line 1: the string is not closed on its line"},
		{"an open template string", "[\n`a\nb", "line 2: the string is never closed"},
		{"a backslash at the end", `["a\`, "line 1: the file ends within a string"},
		{"an open comment", "[\n/* 1]", "line 2: the comment that begins here is never closed"},
		{"no colon", "{\na 1}", "line 2: a colon should follow the member's name"},
		{"no comma", "[1\n2]", "line 2: '2' stands where a comma or ']' should"},
		{"two commas", "[1,\n,2]", "line 2: ',' stands where a value should"},
		{"a name that is a number sign", "{#a: 1}", "line 1: '#' stands where a member's name should"},
		{"a number of another base", "[0x1F]", "line 1: 0x1F is not a decimal number"},
		{"a number with leading zeros", "[007]", "line 1: 007 is not a decimal number"},
		{"half an escape", `["\u12"]`, "line 1: an escape needs 4 hexadecimal digits"},
		{"an escape above Unicode", `["\u{110000}"]`, `line 1: \u{…} holds no number of a character`},
		{"a string that is not UTF-8", "[\"\xd6\xd0\"]", "line 1: the string is not UTF-8"},
		{"two statements", "x = [];\ny = [];", "line 2: more follows after the literal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ToJSON([]byte(tt.script)); err == nil || err.Error() != tt.want {
				t.Errorf("got error %v, want %s", err, tt.want)
			}
		})
	}
}

func FuzzToJSON(f *testing.F) {
	for _, s := range []string{"x = [{a: 'b', c: -1.5e3, d: `e`}]", `["\u{1F600}\x41"]`, "[[[", "export default {a: undefined} // b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if out, err := ToJSON(script); err == nil && !json.Valid(out) {
			t.Errorf("%q became %q, which is not JSON", script, out)
		}
	})
}
