package files

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/datong-dx/datong/connectors"
)

// checkResume reads a file straight through and then from the position of each batch: the rest must be the same.
func checkResume(t *testing.T, name string, content []byte, settings map[string]any) []string {
	e := newExchange(t)
	if err := os.WriteFile(filepath.Join(e.dir, "in", name), content, 0o644); err != nil {
		t.Fatal(err)
	}
	settings["path"] = "in/" + name
	src := e.open(nil, settings)
	var rows []string
	var at []int
	var positions []connectors.Position
	for {
		b, err := src.Read(t.Context())
		if err != nil {
			break
		}
		for i := range b.Rows {
			rows = append(rows, rowString(&b.Rows[i]))
		}
		at, positions = append(at, len(rows)), append(positions, b.Position)
		b.Release()
	}
	for i, pos := range positions {
		got := e.read(pos, settings).rows
		if diff := cmp.Diff(strings.Join(rows[at[i]:], "\n"), strings.Join(got, "\n")); diff != "" {
			t.Fatalf("resumed after row %d (-straight +resumed):\n%s", at[i], diff)
		}
	}
	return rows
}

func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"a,b\n1,2\n", "a,b\r\n\"x\"\"y\",\"1\r\n2\"\r\n", "a,b\n\"open,1\n2,3\n4,5\n6,7\n", "a\n\"\n\"\n", "a,b\n1,x\"y\n\"z\"w,2\n",
		"\ufeffa\n\n\n1", "\xff\xfea\x00\n\x001\x00", "a,b\n\xb6\xab,\x81\x30\x81\x30\n\xb6\n", "a\n" + strings.Repeat("x", 2000) + "\n1\n",
	} {
		f.Add([]byte(seed), uint8(0))
		f.Add([]byte(seed), uint8(1))
	}
	f.Fuzz(func(t *testing.T, content []byte, encoding uint8) {
		settings := map[string]any{"max_row_bytes": int64(1024), "encoding": []string{"utf-8", "gb18030", "auto"}[encoding%3]}
		checkResume(t, "a.csv", content, settings)
	})
}

// FuzzCSVLikeEncodingCSV checks that what encoding/csv accepts is split alike.
func FuzzCSVLikeEncodingCSV(f *testing.F) {
	for _, seed := range []string{"1,2\n", "\"x\"\"y\",\"1\n2\"\n", ",\n", "\"\",\"\"\n", "a,\"b\"\r\n\"c\",d", "\"a,b\",\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		r := csv.NewReader(strings.NewReader("F1,F2\n" + content))
		want, err := r.ReadAll()
		if err != nil || !utf8.ValidString(content) || strings.Contains(content, "\ufffd") || strings.Contains(content, "\r") || hasBlankRecord(want) {
			return // carriage returns: encoding/csv keeps those that do not end a line, and drops them inside quotes
		}
		e := newExchange(t)
		e.file("a.csv", "F1,F2\n"+content)
		got := e.read(nil, map[string]any{"path": "in/a.csv"})
		var lines []string
		for _, record := range want[1:] {
			lines = append(lines, fmt.Sprintf("F1=%s F2=%s", record[0], record[1]))
		}
		for i := range got.rows {
			_, got.rows[i], _ = strings.Cut(got.rows[i], " ")
		}
		if diff := cmp.Diff(lines, got.rows); diff != "" || got.err != nil {
			t.Errorf("error %v (-encoding/csv +files):\n%s", got.err, diff)
		}
	})
}

// hasBlankRecord says that a record would be a blank line here.
func hasBlankRecord(records [][]string) bool {
	for _, r := range records {
		if strings.TrimSpace(strings.Join(r, "")) == "" && len(r) == 1 {
			return true
		}
	}
	return false
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`[{"a":1},{"b":[1,{"c":"\u4e2d"}]}]`, `{"x":{"y":[{"a":1.5e3}]}}`, `{"a":{"k":{"v":1}}}`, `[{"a":`, `[[[[{"a":1}]]]]`, `{"a":1}{"a":2}`,
		`"text"`, `[1,null,"\ud83d"]`, "\ufeff[{}]", `{"a":1,"a":2,"":3}`, `[}`, `{"x" 1}`, `[{"a":1]`, "{\"a\":1}\n{\"a\":}\n",
	} {
		for path := range uint8(4) {
			f.Add([]byte(seed), path)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, path uint8) {
		settings := map[string]any{"max_row_bytes": int64(1024), "record_path": []string{"", "x.y", "*", "a.*"}[path%4]}
		checkResume(t, "a.json", content, settings)
		delete(settings, "record_path")
		checkResume(t, "a.jsonl", content, settings)
	})
}

// FuzzGB18030 checks the decoder against golang.org/x/text.
func FuzzGB18030(f *testing.F) {
	for _, seed := range []string{"abc", "\xb6\xab", "\x80", "\x81\x30\x81\x30", "\x90\x30\x81\x30", "\xfe\xfe", "abcdefgh\xb6", "\x81\x30", "\x84\x31\xa4\x37", "\xff", "\xe3\x32\x9a\x36"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		want, err := simplifiedchinese.GB18030.NewDecoder().Bytes(src)
		if err != nil {
			return
		}
		got, ok := decodeGB18030([]byte("x"), src)
		if clean := !bytes.Contains(want, []byte("\ufffd")); ok != clean {
			t.Fatalf("ok is %v for % x, which x/text makes %q", ok, src, want)
		}
		if ok && string(got) != "x"+string(want) {
			t.Fatalf("% x: got %q, want %q", src, got, want)
		}
		if !utf8.Valid(got) {
			t.Fatalf("% x: not UTF-8: % x", src, got)
		}
	})
}

func TestGB18030DecodesEveryCharacter(t *testing.T) {
	encoder := simplifiedchinese.GB18030.NewEncoder()
	for r := rune(0); r <= utf8.MaxRune; r++ {
		encoded, err := encoder.Bytes([]byte(string(r)))
		if err != nil || !utf8.ValidRune(r) || r == utf8.RuneError {
			continue
		}
		want, err := simplifiedchinese.GB18030.NewDecoder().Bytes(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := decodeGB18030(nil, encoded); !ok || !bytes.Equal(got, want) {
			t.Fatalf("%U as % x: got %q, %v, want %q", r, encoded, got, ok, want)
		}
	}
}
