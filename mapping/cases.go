package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
)

// CaseResult is how one fixture came out.
type CaseResult struct {
	// Name of the case, or its number in the file.
	Name string
	// File and Line where the case stands.
	File string
	Line int
	// Entity that the row was mapped to.
	Entity string
	// Differences between what the case wants and what came out; empty when it passed.
	Differences []Difference
}

// Passed says that the row came out as the case wants.
func (r *CaseResult) Passed() bool { return len(r.Differences) == 0 }

// Where returns file:line of the case.
func (r *CaseResult) Where() string { return fmt.Sprintf("%s:%d", r.File, r.Line) }

// RunCases maps the rows of all fixtures in the directory's .yaml files with the plans and compares what comes out. A
// file holds one case, a list of cases, or several YAML documents:
//
//	name: 一家存续的企业
//	given: {TYSHXYDM: 91110000000000000X, QYMC: 某某公司}   # column → value
//	want:  {uscc: 91110000000000000X, org_name: 某某公司}   # element → value, every element of the record
//
// Instead of want, `reject:` lists {element, rule} of every violation, and `filtered: true` says that the condition keeps
// the row out. `table:`, `entity:`, `op:` (insert, update, delete …) and `time:` are optional; a delete wants the key
// elements alone. With several plans a case belongs to each plan of its table and entity.
//
// The error joins a [connectors.Problem] for all that is wrong with the files themselves; a row that comes out otherwise
// is no error but a [CaseResult] with differences. A directory that does not exist holds no cases.
func RunCases(dir string, plans ...*Plan) ([]CaseResult, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list cases in %s: %w", dir, err)
	}
	slices.Sort(files)
	var results []CaseResult
	var wrong problems
	for _, file := range files {
		p := specParser{file: file}
		for _, f := range p.fixtures() {
			if !f.broken {
				results = append(results, runFixture(&p, &f, plans)...)
			}
		}
		wrong = append(wrong, p.problems...)
	}
	return results, wrong.err()
}

// runFixture runs one case with every plan that it belongs to.
func runFixture(p *specParser, f *fixture, plans []*Plan) []CaseResult {
	var results []CaseResult
	for _, plan := range plans {
		if f.entity != "" && f.entity != plan.entity.Name || f.table != "" && plan.spec.Table != "" && f.table != plan.spec.Table {
			continue
		}
		r := CaseResult{Name: f.name, File: p.file, Line: f.line, Entity: plan.entity.Name}
		var err error
		if r.Differences, err = f.run(plan); err != nil {
			p.problems = append(p.problems, err)
			continue
		}
		results = append(results, r)
	}
	if len(results) == 0 && len(plans) > 0 {
		p.wrong(&yaml.Node{Line: f.line}, connectors.Text{Zh: "核对 table 与 entity", En: "see table and entity"},
			"用例 %s 不属于任何映射", "case %s belongs to no mapping", f.name)
	}
	return results
}

// run maps the case's row with a plan.
func (f *fixture) run(plan *Plan) ([]Difference, error) {
	row := f.row(plan)
	bound, err := plan.Bind(row.Table)
	if err != nil {
		return nil, err
	}
	result := bound.NewMapper().Map(row)
	if outcome := f.outcome(); result.Outcome != outcome {
		d := Difference{Subject: subjectOutcome, Got: result.Outcome.String(), Want: outcome.String()}
		return append([]Difference{d}, violationDifferences(result.Violations, f.reject)...), nil
	}
	switch result.Outcome {
	case Refused:
		return violationDifferences(result.Violations, f.reject), nil
	case Accepted:
		return f.compare(plan, result)
	}
	return nil, nil
}

func (f *fixture) outcome() Outcome {
	switch f.kind {
	case wantsRejection:
		return Refused
	case wantsFilter:
		return Filtered
	}
	return Accepted
}

// row makes the case's row; columns that the mapping reads and the case does not give are absent.
func (f *fixture) row(plan *Plan) *connectors.Row {
	table := &connectors.Table{Name: f.table}
	values := slices.Clone(f.values)
	for _, name := range f.columns {
		table.Columns = append(table.Columns, connectors.Column{Name: name})
	}
	for _, name := range plan.columns {
		if !slices.Contains(f.columns, name) {
			table.Columns = append(table.Columns, connectors.Column{Name: name})
			values = append(values, connectors.Value{})
		}
	}
	return &connectors.Row{Table: table, Op: f.op, Values: values, Time: f.micros}
}

// compare compares an accepted record, or a delete's key, element by element.
func (f *fixture) compare(plan *Plan, result *Result) ([]Difference, error) {
	got, err := textsOf(plan, result)
	if err != nil {
		return nil, err
	}
	want := make(map[string]string, len(f.want))
	for _, w := range f.want {
		want[w.element] = w.String()
		if el := plan.entity.Element(w.element); el != nil && el.List && !w.list {
			want[w.element] = "[" + want[w.element] + "]"
		}
	}
	var list []Difference
	for _, el := range plan.entity.Elements {
		if g, w := got[el.Name], want[el.Name]; g != w {
			list = append(list, Difference{Subject: el.Name, Got: g, Want: w})
		}
		delete(want, el.Name)
	}
	for _, w := range f.want {
		if _, left := want[w.element]; left {
			list = append(list, Difference{Subject: w.element, Want: w.String()})
		}
	}
	return list, nil
}

// String returns the wanted value as a difference shows it.
func (w *wanted) String() string {
	if w.list {
		return "[" + strings.Join(w.texts, ", ") + "]"
	}
	return strings.Join(w.texts, ", ")
}

// textsOf returns the text of each element of a record, or of the key of a delete, as differences show it.
func textsOf(plan *Plan, result *Result) (map[string]string, error) {
	texts := map[string]string{}
	if result.Value == nil {
		for i, part := range bytes.Split(result.Key, []byte{keySeparator}) {
			texts[plan.entity.Key[i]] = string(part)
		}
		return texts, nil
	}
	var record map[string]any
	in := json.NewDecoder(bytes.NewReader(result.Value))
	in.UseNumber()
	if err := in.Decode(&record); err != nil {
		return nil, fmt.Errorf("read the record back: %w", err)
	}
	for name, value := range record {
		texts[name] = plainText(value)
	}
	return texts, nil
}

func plainText(value any) string {
	list, ok := value.([]any)
	if !ok {
		return fmt.Sprint(value)
	}
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i] = fmt.Sprint(item)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
