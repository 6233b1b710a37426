package mapping

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/connectors"
)

// told writes values as kind and text, absent ones left out.
func told(names []string, values []connectors.Value) map[string]string {
	out := map[string]string{}
	for i, v := range values {
		if v.Kind() != connectors.KindAbsent {
			out[names[i]] = v.Kind().String() + " " + string(v.AppendText(nil))
		}
	}
	return out
}

func TestDecode(t *testing.T) {
	e := testDictionary(t).Entity("sample")
	d, dst := NewDecoder(e), make([]connectors.Value, len(e.Elements))
	tests := []struct {
		name, record string
		want         map[string]string
	}{
		{"every type", `{"id":"A","part":-1,"name":"名","amount":"1.5","born":"2018-04-01","seen":"2018-04-01T12:30:00.5+08:00","open":true,"states":["1","2"],"sizes":[1]}`, map[string]string{
			"id": "text A", "part": "int -1", "name": "text 名", "amount": "decimal 1.5", "born": "date 2018-04-01",
			"seen": "timestamp 2018-04-01T04:30:00.5Z", "open": "bool true", "states": `json ["1","2"]`, "sizes": "json [1]",
		}},
		{"any order, white space and unknown members", " {\n \"open\" : false , \"x\":{\"a\":[1,2.5e3,\"\\u00e9\"],\"b\":{}} ,\"id\" :\t\"B\" } \n", map[string]string{"open": "bool false", "id": "text B"}},
		{"escapes", `{"id":"a\"b\\c\/\n\u6253\ud83d\ude00\ud800x","note":"\t"}`, map[string]string{"id": "text a\"b\\c/\n打😀\ufffdx", "note": "text \t"}},
		{"names with escapes", `{"\u0069d":"A"}`, map[string]string{"id": "text A"}},
		{"null is null", `{"note":null}`, map[string]string{"note": "null "}},
		{"nothing", `{}`, map[string]string{}},
		{"a member twice: the last counts", `{"id":"A","id":"B"}`, map[string]string{"id": "text B"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := d.Decode([]byte(tt.record), dst); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(told(elementNames(e), dst), tt.want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	e := testDictionary(t).Entity("sample")
	d, dst := NewDecoder(e), make([]connectors.Value, len(e.Elements))
	for name, record := range map[string]string{
		"nothing at all":               ``,
		"an array":                     `[]`,
		"an object that does not end":  `{"id":"A"`,
		"something after the end":      `{"id":"A"}x`,
		"a comma too many":             `{"id":"A",}`,
		"no comma":                     `{"id":"A" "part":1}`,
		"a number for a text":          `{"id":1}`,
		"a text for a number":          `{"part":"1"}`,
		"a fraction for a number":      `{"part":1.5}`,
		"a number beyond 64 bits":      `{"part":9223372036854775808}`,
		"a word for a decimal":         `{"amount":"much"}`,
		"an exponent for a decimal":    `{"amount":"1e5"}`,
		"a time for a date":            `{"born":"2018-04-01T00:00:00Z"}`,
		"a date for a time":            `{"seen":"2018-04-01"}`,
		"a text for a boolean":         `{"open":"true"}`,
		"a text for a list":            `{"states":"1"}`,
		"a control character":          "{\"id\":\"a\nb\"}",
		"invalid UTF-8":                "{\"id\":\"a\xff\"}",
		"a wrong escape":               `{"id":"\x41"}`,
		"a short unicode escape":       `{"id":"\u12"}`,
		"a number with a leading zero": `{"x":01}`,
		"nesting without end":          `{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			if err := d.Decode([]byte(record), dst); err == nil {
				t.Errorf("accepted: %v", told(elementNames(e), dst))
			}
		})
	}
	if err := d.Decode([]byte(`{}`), dst[1:]); err == nil {
		t.Error("too few values were accepted")
	}
}

func TestDecodeKey(t *testing.T) {
	e := testDictionary(t).Entity("sample")
	d, dst := NewDecoder(e), make([]connectors.Value, len(e.Elements))
	if err := d.DecodeKey([]byte("A-B\x1f7"), dst); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(told(elementNames(e), dst), map[string]string{"id": "text A-B", "part": "int 7"}); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	for name, key := range map[string]string{
		"nothing": "", "a part too few": "A", "a part too many": "A\x1f1\x1f2", "a word for a number": "A\x1fB",
	} {
		if err := d.DecodeKey([]byte(key), dst); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// What Decode accepts is JSON, and it reads the texts that encoding/json reads.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"id":"A","part":-1,"name":"名","amount":"1.5","born":"2018-04-01","seen":"2018-04-01T12:30:00.5+08:00","open":true,"states":["1","2"]}`))
	f.Add([]byte(` {"id" : "\u6253\ud83d\ude00", "x":[{"y":-1.5e+3},null,true,false] } `))
	f.Add([]byte(`{"i\u0064":"a","sizes":[]}`))
	e := testDictionary(f).Entity("sample")
	d, dst := NewDecoder(e), make([]connectors.Value, len(e.Elements))
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = d.DecodeKey(b, dst)
		if d.Decode(b, dst) != nil {
			return
		}
		var record map[string]any
		if err := json.Unmarshal(b, &record); err != nil {
			t.Fatalf("accepted what is no JSON: %v", err)
		}
		for i, el := range e.Elements {
			want, isText := record[el.Name].(string)
			if isText && dst[i].Kind() == connectors.KindText && string(dst[i].Bytes()) != want {
				t.Errorf("%s: got %q, want %q", el.Name, dst[i].Bytes(), want)
			}
		}
	})
}
