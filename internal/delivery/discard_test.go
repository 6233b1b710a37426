package delivery

import (
	"testing"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/internal/quarantine"
)

func TestADiscardedRecordIsGivenUp(t *testing.T) {
	w := newWorld(t)
	w.refuse("坏")
	w.publish("scjg", "1", "坏", "2", "坏")
	d, stop := w.start(w.options())
	w.settle(d)
	w.discard(d, quarantine.Filter{RowKey: "1\x1f2024"}, 1)
	w.wantWaiting(itemKey("scjg", "2"))
	w.discard(d, quarantine.Filter{RowKey: "1\x1f2024"}, 0)
	stop()
	d, _ = w.start(w.options())
	w.settle(d)
	w.wantAccounted(d.Status(), 1, 1)
	w.refuse("")
	if r := w.retry(d); r != (Answer{Chosen: 1, Delivered: 1}) {
		t.Errorf("retry = %+v, want one that was not discarded", r)
	}
	w.want("scjg:2=坏")
	item := w.lying(itemKey("scjg", "1"))
	if item == nil || item.Discarded.IsZero() || item.Record != nil || item.Reason == "" {
		t.Errorf("what is left of it = %s, want no content", asJSON(item))
	}
	w.publish("scjg", "1", "好")
	w.settle(d)
	if item := w.lying(itemKey("scjg", "1")); item != nil {
		t.Errorf("left behind a newer state: %s", asJSON(item))
	}
}

// lying returns what lies in the quarantine under a key, discarded or not.
func (w *world) lying(key string) *Item {
	w.t.Helper()
	var last *Item
	err := records(w.t.Context(), w.client, w.prefix, "main", func(r *broker.Record) (err error) {
		switch {
		case string(r.Key) != key:
		case r.Value == nil:
			last = nil
		default:
			last, err = decodeItem("main", r)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return last
}

func TestFiltersChooseItems(t *testing.T) {
	now := time.Now()
	item := &Item{Delivery: "platform", Entity: "division", Department: "scjg", Key: "1\x1f2024", Source: "/scjg/divisions/%E5%BA%93.T_AREA",
		Reason: "value too long (SQLSTATE 22001)", Time: now}
	tests := []struct {
		name   string
		filter quarantine.Filter
		want   bool
	}{
		{"everything", quarantine.Filter{}, true},
		{"entity", quarantine.Filter{Entity: "division"}, true},
		{"another entity", quarantine.Filter{Entity: "legal_entity"}, false},
		{"department", quarantine.Filter{Department: "scjg"}, true},
		{"another department", quarantine.Filter{Department: "sp"}, false},
		{"pipeline and set", quarantine.Filter{Pipeline: "divisions", Set: "库.T_AREA"}, true},
		{"another pipeline", quarantine.Filter{Pipeline: "areas"}, false},
		{"another set", quarantine.Filter{Set: "T_AREA"}, false},
		{"key", quarantine.Filter{RowKey: "1\x1f2024"}, true},
		{"another key", quarantine.Filter{RowKey: "1"}, false},
		{"part of the reason", quarantine.Filter{Reason: "SQLSTATE 22001"}, true},
		{"another reason", quarantine.Filter{Reason: "SQLSTATE 23514"}, false},
		{"refused since", quarantine.Filter{Since: now.Add(-time.Hour), Until: now.Add(time.Hour)}, true},
		{"refused before", quarantine.Filter{Since: now.Add(time.Hour)}, false},
		{"refused after", quarantine.Filter{Until: now.Add(-time.Hour)}, false},
		{"a rule, which only mappings have", quarantine.Filter{Rule: "length"}, false},
		{"an element, which only mappings have", quarantine.Filter{Element: "code"}, false},
	}
	for _, tt := range tests {
		if got := item.Match(&tt.filter); got != tt.want {
			t.Errorf("%s: Match = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestARetryTakesWhatTheFilterChooses(t *testing.T) {
	w := newWorld(t)
	w.topic("sp")
	w.refuse("坏")
	w.publish("scjg", "1", "坏")
	w.publish("sp", "1", "坏", "2", "坏")
	d, _ := w.start(w.options())
	w.settle(d)
	w.refuse("")
	r, err := d.Quarantine(t.Context(), quarantine.Retry, quarantine.Filter{Department: "sp", RowKey: "1\x1f2024"})
	if err != nil || r != (Answer{Chosen: 1, Delivered: 1}) {
		t.Errorf("retry = %+v, %v", r, err)
	}
	w.want("sp:1=坏")
	w.wantWaiting(itemKey("scjg", "1"), itemKey("sp", "2"))
	w.wantAccounted(d.Status(), 2, 0)
}

// New records come while others are given up: they go in, and their keys are not given up after that.
func TestNewRecordsPassADiscard(t *testing.T) {
	w := newWorld(t)
	w.refuse("坏")
	const n = 2 * passEvery
	records, _ := many(n, "坏")
	w.publish("scjg", records...)
	d, _ := w.start(w.options())
	w.settle(d)
	var newer, rows []string
	for i := 0; i < n; i += 2 {
		newer, rows = append(newer, records[2*i], "新"), append(rows, "scjg:"+records[2*i]+"=新")
	}
	w.hook.set(once("write", func() error { // the sink is asked whether the partitions are still ours
		w.publish("scjg", newer...)
		w.eventually(batchAtTheDoor)
		return nil
	}))
	r, err := d.Quarantine(t.Context(), quarantine.Discard, quarantine.Filter{})
	if err != nil || r != (Answer{Chosen: n / 2, Discarded: n / 2}) {
		t.Errorf("discard = %+v, %v, want the %d that were not overtaken", r, err, n/2)
	}
	w.settle(d)
	w.want(rows...)
	w.wantAccounted(d.Status(), 0, n/2)
}
