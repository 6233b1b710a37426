package demo

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/all"
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/mapping"
)

// load writes the exchange directory and reads it as the program does.
func load(t *testing.T) *config.Exchange {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "exchange")
	if err := WriteExchange(dir); err != nil {
		t.Fatal(err)
	}
	registry, err := connectors.NewRegistry(all.Connectors()...)
	if err != nil {
		t.Fatal(err)
	}
	x, err := config.Load(dir, registry)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// mapper returns the mapping that takes the rows of a sheet.
func mapper(t *testing.T, x *config.Exchange, department string, s *sheet, entity string) *mapping.Mapper {
	t.Helper()
	for _, p := range x.Pipelines {
		for _, plan := range p.Plans {
			if p.Department != department || plan.Entity().Name != entity {
				continue
			}
			bound, err := plan.Bind(table(s))
			if err != nil {
				t.Fatal(err)
			}
			return bound.NewMapper()
		}
	}
	t.Fatalf("no mapping takes %s of %s", s.name, department)
	return nil
}

func table(s *sheet) *connectors.Table {
	shape := &connectors.Table{Name: s.name, Key: []int{0}}
	for _, name := range s.columns {
		shape.Columns = append(shape.Columns, connectors.Column{Name: name, Kind: connectors.KindText})
	}
	return shape
}

func asRow(r row) *connectors.Row {
	out := &connectors.Row{Table: table(r.sheet), Op: connectors.OpInsert}
	for _, v := range r.values {
		out.Values = append(out.Values, connectors.String([]byte(v)))
	}
	return out
}

// sample returns a row of the sheet that is right.
func sample(s *sheet) row {
	f := exemplar()
	it := newItem(0)
	d := &dossier{number: "140300-2025-0000001", item: &it, firm: f, applied: f.founded, accepted: f.founded, concluded: f.approved}
	switch s {
	case registerSheet:
		return f.registerRow(opInsert)
	case taxSheet:
		return f.taxRow()
	case itemSheet:
		return it.row(f.founded)
	case applicationSheet:
		return d.applicationRow(f.founded)
	case acceptanceSheet:
		return d.acceptanceRow(f.founded)
	}
	return d.conclusionRow(f.founded)
}

func TestEveryFaultIsRefusedByItsRuleAlone(t *testing.T) {
	x := load(t)
	for _, f := range Faults {
		t.Run(f.Department+"/"+f.Element+"/"+f.Rule, func(t *testing.T) {
			m := mapper(t, x, f.Department, f.sheet, f.Entity)
			r := sample(f.sheet)
			if out := m.Map(asRow(r)); out.Outcome != mapping.Accepted {
				t.Fatalf("the row is refused before it is spoilt: %+v", out.Violations)
			}
			f.spoil(r)
			var got [][2]string
			for _, v := range m.Map(asRow(r)).Violations {
				got = append(got, [2]string{v.Element, v.Rule})
			}
			if diff := cmp.Diff([][2]string{{f.Element, f.Rule}}, got); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryQuirkIsPutRight(t *testing.T) {
	x := load(t)
	at := map[*sheet][2]string{
		registerSheet: {Register, "legal_entity"}, taxSheet: {Tax, "legal_entity"}, applicationSheet: {Approval, "case_application"},
	}
	for s, list := range quirks {
		m := mapper(t, x, at[s][0], s, at[s][1])
		want := string(m.Map(asRow(sample(s))).Key)
		for i, odd := range list {
			r := sample(s)
			odd(r)
			if out := m.Map(asRow(r)); out.Outcome != mapping.Accepted || string(out.Key) != want {
				t.Errorf("%s, quirk %d: key %s, %+v", s.name, i, out.Key, out.Violations)
			}
		}
	}
}

func TestTheCityIsAsLargeAsItSaysAndAboutOneRowInAHundredIsWrong(t *testing.T) {
	town, err := Found(t.Context(), filepath.Join(t.TempDir(), "city"), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer town.Close()
	right := 0
	for _, s := range town.Standing() {
		right += s.Rows
	}
	wrong := 0
	for _, n := range town.Wrong() {
		wrong += n
	}
	if all := right + wrong; all < 20_000 || all > 21_000 || wrong*1000 < all*8 || wrong*1000 > all*12 {
		t.Errorf("%d rows are right and %d wrong", right, wrong)
	}
	if kinds := len(town.Wrong()); kinds != len(Faults) {
		t.Errorf("%d kinds of faults occur, want all %d", kinds, len(Faults))
	}
}

func TestTheSameSeedGivesTheSameCity(t *testing.T) {
	var got [2][]string
	for i := range got {
		town, err := Found(t.Context(), filepath.Join(t.TempDir(), "city"), 7)
		if err != nil {
			t.Fatal(err)
		}
		defer town.Close()
		for range 12 {
			if err := town.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range slices.Concat(town.firms, town.taxpayers) {
			got[i] = append(got[i], f.code+f.name+f.address())
		}
		for _, d := range town.cases {
			got[i] = append(got[i], d.number+d.item.implCode()+d.firm.code)
		}
	}
	if diff := cmp.Diff(got[0], got[1]); diff != "" {
		t.Errorf("two cities of one seed (-first +second):\n%s", diff)
	}
}

// Every row that the city calls right is accepted by the mappings, and every other one is refused.
func TestTheCityKnowsWhichOfItsRowsAreRight(t *testing.T) {
	x := load(t)
	town, err := Found(t.Context(), filepath.Join(t.TempDir(), "city"), 3)
	if err != nil {
		t.Fatal(err)
	}
	defer town.Close()
	for range 12 {
		if err := town.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got := map[Standing]bool{}
	for _, s := range []struct {
		department string
		*system
		sheet  *sheet
		entity string
	}{
		{Tax, town.tax, taxSheet, "legal_entity"}, {Approval, town.bureau, itemSheet, "service_item"},
		{Approval, town.bureau, applicationSheet, "case_application"}, {Approval, town.bureau, acceptanceSheet, "case_acceptance"},
		{Approval, town.bureau, conclusionSheet, "case_result"},
	} {
		m := mapper(t, x, s.department, s.sheet, s.entity)
		got[Standing{s.department, s.entity, accepted(t, s.system, s.sheet, m)}] = true
	}
	want := map[Standing]bool{}
	for _, s := range town.Standing() {
		if s.Department != Register { // its rows lie in files
			want[s] = true
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// accepted counts the rows of a table that a mapping accepts.
func accepted(t *testing.T, s *system, from *sheet, m *mapping.Mapper) (n int) {
	t.Helper()
	rows, err := s.db.Queryx("SELECT * FROM " + from.name) //nolint:sqlclosecheck // closed below; the linter loses sight of sqlx
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		cells, err := rows.SliceScan()
		if err != nil {
			t.Fatal(err)
		}
		r := from.newRow()
		for _, c := range cells {
			r.values = append(r.values, c.(string))
		}
		if m.Map(asRow(r)).Outcome == mapping.Accepted {
			n++
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}
