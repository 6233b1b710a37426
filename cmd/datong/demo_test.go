package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/datong-dx/datong/internal/demo"
)

// A short demonstration is checked figure by figure; the script beside it looks at what people see.
func TestDemoAddsUp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run([]string{"demo", "--for", "3s", "--json", "--seed", "2"}, strings.NewReader(""), &stdout, &stderr); code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	var out outcome
	if err := json.Unmarshal(stdout.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	sum := out.Total
	sum.Counts = out.Pipelines[0].Counts
	for _, p := range out.Pipelines[1:] {
		sum.Counts.Add(p.Counts)
	}
	if sum.Counts != out.Total.Counts {
		t.Errorf("the pipelines sum up to %+v, the total is %+v", sum.Counts, out.Total.Counts)
	}
	for _, p := range out.Pipelines {
		if p.Unaccounted != 0 || p.Delivered != p.Records {
			t.Errorf("%s/%s: %d rows unaccounted for, %d of %d records delivered", p.Department, p.Name, p.Unaccounted, p.Delivered, p.Records)
		}
	}
	total := &out.Total
	if total.Read < 20_000 || total.Unchanged == 0 || total.Filtered == 0 || total.Superseded == 0 || total.Deletes == 0 {
		t.Errorf("something did not happen: %+v", total)
	}
	if total.Quarantined*1000 < total.Published*8 || total.Quarantined*1000 > total.Published*12 {
		t.Errorf("%d rows of %d were refused, not about one in a hundred", total.Quarantined, total.Published)
	}
	if len(out.Refused) != len(demo.Faults) {
		t.Errorf("rows were refused for %d reasons, want all %d", len(out.Refused), len(demo.Faults))
	}
	if err := out.verdict(); err != nil {
		t.Error(err)
	}
	if c := out.Changes; c.Inserts == 0 || c.Updates == 0 || c.Deletes == 0 || c.Files < 2 {
		t.Errorf("the departments stood still: %+v", c)
	}
}

// The verdict is what tells that records were lost: it must not be satisfied by anything.
func TestTheDemosVerdictSeesWhatIsMissing(t *testing.T) {
	for name, spoil := range map[string]func(*outcome){
		"a row unaccounted for":  func(o *outcome) { o.Total.Unaccounted = 1 },
		"a record not delivered": func(o *outcome) { o.Total.Delivered-- },
		"a record not there":     func(o *outcome) { o.Platform[0].Rows-- },
		"a wrong row let in":     func(o *outcome) { o.Refused[0].Rows-- },
	} {
		o := &outcome{Platform: []holding{{Expected: 7, Rows: 7}}, Refused: []refusal{{Expected: 3, Rows: 3}}}
		o.Total.Records, o.Total.Delivered = 7, 7
		if err := o.verdict(); err != nil {
			t.Fatal(err)
		}
		if spoil(o); o.verdict() == nil {
			t.Errorf("%s goes unnoticed", name)
		}
	}
}
