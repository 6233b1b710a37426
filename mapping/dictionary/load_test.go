package dictionary

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

// FuzzLoad checks that no text of a city's files makes the loader panic, and that what it accepts can be used.
func FuzzLoad(f *testing.F) {
	entity, err := fs.ReadFile(embedded, "standard/entities/division.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(entity), "a: {title: {zh: 甲}, standard: datong}", "code,zh\n1,甲\n")
	f.Add("extends: legal_entity\nelements: {phone: {obligation: mandatory}}", "a: &x {title: *x}", "code,zh,valid_from\n1,甲,2020-01-01\n")
	f.Add("entity: e\nkey: [a]\nelements: {a: {same_as: e.b}, b: {same_as: e.a}}", "<<: {a: 1}", "zh,code\n\"\n")
	f.Fuzz(func(t *testing.T, entity, manifest, codes string) {
		d, err := load(Builtin(), fstest.MapFS{
			"entities/e.yaml": {Data: []byte(entity)},
			"codes.yaml":      {Data: []byte(manifest)},
			"codes/a.csv":     {Data: []byte(codes)},
		}, "city")
		if err != nil {
			return
		}
		for _, e := range d.entities {
			for _, i := range e.KeyIndexes() {
				if e.Elements[i].Obligation != Mandatory {
					t.Errorf("key element %s of %s is not mandatory", e.Elements[i].Name, e.Name)
				}
			}
		}
	})
}

func TestWrappedLinesKeepTheirWidth(t *testing.T) {
	for _, text := range []string{
		"", "one", "a line of words that must be broken somewhere between two of them",
		"依法成立、有统一社会信用代码的法人和其他组织，内容为其最近一次登记（核准）后的状态。", "averyverylongwordthatcannotbebrokenbetweenwordsatall",
	} {
		for _, limit := range []int{1, 8, 21} {
			joined := ""
			for _, line := range wrap(text, limit) {
				if w := width(line); w > max(limit, 4) {
					t.Errorf("%q at %d: line %q is %d wide", text, limit, line, w)
				}
				joined += line
			}
			if width(joined) > width(text) {
				t.Errorf("%q at %d: something was added: %q", text, limit, joined)
			}
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	root, err := fs.Sub(embedded, "standard")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := load(nil, root, "standard"); err != nil {
			b.Fatal(err)
		}
	}
}
