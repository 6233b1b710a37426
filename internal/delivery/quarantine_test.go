package delivery

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
	"github.com/datong-dx/datong/internal/quarantine"
)

func itemKey(department, code string) string {
	return strings.Join([]string{"platform", entity, department, code + "\x1f2024"}, separator)
}

// wantWaiting compares the keys that wait.
func (w *world) wantWaiting(keys ...string) map[string]*Item {
	w.t.Helper()
	items := w.waiting()
	var got []string
	for k := range items {
		got = append(got, k)
	}
	sortAndCompare(w.t, got, keys)
	return items
}

func (w *world) retry(d *Delivery) Answer {
	w.t.Helper()
	r, err := d.Quarantine(w.t.Context(), quarantine.Retry, quarantine.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func TestARefusedRowWaitsAndIsRetried(t *testing.T) {
	w := newWorld(t)
	w.refuse("坏")
	w.publish("scjg", "440100", "坏", "440200", "韶关")
	d, _ := w.start(w.options())
	w.settle(d)
	w.want("scjg:440200=韶关")
	item := w.wantWaiting(itemKey("scjg", "440100"))[itemKey("scjg", "440100")]
	want := &Item{Delivery: "platform", Entity: entity, Department: "scjg", Key: "440100\x1f2024", Topic: w.name("scjg"),
		Partition: item.Partition, Offset: item.Offset, Source: "/scjg/pipe/set", Reason: "the platform does not like this name",
		Record: json.RawMessage(`{"code":"440100","year":2024,"name":"坏"}`), Changed: item.Changed, Time: item.Time}
	if diff := cmp.Diff(item, want); diff != "" {
		t.Errorf("item (-got +want):\n%s", diff)
	}
	if s := d.Status(); s.Delivered != 1 || s.Refused != 1 || s.Waiting != 1 || time.Since(item.Changed) > time.Minute {
		t.Errorf("status = %+v, changed %s", s, item.Changed)
	}
	if r := w.retry(d); r != (Answer{Chosen: 1, Refused: 1}) {
		t.Errorf("retry before the cure = %+v", r)
	}
	w.refuse("")
	if r := w.retry(d); r != (Answer{Chosen: 1, Delivered: 1}) {
		t.Errorf("retry after the cure = %+v", r)
	}
	w.want("scjg:440100=坏", "scjg:440200=韶关")
	w.wantWaiting()
	if s := d.Status(); s.Delivered != 2 || s.Waiting != 0 {
		t.Errorf("status = %+v", s)
	}
}

func TestRetriesByItselfAfterARestart(t *testing.T) {
	w := newWorld(t)
	w.refuse("坏")
	w.publish("scjg", "440100", "坏")
	d, stop := w.start(w.options())
	w.settle(d)
	stop()
	w.refuse("")
	opt := w.options()
	opt.RetryInterval = time.Millisecond
	w.start(opt)
	w.eventually(func() bool { return len(w.store.Rows(entity)) == 1 })
	w.want("scjg:440100=坏")
	w.eventually(func() bool { return len(w.waiting()) == 0 })
}

func TestANewerStateClosesAnItem(t *testing.T) {
	for newer, want := range map[string][]string{"好": {"scjg:440100=好"}, "": nil} {
		t.Run(fmt.Sprintf("newer is %q", newer), func(t *testing.T) {
			w := newWorld(t)
			w.refuse("坏")
			w.publish("scjg", "440100", "坏")
			d, _ := w.start(w.options())
			w.settle(d)
			w.wantWaiting(itemKey("scjg", "440100"))
			w.publish("scjg", "440100", newer)
			w.settle(d)
			w.eventually(func() bool { return len(w.waiting()) == 0 })
			w.want(want...)
		})
	}
}

// A zombie's items may reach the quarantine after its successor has gone on. They say something of the past.
func TestARetryGoesByTheTopicNotByTheItem(t *testing.T) {
	tests := []struct {
		name, newer string
		want        []string
	}{
		{"a newer state was applied", "好", []string{"scjg:440100=好"}},
		{"the key was deleted", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.refuse("坏")
			w.publish("scjg", "440100", "坏")
			d, stop := w.start(w.options())
			w.settle(d)
			stale := w.wantWaiting(itemKey("scjg", "440100"))[itemKey("scjg", "440100")]
			w.publish("scjg", "440100", tt.newer)
			w.settle(d)
			stop()
			w.refuse("")
			w.putItem(stale)
			d, _ = w.start(w.options())
			w.settle(d)
			w.retry(d)
			w.want(tt.want...)
			w.wantWaiting()
		})
	}
}

func TestAStaleItemDoesNotHideANewerRefusal(t *testing.T) {
	w := newWorld(t)
	w.refuse("坏")
	w.publish("scjg", "440100", "坏")
	d, stop := w.start(w.options())
	w.settle(d)
	stale := w.wantWaiting(itemKey("scjg", "440100"))[itemKey("scjg", "440100")]
	w.publish("scjg", "440100", "好")
	w.settle(d)
	w.publish("scjg", "440100", "坏")
	w.settle(d)
	stop()
	w.putItem(stale) // in place of the newer one
	d, _ = w.start(w.options())
	w.settle(d)
	if r := w.retry(d); r != (Answer{Chosen: 1, Refused: 1}) {
		t.Errorf("retry = %+v, want one refused", r)
	}
	if item := w.wantWaiting(itemKey("scjg", "440100"))[itemKey("scjg", "440100")]; item.Offset <= stale.Offset {
		t.Errorf("the item that waits is of offset %d, want the newer record", item.Offset)
	}
	w.want("scjg:440100=好")
}

// putItem puts items into the quarantine past the delivery.
func (w *world) putItem(items ...*Item) {
	w.t.Helper()
	topic := broker.QuarantineTopic(QuarantineTopic(w.prefix, "main"), broker.TopicOptions{})
	if err := w.client.EnsureTopic(w.t.Context(), topic); err != nil {
		w.t.Fatal(err)
	}
	var txn broker.Txn
	for _, item := range items {
		value, err := json.Marshal(item)
		if err != nil {
			w.t.Fatal(err)
		}
		key := []byte(itemKey(item.Department, strings.TrimSuffix(item.Key, "\x1f2024")))
		txn.Add(topic.Name, broker.Partition(key, topic.Partitions), broker.AppendPlainBody(nil, key, value))
	}
	w.commit(&txn)
}

func TestWhatCannotBeDecodedWaitsToo(t *testing.T) {
	w := newWorld(t)
	w.publish("scjg", "440100", "广州")
	good := `{"code":"440200","year":2024,"name":"韶关"}`
	w.raw("scjg", "440200\x1f2024", "<xml>不是我们的</xml>")
	w.raw("scjg", "440300\x1f2024", good, broker.Header{Name: broker.HeaderDataSchema, Value: []byte("urn:datong:division:99.0.0")})
	w.raw("scjg", "440400\x1f2024", `{"name":"无主键"}`)
	w.raw("scjg", "440500\x1f2024", `{"code":"440500","year":"not a number","name":"机密"}`)
	d, _ := w.start(w.options())
	w.settle(d)
	w.want("scjg:440100=广州")
	items := w.wantWaiting(itemKey("scjg", "440200"), itemKey("scjg", "440300"), itemKey("scjg", "440400"), itemKey("scjg", "440500"))
	for key, part := range map[string]string{"440200": "not a JSON object", "440300": "newer dictionary", "440400": "key element code is missing", "440500": "element year"} {
		if item := items[itemKey("scjg", key)]; item == nil || !strings.Contains(item.Reason, part) || strings.Contains(item.Reason, "机密") {
			t.Errorf("reason of %s = %s, want %q", key, asJSON(item), part)
		}
	}
	if item := items[itemKey("scjg", "440200")]; item != nil && string(item.Raw) != "<xml>不是我们的</xml>" {
		t.Errorf("raw = %q", item.Raw)
	}
	w.raw("scjg", "440200\x1f2024", good)
	w.settle(d)
	w.want("scjg:440100=广州", "scjg:440200=韶关")
	w.eventually(func() bool { return len(w.waiting()) == 3 })
}

func TestNothingIsCommittedBeforeTheQuarantineHasIt(t *testing.T) {
	client, server := brokertest.StartWith(t, broker.Config{})
	w := newWorldOn(t, client)
	w.refuse("坏")
	topic := broker.QuarantineTopic(QuarantineTopic(w.prefix, "main"), broker.TopicOptions{})
	if err := client.EnsureTopic(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	const topicAuthorizationFailed = 29
	hits := brokertest.RefuseTopic(server, brokertest.Produce, topic.Name, topicAuthorizationFailed, -1)
	w.publish("scjg", "440100", "坏", "440200", "韶关")
	d, _ := w.start(w.options())
	w.eventually(func() bool { return hits() > 0 && d.Status().State == Halted })
	w.want()
	if s := d.Status(); s.Delivered != 0 || !strings.Contains(s.Error, topic.Name) {
		t.Errorf("status = %+v", s)
	}
}
