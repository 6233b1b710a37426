//go:build services

package realdata

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRealData takes public data through the real program: from files, over Kafka, to PostgreSQL.
func TestRealData(t *testing.T) {
	data, ok := findData(t)
	if !ok {
		t.Logf("there is no real data in %s: set DATONG_REAL_DATA to a folder laid out as README.md says", data)
		return
	}
	x := newExchange(t, data)
	figures := x.run()
	if figures.Total.Unaccounted != 0 {
		t.Errorf("%d rows are unaccounted: %+v", figures.Total.Unaccounted, figures.Total)
	}
	x.checkShares(figures)
	x.checkRefusals(figures)
	for _, department := range divisionDepartments {
		x.checkPlatform(department, "division", divisionColumns)
	}
	x.checkPlatform("portal", "catalogue_item", itemColumns)
	x.checkRows()
}

var (
	divisionDepartments = []string{"modood", "modood-nested", "wecatch", "eduosi", "mumuy"}
	divisionColumns     = []string{"code", "year", "name", "level", "parent_code"}
	itemColumns         = []string{"local_item_code", "item_name", "item_type", "parent_item_name", "provider_name", "provider_code", "region_code", "guide_url"}
)

// checkShares says whether enough of each entity's rows came through. A row that repeats another, or that the mapping
// leaves out because another table has it, has come through as well.
func (x *exchange) checkShares(f figures) {
	x.t.Helper()
	read, refused := map[string]int64{}, map[string]int64{}
	for _, p := range f.Pipelines {
		entity := "division"
		if p.Department == "portal" {
			entity = "catalogue_item"
		}
		if p.Read == 0 || p.Delivered == 0 {
			x.t.Errorf("%s/%s read %d rows and delivered %d records", p.Department, p.Name, p.Read, p.Delivered)
		}
		read[entity] += p.Read
		refused[entity] += p.Quarantined + p.Superseded
		x.t.Logf("%-13s %-9s read %5d published %5d unchanged %2d filtered %d quarantined %3d delivered %5d",
			p.Department, p.Name, p.Read, p.Published, p.Unchanged, p.Filtered, p.Quarantined, p.Delivered)
	}
	for entity, percent := range map[string]int64{"division": 99, "catalogue_item": 90} {
		passed := read[entity] - refused[entity]
		x.t.Logf("%s: %d of %d rows came through, %.3f %%", entity, passed, read[entity], 100*float64(passed)/float64(read[entity]))
		if passed*100 < percent*read[entity] {
			x.t.Errorf("%s: %d of %d rows came through, want %d %%", entity, passed, read[entity], percent)
		}
	}
	if read["catalogue_item"] != 1135 {
		x.t.Errorf("the portal lists %d items, want 1135", read["catalogue_item"])
	}
}

// agreed are the causes that a person looked at and agrees with: department, element, rule and the value's shape, with
// 9 for a digit.
var agreed = []string{
	"eduosi code required ",
	"eduosi code format.region.length 9×2",
	"eduosi code format.region.length 9×5",
	"eduosi code format.region.length 9×7",
	"eduosi code format.region.region 9×6",
	"eduosi code duplicate_key ",
	"wecatch code duplicate_key ",
	"mumuy code format.region.region 9×6",
}

// checkRefusals lists why rows are in quarantine and refuses a cause that nobody has agreed with.
func (x *exchange) checkRefusals(f figures) {
	x.t.Helper()
	var quarantined, listed int64
	for _, p := range f.Pipelines {
		quarantined += p.Quarantined
	}
	for _, g := range x.refusals() {
		x.t.Logf("%5d %s: %s (first at %s)", g.count, g.cause, g.message, g.place)
		listed += g.count
		if !slices.Contains(agreed, g.cause) {
			x.t.Errorf("%d rows are refused for a cause that nobody has agreed with: %s", g.count, g.cause)
		}
	}
	if listed != quarantined {
		x.t.Errorf("%d rows are in quarantine, and %d were counted as such", listed, quarantined)
	}
}

// checkPlatform compares the platform's table with what the department's topic holds.
func (x *exchange) checkPlatform(department, entity string, columns []string) {
	x.t.Helper()
	want, got := x.published(department, entity, columns), x.table(department, entity, columns)
	x.t.Logf("%s.%s: %d records on the topic, %d rows on the platform", department, entity, len(want), len(got))
	if diff := cmp.Diff(want, got); diff != "" {
		x.t.Errorf("%s: the platform's %s differs from the topic (-topic +platform)\n%.2000s", department, entity, diff)
	}
}

// checkRows looks at single rows that anybody can look up.
func (x *exchange) checkRows() {
	x.t.Helper()
	for _, row := range []struct{ department, key, want string }{
		{"modood", "140000|2023", "140000|2023|山西省|2|"},
		{"modood", "140300|2023", "140300|2023|阳泉市|3|140000"},
		{"modood", "140321|2023", "140321|2023|平定县|4|140300"},
		{"modood", "110101001|2023", "110101001|2023|东华门街道|5|110101"},
		{"modood", "441900|2023", "441900|2023|东莞市|3|440000"},
		{"modood-nested", "140321|2023", "140321|2023|平定县|4|140300"},
		{"modood-nested", "441900101|2023", "441900101|2023|石碣镇|5|441900"},
		{"wecatch", "140321|2020", "140321|2020|平定县|4|140300"},
		{"eduosi", "532900|2015", "532900|2015|大理白族自治州|3|"},
		{"mumuy", "140321|2025", "140321|2025|平定县|4|"},
	} {
		if got := x.table(row.department, "division", divisionColumns)[row.key]; got != row.want {
			x.t.Errorf("%s has %q on the platform, want %q", row.department, got, row.want)
		}
	}
	key := "511F33033003-511602000000-000-115113010833722043-1-00"
	link := "http://www.sczwfw.gov.cn/jiq/front/transition/ywTransToDetail?areaCode=511602000000&itemCode=" + key + "&taskType=7&deptCode=083372204"
	want := fmt.Sprintf("%s|三级社会体育指导员技术等级称号认定|07||区教科体局|083372204|511602|%s", key, link)
	if got := x.table("portal", "catalogue_item", itemColumns)[key]; got != want {
		x.t.Errorf("the item is %q on the platform, want %q", got, want)
	}
}
