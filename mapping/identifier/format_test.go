package identifier_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/datong-dx/datong/mapping/identifier"
)

// vector is one line of testdata/vectors.tsv. Every number of a person in it is an example that a standard prints, or is
// invented in a division that does not exist.
type vector struct{ format, value, canonical, rule, note string }

func vectors(tb testing.TB) []vector {
	tb.Helper()
	f, err := os.Open("testdata/vectors.tsv")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var list []vector
	lines := bufio.NewScanner(f)
	lines.Scan() // header
	for lines.Scan() {
		p := strings.Split(lines.Text(), "\t")
		if len(p) != 5 {
			tb.Fatalf("a vector has 5 columns: %q", lines.Text())
		}
		list = append(list, vector{p[0], p[1], p[2], p[3], p[4]})
	}
	return list
}

// ruleOf normalises and checks, and returns the canonical form and the broken rule.
func ruleOf(f *identifier.Format, value string) (canonical, rule string) {
	b := f.Normalise(nil, []byte(value))
	var reason *identifier.Reason
	if errors.As(f.Check(b), &reason) {
		rule = reason.Rule
	}
	return string(b), rule
}

func TestEveryVectorIsAnsweredByItsRule(t *testing.T) {
	for _, v := range vectors(t) {
		f := identifier.Lookup(v.format)
		if f == nil {
			t.Fatalf("no format %s", v.format)
		}
		canonical, rule := ruleOf(f, v.value)
		if canonical != v.canonical || rule != v.rule {
			t.Errorf("%s %q (%s): got %q, rule %q; want %q, rule %q", v.format, v.value, v.note, canonical, rule, v.canonical, v.rule)
		}
	}
}

func TestEveryFormatHasGoodAndBadVectors(t *testing.T) {
	good, bad := map[string]bool{}, map[string]bool{}
	for _, v := range vectors(t) {
		good[v.format] = good[v.format] || v.rule == ""
		bad[v.format] = bad[v.format] || v.rule != ""
	}
	for _, f := range identifier.Formats() {
		if !good[f.Name] || !bad[f.Name] {
			t.Errorf("%s lacks a good or a bad vector", f.Name)
		}
	}
}

func TestFormatsAreSortedAndTellWhatTheyAre(t *testing.T) {
	list := identifier.Formats()
	if !slices.IsSortedFunc(list, func(a, b *identifier.Format) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("formats are not in order of their names, which Lookup needs")
	}
	for _, f := range list {
		if f.Title.Zh == "" || f.Title.En == "" || f.Layout.Zh == "" || f.Layout.En == "" || f.Standard == "" {
			t.Errorf("%s lacks a title, layout or standard", f.Name)
		}
		if identifier.Lookup(f.Name) != f {
			t.Errorf("%s is not found", f.Name)
		}
	}
	if identifier.Lookup("nothing") != nil {
		t.Error("a format was found that does not exist")
	}
}

func TestCheckingAllocatesNothingAndReasonsNeverHoldTheValue(t *testing.T) {
	for _, v := range vectors(t) {
		f := identifier.Lookup(v.format)
		buf := make([]byte, 0, 64)
		value := []byte(v.value)
		n := testing.AllocsPerRun(10, func() {
			buf = f.Normalise(buf[:0], value)
			_ = f.Check(buf)
		})
		if n != 0 {
			t.Errorf("%s %q allocates %v times", v.format, v.value, n)
		}
		if err := f.Check(buf); err != nil && len(v.value) > 3 && strings.Contains(err.Error(), v.value) {
			t.Errorf("%s: the reason tells the value: %v", v.format, err)
		}
	}
}

// FuzzFormats checks that no input makes a format panic, that only canonical forms pass, that normalising twice changes
// nothing, and that what was there before the appended part stays.
func FuzzFormats(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add([]byte(v.value))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		for _, format := range identifier.Formats() {
			if format.Check(value) == nil && !bytes.Equal(format.Normalise(nil, value), value) {
				t.Fatalf("%s: %q passes the check, but is not canonical", format.Name, value)
			}
			once := format.Normalise([]byte("kept"), value)
			if !bytes.HasPrefix(once, []byte("kept")) {
				t.Fatalf("%s: normalising touched what it appends to", format.Name)
			}
			once = once[len("kept"):]
			if format.Check(once) != nil {
				continue
			}
			if twice := format.Normalise(nil, once); !bytes.Equal(once, twice) {
				t.Fatalf("%s: %q is canonical, but normalising makes it %q", format.Name, once, twice)
			}
		}
	})
}

func ExampleLookup() {
	f := identifier.Lookup("uscc")
	code := f.Normalise(nil, []byte("91350100-m000100y43"))
	fmt.Println(string(code), f.Check(code))

	code[17] = '4'
	var reason *identifier.Reason
	errors.As(f.Check(code), &reason)
	fmt.Println(reason.Rule, reason.Text.In("zh"))
	// Output:
	// 91350100M000100Y43 <nil>
	// check 统一社会信用代码的校验码与前 17 位不符
}

func BenchmarkFormats(b *testing.B) {
	done := map[string]bool{}
	for _, v := range vectors(b) {
		if v.rule != "" || done[v.format] {
			continue
		}
		done[v.format] = true
		f := identifier.Lookup(v.format)
		b.Run(v.format, func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 64)
			value := []byte(v.value)
			for b.Loop() {
				buf = f.Normalise(buf[:0], value)
				if err := f.Check(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
