package delivery

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/quarantine"
)

func TestCountsOutliveTheProcess(t *testing.T) {
	w := newWorld(t)
	w.topic("sp")
	w.refuse("坏")
	w.publish("scjg", "440100", "广州", "440100", "广州市", "440200", "坏", "440300", "")
	w.publish("sp", "440100", "穗")
	d, stop := w.start(w.options())
	w.settle(d)
	before := d.Status()
	stop()
	d, _ = w.start(w.options())
	w.settle(d)
	s := d.Status()
	want := map[string]Counts{"scjg/pipe": {Delivered: 3, Refused: 1, Waiting: 1}, "sp/pipe": {Delivered: 1}}
	if diff := cmp.Diff(s.Pipelines, want); diff != "" || s.Counts != (Counts{Delivered: 4, Refused: 1, Waiting: 1}) {
		t.Errorf("after a restart: %+v\n%s", s.Counts, diff)
	}
	if !s.Written.Equal(before.Written) || s.Written.IsZero() {
		t.Errorf("written %s, want %s as before the restart", s.Written, before.Written)
	}
}

func TestARefusedRecordIsCountedOnceWhateverBecomesOfIt(t *testing.T) {
	w := newWorld(t)
	w.refuse("坏")
	d, _ := w.start(w.options())
	step := func(name string, waiting, discarded int64) {
		t.Helper()
		w.settle(d)
		w.wantAccounted(d.Status(), waiting, discarded)
		if t.Failed() {
			t.Fatalf("after %s", name)
		}
	}
	w.publish("scjg", "1", "坏", "2", "坏", "3", "坏", "4", "坏")
	step("four refusals", 4, 0)
	w.publish("scjg", "1", "坏")
	step("a newer refusal of the same key", 4, 0)
	w.publish("scjg", "1", "好", "2", "")
	step("newer states", 2, 0)
	w.discard(d, quarantine.Filter{RowKey: "3\x1f2024"}, 1)
	step("a discard", 1, 1)
	w.refuse("")
	w.retry(d)
	step("a retry", 0, 1)
	w.want("scjg:1=好", "scjg:4=坏")
	w.publish("scjg", "3", "好")
	step("a newer state of what was discarded", 0, 0)
	w.want("scjg:1=好", "scjg:3=好", "scjg:4=坏")
}

func TestARebuildCountsFromZero(t *testing.T) {
	w := newWorld(t)
	w.refuse("坏")
	w.publish("scjg", "1", "坏", "2", "坏", "3", "好", "3", "更好")
	d, stop := w.start(w.options())
	w.settle(d)
	w.discard(d, quarantine.Filter{RowKey: "2\x1f2024"}, 1)
	stop()
	if err := d.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := ReadStatus(t.Context(), w.options())
	if err != nil || s.Counts != (Counts{}) {
		t.Errorf("after a rebuild: %+v, %v", s.Counts, err)
	}
	d, _ = w.start(w.options())
	w.settle(d)
	w.wantAccounted(d.Status(), 1, 1)
	w.want("scjg:3=更好")
}

// Records, refusals, cures, discards, restarts and lost connections in any order: each record is counted once.
func TestEveryRecordIsAccountedFor(t *testing.T) {
	w := newWorld(t)
	w.refuse("坏")
	steps := []string{"open", "write", "refused", "committed"}
	d, stop := w.start(w.options())
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for round := range 25 {
		w.hook.set(once(steps[rng.IntN(len(steps))], func() error { return errors.New("connection reset") }))
		var records []string
		for range rng.IntN(12) {
			records = append(records, fmt.Sprint(rng.IntN(8)), []string{"好", "坏", "坏", ""}[rng.IntN(4)])
		}
		w.publish("scjg", records...)
		if rng.IntN(3) > 0 {
			w.settle(d)
		}
		switch rng.IntN(5) {
		case 0:
			stop()
			d, stop = w.start(w.options())
		case 1:
			w.refuse("")
			_, _ = d.Quarantine(t.Context(), quarantine.Retry, quarantine.Filter{}) // a lost connection ends it
			w.refuse("坏")
		case 2:
			_, _ = d.Quarantine(t.Context(), quarantine.Discard, quarantine.Filter{RowKey: fmt.Sprint(rng.IntN(8), "\x1f2024")})
		}
		if round%5 == 4 {
			w.hook.set(nil)
			w.settle(d)
			w.wantConsistent(d)
		}
	}
}

// wantConsistent compares the counts with what was published and with what lies in the quarantine.
func (w *world) wantConsistent(d *Delivery) {
	w.t.Helper()
	w.retry(d) // closes what a lost connection has left behind
	s := d.Status()
	waiting := int64(len(w.waiting()))
	w.wantAccounted(s, waiting, s.Refused-s.Waiting)
}

func (w *world) discard(d *Delivery, filter quarantine.Filter, want int64) {
	w.t.Helper()
	r, err := d.Quarantine(w.t.Context(), quarantine.Discard, filter)
	if err != nil {
		w.t.Fatal(err)
	}
	if r != (Answer{Chosen: want, Discarded: want}) {
		w.t.Errorf("discard = %+v, want %d", r, want)
	}
}

// What a sink keeps outlives a version of the program.
func TestWhatTheSinkKeeps(t *testing.T) {
	at := time.Date(2026, 7, 1, 8, 30, 0, 250e6, time.UTC)
	pr := progress{Records: map[string]int64{"sp/cases": 2, "scjg/register": 12}, Changed: at.Add(-time.Second), Written: at}
	const golden = `{"v":1,"records":{"scjg/register":12,"sp/cases":2},"changed":"2026-07-01T08:29:59.25Z","written":"2026-07-01T08:30:00.25Z"}`
	state, err := pr.encode()
	if err != nil || string(state) != golden {
		t.Errorf("got %s, %v", state, err)
	}
	p := &part{}
	if got, err := readProgress(p, []byte(golden)); err != nil || !cmp.Equal(got, pr) {
		t.Errorf("read back %+v, %v", got, err)
	}
	for _, bad := range []string{"{", "\x00", `{"v":2}`, `[]`} {
		var problem *connectors.Problem
		if _, err := readProgress(p, []byte(bad)); !errors.As(err, &problem) || !halts(err) {
			t.Errorf("reading %q = %v, want a problem that halts", bad, err)
		}
	}
}
