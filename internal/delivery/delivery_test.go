package delivery

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/quarantine"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/segmentio/kafka-go.(*connPool).discover"))
}

func sortAndCompare(t *testing.T, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("the platform has (-got +want):\n%s", diff)
	}
}

func TestDeliversEveryDepartmentAndWhatComesLater(t *testing.T) {
	w := newWorld(t)
	w.publish("scjg", "440100", "广州", "440200", "韶关", "440100", "广州市", "440300", "深圳")
	d, _ := w.start(w.options())
	w.settle(d)
	w.want("scjg:440100=广州市", "scjg:440200=韶关", "scjg:440300=深圳")

	w.publish("scjg", "440200", "", "440400", "珠海 \"\\\n海")
	w.topic("sp")
	w.publish("sp", "440100", "穗")
	w.settle(d)
	w.want("scjg:440100=广州市", "scjg:440300=深圳", "scjg:440400=珠海 \"\\\n海", "sp:440100=穗")

	s := d.Status()
	want := map[string]Counts{"scjg/pipe": {Delivered: 6}, "sp/pipe": {Delivered: 1}}
	if diff := cmp.Diff(s.Pipelines, want); diff != "" || s.Delivered != 7 || s.LagRecords != 0 || s.State != Idle {
		t.Errorf("status = %+v\n%s", s, diff)
	}
}

func TestTextsWithEscapesDoNotRunIntoOneAnother(t *testing.T) {
	w := newWorld(t)
	var records, want []string
	for i := range 30 {
		code, name := fmt.Sprintf("44%04d", i), fmt.Sprintf("第\\%d\t\"区\"", i)
		records = append(records, code, name)
		want = append(want, "scjg:"+code+"="+name)
	}
	w.publish("scjg", records...)
	d, _ := w.start(w.options())
	w.settle(d)
	w.want(want...)
}

func TestGoesOnWhereTheSinkStands(t *testing.T) {
	w := newWorld(t)
	w.publish("scjg", "440100", "广州")
	d, stop := w.start(w.options())
	w.settle(d)
	stop()
	w.publish("scjg", "440100", "广州市", "440200", "韶关")
	d, _ = w.start(w.options())
	w.settle(d)
	w.want("scjg:440100=广州市", "scjg:440200=韶关")
	if n := d.Status().Delivered; n != 3 {
		t.Errorf("delivered %d records in all, want 3", n)
	}
}

func TestReadsAgainWhatASinkHasNotCommitted(t *testing.T) {
	for _, step := range []string{"open", "write", "refused", "committed"} {
		t.Run("lost at "+step, func(t *testing.T) {
			w := newWorld(t)
			w.refuse("坏")
			w.publish("scjg", "440100", "广州", "440200", "坏", "440300", "深圳")
			w.hook.set(once(step, func() error { return errors.New("connection reset") }))
			d, _ := w.start(w.options())
			w.settle(d)
			w.want("scjg:440100=广州", "scjg:440300=深圳")
			if items := w.waiting(); len(items) != 1 {
				t.Errorf("%d items wait, want 1: %s", len(items), asJSON(items))
			}
		})
	}
}

func TestTwoShareThePartitions(t *testing.T) {
	w := newWorld(t)
	first, _ := w.start(w.options())
	second, stop := w.start(w.options())
	var want []string
	for i := range 60 {
		code := fmt.Sprintf("44%04d", i)
		w.publish("scjg", code, "名", code, "名字")
		want = append(want, "scjg:"+code+"=名字")
		if i == 40 {
			stop()
		}
	}
	w.settle(first)
	w.want(want...)
	w.wantAccounted(first.Status(), 0, 0)
	t.Logf("the second one saw %d delivered", second.Status().Delivered)
}

func TestRebuildFillsTheTablesAnew(t *testing.T) {
	for _, running := range []bool{false, true} {
		t.Run(fmt.Sprintf("while it runs %v", running), func(t *testing.T) {
			w := newWorld(t)
			w.publish("scjg", "440100", "广州", "440200", "韶关")
			d, stop := w.start(w.options())
			w.settle(d)
			if !running {
				stop()
			}
			if err := memoryPut(w, "scjg", "449999", "手工"); err != nil {
				t.Fatal(err)
			}
			if err := d.Rebuild(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !running {
				w.want()
				d, _ = w.start(w.options())
			}
			w.eventually(func() bool { return len(w.store.Rows(entity)) == 2 })
			w.settle(d)
			w.want("scjg:440100=广州", "scjg:440200=韶关")
		})
	}
}

func TestStopsWhenTheSinkIsAheadOfTheTopic(t *testing.T) {
	w := newWorld(t)
	w.publish("scjg", "440100", "广州")
	d, stop := w.start(w.options())
	w.settle(d)
	stop()
	moveBeyond(t, w)
	d, _ = w.start(w.options())
	w.eventually(func() bool { return d.Status().State == Halted })
	s := d.Status()
	if !strings.Contains(s.Error, "datong delivery rebuild") || !strings.Contains(s.ErrorZh, "datong delivery rebuild") {
		t.Errorf("error = %q / %q, want the cure", s.Error, s.ErrorZh)
	}
	if err := d.WaitIdle(t.Context()); !errors.Is(err, connectors.ErrStop) {
		t.Errorf("WaitIdle = %v, want ErrStop", err)
	}
	if _, err := d.Quarantine(t.Context(), quarantine.Retry, quarantine.Filter{}); !errors.Is(err, ErrBusy) || !errors.Is(err, connectors.ErrStop) {
		t.Errorf("a request to a halted delivery = %v, want why it has halted", err)
	}
	if err := d.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.eventually(func() bool { return d.Status().State == Idle })
	w.want("scjg:440100=广州")
}

// moveBeyond moves the sink past the end of every partition, as when the topic was made anew and is shorter.
func moveBeyond(t *testing.T, w *world) {
	t.Helper()
	id, err := w.client.ClusterID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sink := memoryOf(w)
	for p := range int32(3) {
		partition := connectors.Partition{Cluster: id, Topic: w.name("scjg"), ID: p}
		at, err := sink.Offsets(t.Context(), []connectors.Partition{partition})
		if err != nil {
			t.Fatal(err)
		}
		err = sink.Write(t.Context(), &connectors.Changes{Offsets: []connectors.Advance{{Partition: partition, From: at[0].Next, Next: 1000}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheBreakerOpensAndCloses(t *testing.T) {
	w := newWorld(t)
	w.publish("scjg", "440100", "广州")
	w.hook.set(func(step string) error {
		if step == "open" {
			return errors.New("connection refused")
		}
		return nil
	})
	d, _ := w.start(w.options())
	w.eventually(func() bool { s := d.Status(); return s.Breaker == "open" && s.State == Waiting })
	if s := d.Status(); !strings.Contains(s.Error, "connection refused") {
		t.Errorf("error = %q, want the cause", s.Error)
	}
}

func TestObservesLatencies(t *testing.T) {
	w := newWorld(t)
	opt := w.options()
	var n int
	var longest time.Duration
	opt.Observe = func(latency time.Duration, records int) { n += records; longest = max(longest, latency) }
	d, stop := w.start(opt)
	w.publish("scjg", "440100", "广州", "440200", "韶关")
	w.settle(d)
	stop()
	if n != 2 || longest > 10*time.Second {
		t.Errorf("observed %d records, at most %s", n, longest)
	}
}
