package delivery

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/datong-dx/datong/internal/quarantine"
)

func TestReadStatusOfADeliveryThatDoesNotRun(t *testing.T) {
	w := newWorld(t)
	s, err := ReadStatus(t.Context(), w.options())
	if err != nil || s.State != Stopped || s.Counts != (Counts{}) || !s.Written.IsZero() {
		t.Errorf("before the first start: %+v, %v", s, err)
	}
	if topics, err := w.client.Topics(t.Context()); err != nil || topics[QuarantineTopic(w.prefix, "main")] != 0 {
		t.Errorf("asking made a quarantine topic: %v, %v", topics, err)
	}
	w.refuse("坏")
	w.publish("scjg", "1", "好", "2", "坏")
	d, stop := w.start(w.options())
	w.settle(d)
	running := d.Status()
	stop()
	w.publish("scjg", "3", "好")
	s, err = ReadStatus(t.Context(), w.options())
	if err != nil {
		t.Fatal(err)
	}
	if s.LagRecords == 0 || s.LagSeconds <= 0 {
		t.Errorf("lag = %d records, %f s, want some: a record has come since", s.LagRecords, s.LagSeconds)
	}
	same := cmp.Options{cmpopts.IgnoreFields(Status{}, "State", "Partitions", "LagRecords", "LagSeconds"), cmpopts.IgnoreUnexported(Status{})}
	if diff := cmp.Diff(s, running, same); diff != "" {
		t.Errorf("status (-read +running):\n%s", diff)
	}
}

func TestReadStatusDisturbsNobody(t *testing.T) {
	w := newWorld(t)
	w.refuse("坏")
	w.publish("scjg", "1", "坏")
	d, _ := w.start(w.options())
	w.settle(d)
	opened := 0
	w.hook.set(func(step string) error {
		if step == "open" {
			opened++
		}
		return nil
	})
	if s, err := ReadStatus(t.Context(), w.options()); err != nil || s.Waiting != 1 {
		t.Fatalf("status = %+v, %v", s, err)
	}
	w.publish("scjg", "2", "好")
	w.settle(d)
	w.refuse("")
	w.retry(d) // writes the sink and the quarantine
	w.wantWaiting()
	w.wantAccounted(d.Status(), 0, 0)
	if opened != 1 {
		t.Errorf("the sink was opened %d times, want once, for the status: the delivery goes on as it was", opened)
	}
}

func TestReadStatusTellsWhyAStartWouldHalt(t *testing.T) {
	w := newWorld(t)
	w.publish("scjg", "1", "好")
	d, stop := w.start(w.options())
	w.settle(d)
	stop()
	moveBeyond(t, w)
	s, err := ReadStatus(t.Context(), w.options())
	if err != nil || s.Error == "" || s.ErrorZh == "" {
		t.Errorf("status = %+v, %v, want the reason", s, err)
	}
	w.hook.set(func(string) error { return errors.New("connection refused") })
	if s, err := ReadStatus(t.Context(), w.options()); err == nil || s.Name != "platform" {
		t.Errorf("status without a sink = %+v, %v, want its error", s, err)
	}
}

func TestOnceActsWhenNobodyDelivers(t *testing.T) {
	w := newWorld(t)
	once := func(action quarantine.Action, filter quarantine.Filter, want Answer) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if got, err := Once(ctx, w.options(), action, filter); err != nil || got != want {
			t.Errorf("%s = %+v, %v, want %+v", action, got, err, want)
		}
	}
	once(quarantine.Retry, quarantine.Filter{}, Answer{})
	w.refuse("坏")
	w.publish("scjg", "1", "坏", "2", "坏", "3", "坏")
	d, stop := w.start(w.options())
	w.settle(d)
	stop()
	w.publish("scjg", "3", "好") // waits for a start: a request delivers nothing
	once(quarantine.Retry, quarantine.Filter{RowKey: "1\x1f2024"}, Answer{Chosen: 1, Refused: 1})
	once(quarantine.Discard, quarantine.Filter{RowKey: "2\x1f2024"}, Answer{Chosen: 1, Discarded: 1})
	w.refuse("")
	once(quarantine.Retry, quarantine.Filter{}, Answer{Chosen: 2, Delivered: 2})
	w.want("scjg:1=坏", "scjg:3=坏")
	d, _ = w.start(w.options())
	w.settle(d)
	w.want("scjg:1=坏", "scjg:3=好")
	w.wantAccounted(d.Status(), 0, 1)
}

func TestOnceLeavesADeliveryThatRunsAlone(t *testing.T) {
	w := newWorld(t)
	w.refuse("坏")
	w.publish("scjg", "1", "坏")
	d, _ := w.start(w.options())
	w.settle(d)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if r, err := Once(ctx, w.options(), quarantine.Discard, quarantine.Filter{}); !errors.Is(err, ErrBusy) {
		t.Errorf("discard beside a delivery = %+v, %v, want ErrBusy", r, err)
	}
	w.wantWaiting(itemKey("scjg", "1"))
	w.publish("scjg", "2", "好")
	w.settle(d)
	w.want("scjg:2=好")
	w.wantAccounted(d.Status(), 1, 0)
}
