package delivery

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// many returns codes and names for publish, and the rows that they make.
func many(n int, name string) (records, rows []string) {
	for i := range n {
		code := fmt.Sprintf("%06d", i)
		records = append(records, code, name)
		rows = append(rows, "scjg:"+code+"="+name)
	}
	return records, rows
}

// lower sets a limit for the time of the test.
func lower(t *testing.T, limit *int, to int) {
	before := *limit
	t.Cleanup(func() { *limit = before })
	*limit = to
}

func TestALargeQuarantineIsRetriedInTurns(t *testing.T) {
	lower(t, &retriesAtOnce, 50)
	w := newWorld(t)
	w.refuse("坏")
	records, rows := many(600, "坏")
	w.publish("scjg", records...)
	d, _ := w.start(w.options())
	w.settle(d)
	if r := w.retry(d); r != (Answer{Chosen: 600, Refused: 600}) {
		t.Errorf("retry before the cure = %+v", r)
	}
	w.wantAccounted(d.Status(), 600, 0)
	w.refuse("")
	if r := w.retry(d); r != (Answer{Chosen: 600, Delivered: 600}) {
		t.Errorf("retry after the cure = %+v", r)
	}
	w.want(rows...)
	w.wantAccounted(d.Status(), 0, 0)
}

func TestALargeQuarantineComesInByItself(t *testing.T) {
	lower(t, &dueAtOnce, 50)
	w := newWorld(t)
	w.refuse("坏")
	records, rows := many(150, "坏")
	w.publish("scjg", records...)
	d, stop := w.start(w.options())
	w.settle(d)
	stop()
	w.refuse("")
	opt := w.options()
	opt.RetryInterval = time.Millisecond
	d, _ = w.start(opt)
	w.eventually(func() bool { return d.Status().Waiting == 0 && d.Status().Delivered > 0 })
	w.want(rows...)
	w.wantAccounted(d.Status(), 0, 0)
}

// New records come while old ones are tried again: they go in at once, and what they overtake stays out.
func TestNewRecordsPassARetry(t *testing.T) {
	w := newWorld(t)
	w.refuse("坏")
	records, rows := many(6*retryRows, "坏")
	w.publish("scjg", records...)
	d, _ := w.start(w.options())
	w.settle(d)
	w.refuse("")
	var newer []string
	for i := 0; i < len(rows); i += 30 {
		code := fmt.Sprintf("%06d", i)
		newer, rows[i] = append(newer, code, "新"), "scjg:"+code+"=新"
	}
	var rowsWhenPassed int
	w.hook.set(func(step string) error {
		if step == "write" && newer != nil { // the first of the retry
			w.publish("scjg", newer...)
			newer = nil
			w.eventually(batchAtTheDoor)
		}
		if step == "committed" && rowsWhenPassed == 0 && w.has("新") {
			rowsWhenPassed = len(w.store.Rows(entity))
		}
		return nil
	})
	r := w.retry(d)
	w.hook.set(nil)
	w.settle(d)
	w.want(rows...)
	w.wantAccounted(d.Status(), 0, 0)
	if rowsWhenPassed == 0 || rowsWhenPassed > 3*retryRows {
		t.Errorf("new records came when %d old ones were written, want them after the first %d", rowsWhenPassed, retryRows)
	}
	if r.Stale == 0 || r.Delivered+r.Stale != r.Chosen {
		t.Errorf("retry = %+v, want some overtaken", r)
	}
}

// batchAtTheDoor says that the collector waits to hand a batch over.
func batchAtTheDoor() bool {
	stacks := make([]byte, 1<<20)
	return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "(*attempt).hand(")
}

func (w *world) has(name string) bool {
	for _, r := range w.store.Rows(entity) {
		if r[3] == name {
			return true
		}
	}
	return false
}

// Compaction has taken a refused record, and the tombstone that came after it: the item is all that is left.
func TestAnItemOfWhichTheTopicHasNothingLeft(t *testing.T) {
	for policy, want := range map[string]Answer{"compact": {Chosen: 1, Stale: 1}, "compact,delete": {Chosen: 1, Refused: 1}} {
		t.Run(policy, func(t *testing.T) {
			w := newWorld(t)
			w.topicWith("sp", 1, policy)
			w.partitions = 1
			w.publish("sp", "2", "好")
			w.putItem(&Item{Delivery: "platform", Entity: entity, Department: "sp", Key: "1\x1f2024", Topic: w.name("sp"),
				Source: "/sp/pipe/set", Reason: "no reason", Time: time.Now()})
			d, _ := w.start(w.options())
			w.settle(d)
			if r := w.retry(d); r != want {
				t.Errorf("retry = %+v, want %+v", r, want)
			}
			if n := len(w.waiting()); n != int(want.Refused) {
				t.Errorf("%d items wait, want %d", n, want.Refused)
			}
			w.want("sp:2=好")
		})
	}
}
