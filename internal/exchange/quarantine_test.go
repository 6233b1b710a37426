package exchange_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/exchange"
	"github.com/datong-dx/datong/internal/exchange/exchangetest"
	"github.com/datong-dx/datong/internal/pipeline"
	"github.com/datong-dx/datong/internal/quarantine"
)

// refusing is an exchange in which both rows are in quarantine, each for a cause of its own.
func refusing(t *testing.T) string {
	t.Helper()
	dir := exchangetest.Directory(t)
	exchangetest.Edit(t, dir, exchangetest.File, "存续", "歇业")
	exchangetest.Edit(t, dir, exchangetest.File, "91140302MA0EXAM23R", "91140302MA0EXAM23X")
	return dir
}

func waiting(t *testing.T, x *exchange.Exchange, sel exchange.Selection) []exchange.Waiting {
	t.Helper()
	var list []exchange.Waiting
	if err := x.Each(t.Context(), sel, func(w exchange.Waiting) error { list = append(list, w); return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestWhatWaitsIsGroupedByCauseAndLetInWhenMended(t *testing.T) {
	dir := refusing(t)
	exchangetest.Once(t, dir)
	x := exchangetest.OpenIdle(t, dir)
	groups, err := x.Groups(t.Context(), exchange.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	var causes []string
	for _, g := range groups {
		causes = append(causes, strings.Join([]string{g.Department, g.Pipeline, g.Element, g.Rule, g.Example}, " "))
		if g.Count != 1 || g.Zh == "" || g.En == "" || g.First.IsZero() {
			t.Errorf("got %+v", g)
		}
	}
	if diff := cmp.Diff([]string{
		"market-regulation enterprises reg_status crosswalk data/enterprises.csv:2",
		"market-regulation enterprises uscc format.uscc.check data/enterprises.csv:3",
	}, causes); diff != "" {
		t.Error(diff)
	}
	act := func(x *exchange.Exchange, action quarantine.Action, rule string) pipeline.Answer {
		t.Helper()
		answers, err := x.Act(t.Context(), action, exchange.Selection{Filter: quarantine.Filter{Rule: rule}})
		if err != nil || len(answers) != 1 || answers[0].Error != "" {
			t.Fatalf("got %+v, %v", answers, err)
		}
		return answers[0].Answer
	}
	if got := act(x, quarantine.Retry, ""); got != (pipeline.Answer{Chosen: 2, Refused: 2}) {
		t.Errorf("nothing is mended: %+v", got)
	}
	if got := act(x, quarantine.Discard, "format.uscc.check"); got != (pipeline.Answer{Chosen: 1, Discarded: 1}) {
		t.Errorf("discarded: %+v", got)
	}
	x.Close()

	exchangetest.Edit(t, dir, "departments/market-regulation/codes/reg_status.csv", "在业,1,,,", "在业,1,,,\n歇业,1,,,")
	running := exchangetest.Open(t, dir, exchange.Options{})
	exchangetest.Run(t, running)
	exchangetest.Until(t, running, "idle", delivered(0))
	if got := act(running, quarantine.Retry, "crosswalk"); got != (pipeline.Answer{Chosen: 1, Published: 1}) {
		t.Errorf("mended: %+v", got)
	}
	s := exchangetest.Until(t, running, "delivered", delivered(1))
	if s.Total.Published != 1 || s.Total.Quarantined != 1 || s.Total.Waiting != 0 || s.Total.Unaccounted != 0 {
		t.Errorf("got %+v", s.Total)
	}
	if list := waiting(t, running, exchange.Selection{}); len(list) != 0 {
		t.Errorf("still waiting: %+v", list)
	}
}

func TestPersonalDataAreMaskedUnlessRevealed(t *testing.T) {
	dir := refusing(t)
	exchangetest.Once(t, dir)
	x := exchangetest.OpenIdle(t, dir)
	for _, reveal := range []bool{false, true} {
		for _, w := range waiting(t, x, exchange.Selection{}) {
			w.Mask(reveal)
			text, err := json.Marshal(w)
			if err != nil {
				t.Fatal(err)
			}
			shown := strings.Contains(string(text), "张三") || strings.Contains(string(text), "李四")
			if shown != reveal {
				t.Errorf("reveal %v: %s", reveal, text)
			}
			if !strings.Contains(string(text), "阳泉示例") {
				t.Errorf("what is not personal is gone: %s", text)
			}
		}
	}
	record := exchange.Waiting{Record: &delivery.Item{Key: "张三", Record: json.RawMessage(`{"a":"张三"}`), Raw: []byte("张三")}}
	record.Mask(false)
	if text, err := json.Marshal(record); err != nil || strings.Contains(string(text), "张三") {
		t.Errorf("%s %v", text, err)
	}
}

func TestWhoLookedAndDecidedIsKept(t *testing.T) {
	dir := exchangetest.Directory(t)
	x := exchangetest.OpenIdle(t, dir)
	want := []exchange.AuditEntry{
		{Time: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), Who: "wang", Action: "reveal", Selection: exchange.Selection{Filter: quarantine.Filter{Rule: "crosswalk"}}},
		{Time: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Who: "li", Action: "discard", Reason: "撤销登记"},
	}
	for _, e := range want {
		if err := x.Audit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	var got []exchange.AuditEntry
	_, err := x.Client().Scan(t.Context(), "datong._main.audit", nil, func(_ int32, r *broker.Record) error {
		var e exchange.AuditEntry
		got = append(got, e)
		return json.Unmarshal(r.Value, &got[len(got)-1])
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
