package mapping

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRunCases(t *testing.T) {
	plan := compile(t, small, smallCodes(t))
	results, err := RunCases("testdata/cases", plan)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, r := range results {
		fmt.Fprintf(&out, "%s %s: %v\n", r.Where(), r.Name, r.Passed())
		for _, d := range r.Differences {
			fmt.Fprintf(&out, "  %s\n", d.In("en"))
		}
	}
	want := `testdata/cases/failing.yaml:1 other values: false
  id: got A, want B
  name: got 名称, want nothing
  note: got nothing, want x
  nosuch: got nothing, want y
testdata/cases/failing.yaml:4 another outcome: false
  outcome: got refused, want accepted
  state: got crosswalk (State (state): is not in crosswalk states; try: add a row to crosswalk states), want nothing
testdata/cases/failing.yaml:7 other rules: false
  state: got crosswalk (State (state): is not in crosswalk states; try: add a row to crosswalk states), want nothing
  id: got nothing, want required
testdata/cases/failing.yaml:10 accepted all the same: false
  outcome: got accepted, want refused
  id: got nothing, want required
testdata/cases/passing.yaml:1 an active item: true
testdata/cases/passing.yaml:5 a filtered item: true
testdata/cases/passing.yaml:8 a refused item: true
testdata/cases/passing.yaml:11 a deleted item: true
testdata/cases/passing.yaml:17 another document: true
`
	if diff := cmp.Diff(out.String(), want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

func TestDifferencesAreToldInChinese(t *testing.T) {
	results, err := RunCases("testdata/cases", compile(t, small, smallCodes(t)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range results[1:4] {
		for _, d := range r.Differences {
			got = append(got, d.In("zh"))
		}
	}
	want := []string{
		"结果：实得 拒收，应得 接受",
		"state：实得 crosswalk（状态（state）：源代码不在对照表 states 中；可尝试：在对照表 states 中补一行），应得 无",
		"state：实得 crosswalk（状态（state）：源代码不在对照表 states 中；可尝试：在对照表 states 中补一行），应得 无",
		"id：实得 无，应得 required",
		"结果：实得 接受，应得 拒收",
		"id：实得 无，应得 required",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRunCasesReportsWrongFiles(t *testing.T) {
	plan := compile(t, small, smallCodes(t))
	results, err := RunCases("testdata/cases-wrong", plan)
	if len(results) > 0 {
		t.Errorf("got %d results of files that are wrong", len(results))
	}
	var out strings.Builder
	for _, p := range joined(t, err) {
		out.WriteString(p.Error() + "\n")
	}
	if *update {
		if err := os.WriteFile("testdata/cases-wrong/want.txt", []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(out.String(), readFile(t, "testdata/cases-wrong/want.txt")); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

// A case belongs to each plan of its table and entity.
func TestRunCasesOfSeveralPlans(t *testing.T) {
	one := compile(t, small, smallCodes(t))
	other := compile(t, strings.Replace(small, "table: items", "table: others", 1), smallCodes(t))
	results, err := RunCases("testdata/cases", one, other)
	if err != nil || len(results) != 17 {
		t.Errorf("got %d results, %v", len(results), err)
	}
	if results, err := RunCases("testdata/no-such-folder", one); err != nil || len(results) > 0 {
		t.Errorf("a folder that is not there: got %d results, %v", len(results), err)
	}
}

func TestRunCasesOfLists(t *testing.T) {
	plan := compile(t, small+"  states: many\n  sizes: {from: sizes, separator: \",\"}\n  open: yes\n  remark: x\n", smallCodes(t))
	results, err := RunCases("testdata/cases-lists", plan)
	if err != nil || len(results) != 4 {
		t.Fatalf("got %d results, %v", len(results), err)
	}
	for _, r := range results {
		if !r.Passed() {
			t.Errorf("%s %s: %+v", r.Where(), r.Name, r.Differences)
		}
	}
}
