package delivery

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/quarantine"
)

func TestAZombieWritesNothing(t *testing.T) {
	w := newWorld(t)
	woken, stopped := make(chan struct{}), make(chan struct{})
	wake := sync.OnceFunc(func() { close(woken) })
	w.hook.set(once("write", func() error { close(stopped); <-woken; return nil }))
	w.publish("scjg", "440100", "旧")
	d, _ := w.start(w.options())
	t.Cleanup(wake)
	<-stopped // it has read the record, and now sleeps through everything that follows

	moveOn(t, w, memoryOf(w))
	wake()
	w.settle(d)
	w.want("scjg:440100=新")
}

// moveOn does what a delivery that has taken the partitions over does: it applies the record and a newer one.
func moveOn(t *testing.T, w *world, sink connectors.Sink) {
	t.Helper()
	w.publish("scjg", "440100", "新")
	id, err := w.client.ClusterID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ends, err := w.client.EndOffsets(t.Context(), w.name("scjg"))
	if err != nil {
		t.Fatal(err)
	}
	tables, err := entityTables(w.options().Dictionary, []string{entity})
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Ensure(t.Context(), []*connectors.Table{tables[entity].Table}); err != nil {
		t.Fatal(err)
	}
	p := broker.Partition([]byte("440100\x1f2024"), 3)
	row := connectors.Row{Table: tables[entity].Table, Op: connectors.OpUpsert, Values: make([]connectors.Value, len(tables[entity].Columns))}
	for i, s := range []string{"scjg", "440100", "2024", "新"} {
		row.Values[i] = connectors.String([]byte(s))
	}
	row.Values[2] = connectors.Int(2024)
	partition := connectors.Partition{Cluster: id, Topic: w.name("scjg"), ID: p}
	at, err := sink.Offsets(t.Context(), []connectors.Partition{partition})
	if err != nil {
		t.Fatal(err)
	}
	err = sink.Write(t.Context(), &connectors.Changes{Rows: []connectors.Row{row}, Offsets: []connectors.Advance{{
		Partition: partition, From: at[0].Next, Next: ends[p],
	}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

// everything is a generation that has all partitions of the test's topic.
func (w *world) everything() *broker.Generation {
	return &broker.Generation{Assigned: map[string][]int32{w.name("scjg"): {0, 1, 2}}}
}

// A request that comes to a zombie changes nothing: neither the platform nor the quarantine.
func TestAZombieServesNoRequest(t *testing.T) {
	for _, action := range []quarantine.Action{quarantine.Retry, quarantine.Discard} {
		t.Run(string(action), func(t *testing.T) {
			w := newWorld(t)
			w.refuse("坏")
			w.publish("scjg", "440100", "坏")
			d, stop := w.start(w.options())
			w.settle(d)
			stop()
			w.refuse("")
			zombie, err := New(w.options())
			if err != nil {
				t.Fatal(err)
			}
			r := &request{action: action, filter: &quarantine.Filter{}}
			_, err = zombie.attempt(t.Context(), w.everything(), func(a *attempt, _, lasting context.Context) error {
				moveOn(t, w, memoryOf(w))
				return a.serve(lasting, r)
			})
			if !errors.Is(err, connectors.ErrFenced) || r.answer.Delivered+r.answer.Discarded > 0 {
				t.Errorf("%s = %+v, %v, want ErrFenced", action, r.answer, err)
			}
			w.want("scjg:440100=新")
			if item := w.lying(itemKey("scjg", "440100")); item == nil || !item.Discarded.IsZero() {
				t.Errorf("the item is now %s", asJSON(item))
			}
		})
	}
}
