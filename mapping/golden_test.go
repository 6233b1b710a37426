package mapping

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden maps the rows of each folder of testdata/golden and compares what comes out with want.txt. A folder holds
// mapping.yaml, rows.yaml (cases of which only `given`, `op` and `time` count) and crosswalks in codes/.
func TestGolden(t *testing.T) {
	folders, err := filepath.Glob("testdata/golden/*/mapping.yaml")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no golden folders: %v", err)
	}
	for _, file := range folders {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			got := mapFolder(t, dir)
			want := filepath.Join(dir, "want.txt")
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

func mapFolder(t *testing.T, dir string) string {
	t.Helper()
	plan, err := compileFolder(t, dir)
	if err != nil {
		return fmt.Sprintf("%v\n", err)
	}
	p := specParser{file: filepath.Join(dir, "rows.yaml")}
	var out strings.Builder
	for _, f := range p.fixtures() {
		row := f.row(plan)
		fmt.Fprintf(&out, "== %s\n%s", f.name, show(mapperFor(t, plan, row.Table).Map(row)))
	}
	for _, problem := range p.problems {
		if !strings.Contains(problem.Error(), "expectations") { // the golden file says what is expected
			t.Error(problem)
		}
	}
	return out.String()
}

func compileFolder(t *testing.T, dir string) (*Plan, error) {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(readFile(t, filepath.Join(dir, "mapping.yaml"))), &n); err != nil {
		t.Fatal(err)
	}
	spec, err := ParseSpec(&n, "mapping.yaml")
	if err != nil {
		return nil, err
	}
	codes := map[string]*Crosswalk{}
	files, _ := filepath.Glob(filepath.Join(dir, "codes", "*.csv"))
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".csv")
		if codes[name], err = ReadCrosswalk(strings.NewReader(readFile(t, file)), "codes/"+name+".csv"); err != nil {
			return nil, err
		}
	}
	return Compile(spec, testDictionary(t), codes)
}

func show(r *Result) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s, key %q\n", r.Outcome, r.Key)
	if r.Value != nil {
		fmt.Fprintf(&out, "%s\n", r.Value)
	}
	for _, v := range r.Violations {
		fmt.Fprintf(&out, "%s | %s | %s | %s\n  %s\n  %s\n", v.Element, v.Rule, v.Column, v.Shape, v.Message.Zh, v.Message.En)
	}
	return out.String()
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}
