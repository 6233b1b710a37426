package mapping

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
)

// TestProblems parses and compiles each testdata/problems/<name>.yaml and compares all that is wrong with <name>.txt.
func TestProblems(t *testing.T) {
	files, err := filepath.Glob("testdata/problems/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no problems: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			got := problemsOf(t, readFile(t, file))
			want := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(want, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(got, readFile(t, want)); diff != "" {
				t.Errorf("got -, want + (rewrite with -update):\n%s", diff)
			}
		})
	}
}

func problemsOf(t *testing.T, text string) string {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	spec, err := ParseSpec(&n, "m.yaml")
	if err == nil {
		codes := map[string]*Crosswalk{
			"states": readCrosswalk(t, "source_code,standard_code\n01,1\n"),
			"wrong":  readCrosswalk(t, "source_code,standard_code\n01,1\n02,33\n\n03,zz\n"),
		}
		_, err = Compile(spec, testDictionary(t), codes)
	}
	var out strings.Builder
	for _, p := range joined(t, err) {
		out.WriteString(p.In("en") + "\n" + p.In("zh") + "\n")
	}
	return out.String()
}

// joined returns the problems that an error joins; everything else in it is a mistake.
func joined(t *testing.T, err error) []*connectors.Problem {
	t.Helper()
	if err == nil {
		t.Fatal("no problem was found")
	}
	list, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v is no join of problems", err)
	}
	var problems []*connectors.Problem
	for _, e := range list.Unwrap() {
		var p *connectors.Problem
		if !errors.As(e, &p) {
			t.Fatalf("%v is no problem", e)
		}
		if p.Where == "" || p.What.Zh == "" || p.What.En == "" || strings.Contains(p.In("en")+p.In("zh"), "%!") {
			t.Errorf("problem lacks its place or a language: %+v", p)
		}
		problems = append(problems, p)
	}
	return problems
}
