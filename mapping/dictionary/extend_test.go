package dictionary_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/dictionary"
)

var update = flag.Bool("update", false, "write what is printed to testdata")

func extend(t testing.TB, dir string) *dictionary.Dictionary {
	t.Helper()
	d, err := dictionary.Builtin().Extend(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestACityAddsAndStrengthens(t *testing.T) {
	d := extend(t, "testdata/city")
	if d.Version != "1.0.0+yangquan.2.1.0" {
		t.Errorf("version is %s", d.Version)
	}
	parking := d.Entity("parking")
	if parking == nil || d.CodeSet("parking_kind") == nil {
		t.Fatal("the new entity or its code set is missing")
	}
	if operator := parking.Element("operator_uscc"); operator.Format != "uscc" || operator.Title.Zh != "经营者统一社会信用代码" {
		t.Errorf("operator_uscc is not as legal_entity.uscc: %+v", operator)
	}
	company := d.Entity("legal_entity")
	if phone := company.Element("phone"); phone.Obligation != dictionary.Mandatory || phone.Length != 30 || phone.Synonyms[len(phone.Synonyms)-1] != "LXFS" {
		t.Errorf("phone was not strengthened: %+v", phone)
	}
	if office := company.Element("tax_office"); office == nil || office.Standard != dictionary.Own || company.Index("tax_office") != len(company.Elements)-1 {
		t.Errorf("tax_office is not the last element: %+v", office)
	}
	if ok, known := d.CodeSet("item_type").Valid([]byte("11"), day(t, "2019-01-01")); ok || !known {
		t.Error("the added code is not dated")
	}
}

func TestExtendingLeavesTheBaseAsItWas(t *testing.T) {
	base := dictionary.Builtin()
	extend(t, "testdata/city")
	if base.Entity("parking") != nil || base.Entity("legal_entity").Element("tax_office") != nil ||
		base.Entity("legal_entity").Element("phone").Obligation != dictionary.Optional {
		t.Error("an entity of the base was changed")
	}
	if _, known := base.CodeSet("item_type").Valid([]byte("11"), 0); known {
		t.Error("a code set of the base was changed")
	}
}

func TestADirectoryWithoutAVersionIsLocal(t *testing.T) {
	d := extend(t, "testdata/dated")
	if d.Version != "1.0.0+local" {
		t.Errorf("version is %s", d.Version)
	}
	twice, err := d.Extend("testdata/city")
	if err != nil {
		t.Fatal(err)
	}
	if twice.Version != "1.0.0+local.yangquan.2.1.0" {
		t.Errorf("version is %s", twice.Version)
	}
}

func TestADirectoryThatIsNotThereIsAProblem(t *testing.T) {
	for _, dir := range []string{"testdata/nothing", "testdata/city/README.md"} {
		_, err := dictionary.Builtin().Extend(dir)
		var p *connectors.Problem
		if !errors.As(err, &p) || p.Where != dir {
			t.Errorf("%s: got %v, want a problem", dir, err)
		}
	}
}

// Every archive of testdata/refused is a directory that is refused, with the messages in both languages as `want`.
func TestMistakesAreRefusedWithTheirPlace(t *testing.T) {
	archives, err := filepath.Glob("testdata/refused/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := &archive.Files[len(archive.Files)-1]
			dir := t.TempDir()
			if err := txtar.Write(&txtar.Archive{Files: archive.Files[:len(archive.Files)-1]}, dir); err != nil {
				t.Fatal(err)
			}
			_, err = dictionary.Builtin().Extend(dir)
			got := strings.ReplaceAll(messages(t, err), dir, "city")
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// messages lists what an error joins, in English and in Chinese.
func messages(t *testing.T, err error) string {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %v, want several problems", err)
	}
	var b strings.Builder
	for _, lang := range []string{"en", "zh"} {
		for _, e := range joined.Unwrap() {
			var p *connectors.Problem
			if !errors.As(e, &p) {
				t.Fatalf("%v is not a problem", e)
			}
			b.WriteString(p.In(lang) + "\n")
		}
	}
	return b.String()
}
