package dictionary_test

import (
	"testing"
	"time"

	"github.com/datong-dx/datong/mapping/dictionary"
)

func day(t testing.TB, s string) int32 {
	t.Helper()
	at, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return int32(at.Unix() / 86400)
}

func TestCodesAreValidAtTheirDates(t *testing.T) {
	d := extend(t, "testdata/dated")
	tests := []struct {
		name, code, date string
		ok, known        bool
	}{
		{"before its first period", "1", "2019-12-31", false, true},
		{"on the first day of its first period", "1", "2020-01-01", true, true},
		{"on the last day of its first period", "1", "2020-12-31", true, true},
		{"between two periods", "1", "2021-06-01", false, true},
		{"in its open second period", "1", "2099-01-01", true, true},
		{"without dates, long ago", "2", "1900-01-01", true, true},
		{"until a day, before 1970", "3", "1969-12-31", true, true},
		{"until a day, on the day after", "3", "1970-01-01", false, true},
		{"unknown", "4", "2020-01-01", false, false},
		{"empty", "", "2020-01-01", false, false},
		{"longer than a code", "11", "2020-01-01", false, false},
	}
	set := d.CodeSet("colour")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ok, known := set.Valid([]byte(tt.code), day(t, tt.date))
			if ok != tt.ok || known != tt.known {
				t.Errorf("got %v, %v; want %v, %v", ok, known, tt.ok, tt.known)
			}
		})
	}
	if title, ok := set.TitleOf("1"); !ok || title.Zh != "大红" {
		t.Errorf("the title of a renamed code is its latest: got %q", title.Zh)
	}
}

// What is known is what is listed, however long it is, and nothing that resembles it.
func TestOnlyWhatIsListedIsKnown(t *testing.T) {
	for _, set := range dictionary.Builtin().CodeSets() {
		listed := map[string]bool{}
		for _, c := range set.Codes {
			listed[c.Value] = true
		}
		for _, c := range set.Codes {
			n := len(c.Value)
			for _, code := range []string{c.Value, c.Value[:n-1], c.Value + "0", c.Value + "\x00", "\x00" + c.Value[1:], c.Value[1:], c.Value + c.Value} {
				want := listed[code]
				if set.Prefix > 0 && len(code) > set.Prefix {
					want = listed[code[:set.Prefix]]
				}
				if _, known := set.Valid([]byte(code), 0); known != want {
					t.Errorf("%s %q: known is %v, want %v", set.Name, code, known, want)
				}
			}
		}
	}
}

func TestADivisionIsJudgedByItsCounty(t *testing.T) {
	set := dictionary.Builtin().CodeSet("division")
	for code, want := range map[string]bool{
		"140300": true, "140321": true, "140321001": true, "140321001200": true, "441900003": true,
		"710000": true, "810000": true, "820000": true, "140399": false, "140399001": false, "1403": false,
	} {
		if ok, _ := set.Valid([]byte(code), 0); ok != want {
			t.Errorf("%s: got %v, want %v", code, ok, want)
		}
	}
	if title, ok := set.TitleOf("140321001"); !ok || title.Zh != "平定县" {
		t.Errorf("140321001 lies in %q, want 平定县", title.Zh)
	}
}

func TestEveryDivisionHasAParentButTheProvinces(t *testing.T) {
	provinces := 0
	for _, c := range dictionary.Builtin().CodeSet("division").Codes {
		if c.Parent == "" {
			provinces++
			if c.Value[2:] != "0000" || c.Title.En == "" {
				t.Errorf("%s has no parent or no English name", c.Value)
			}
		}
	}
	if provinces != 34 {
		t.Errorf("got %d divisions at the top, want 34", provinces)
	}
}

func BenchmarkValid(b *testing.B) {
	for _, bb := range []struct{ set, code string }{{"item_type", "01"}, {"division", "140321"}, {"division", "140321001200"}} {
		b.Run(bb.set+"/"+bb.code, func(b *testing.B) {
			set, code := dictionary.Builtin().CodeSet(bb.set), []byte(bb.code)
			b.ReportAllocs()
			for b.Loop() {
				if ok, _ := set.Valid(code, 20000); !ok {
					b.Fatal("not valid")
				}
			}
		})
	}
}
