//go:build services

package crash

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/quarantine"
)

// check compares everything that can be compared once all is delivered: source, topics, quarantines and platform.
func (w *world) check(last figures) {
	w.t.Helper()
	w.checkPlatform()
	for _, s := range w.silos {
		w.checkTopic(s)
		w.checkQuarantine(s, last)
	}
	w.checkRejected()
	if n := last.Total.Unaccounted; n != 0 {
		w.t.Errorf("%d rows are unaccounted: %+v", n, last.Total)
	}
}

// checkPlatform says whether the platform shows exactly what the sources hold, and got there without a step back.
func (w *world) checkPlatform() {
	w.t.Helper()
	var want []string
	for _, s := range w.silos {
		want = append(want, s.expected(w.t)...)
	}
	wantSame(w.t, "the platform's table", w.platform.rows(w.t), want)
	for _, step := range w.platform.steppedBack(w.t) {
		w.t.Errorf("the platform stepped back: %s", step)
	}
}

// wantSame compares rows whatever their order and tells the first few that differ.
func wantSame(t testing.TB, what string, got, want []string) {
	t.Helper()
	missing, extra := apart(want, got), apart(got, want)
	if len(missing)+len(extra) == 0 {
		return
	}
	const few = 5
	t.Errorf("%s: %d rows, want %d; %d are missing, such as %q; %d should not be there, such as %q", what,
		len(got), len(want), len(missing), missing[:min(few, len(missing))], len(extra), extra[:min(few, len(extra))])
}

// apart returns what stands in a more often than in b.
func apart(a, b []string) []string {
	have := map[string]int{}
	for _, s := range b {
		have[s]++
	}
	var list []string
	for _, s := range a {
		if have[s]--; have[s] < 0 {
			list = append(list, s)
		}
	}
	slices.Sort(list)
	return list
}

// state is what a reader of a topic has seen of a key.
type state struct {
	version  int64 // the highest
	sequence string
	deleted  bool
}

// checkTopic says whether what is left of each key on a silo's standard topic is what the silo holds.
func (w *world) checkTopic(s *silo) {
	w.t.Helper()
	keys, _ := w.consume(s.department)
	want := slices.Concat(s.texts(w.t, `SELECT no FROM permits WHERE `+good), s.rejected(w.t),
		s.texts(w.t, `SELECT no FROM last_good WHERE no IN (SELECT no FROM permits WHERE state = 'valid' AND issued = '`+noDay+`')`))
	wantSame(w.t, "keys published by "+s.department, keys, want)
}

// consume reads a department's standard topic as a read-committed consumer does, and fails unless each event came once
// and each key's versions in order. It returns the keys that are left and the number of events.
func (w *world) consume(department string) (left []string, events int) {
	w.t.Helper()
	ids, keys := map[string]int64{}, map[string]*state{}
	_, err := w.client.Scan(w.t.Context(), w.prefix+"."+department+".permit", nil, func(_ int32, r *broker.Record) error {
		events++
		id := string(r.Header(broker.HeaderID))
		if before, twice := ids[id]; twice {
			w.t.Errorf("ce_id %s of %s came twice, at offsets %d and %d", id, r.Key, before, r.Offset)
		}
		ids[id] = r.Offset
		k := keys[string(r.Key)]
		if k == nil {
			k = &state{}
			keys[string(r.Key)] = k
		}
		return k.see(w.t, r)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for key, k := range keys {
		if !k.deleted {
			left = append(left, key)
		}
	}
	return left, events
}

// see takes a key's next record.
func (k *state) see(t testing.TB, r *broker.Record) error {
	sequence := string(r.Header(broker.HeaderSequence))
	if sequence < k.sequence {
		t.Errorf("ce_sequence of %s fell from %s to %s at offset %d", r.Key, k.sequence, sequence, r.Offset)
	}
	before := k.sequence
	k.sequence, k.deleted = sequence, r.Value == nil
	if k.deleted {
		return nil
	}
	var value struct {
		Version int64 `json:"version"`
	}
	if err := json.Unmarshal(r.Value, &value); err != nil {
		return err
	}
	if value.Version <= k.version {
		t.Errorf("version %d of %s came after version %d, at offset %d of %s (ce_sequence %s after %s)", value.Version, r.Key,
			k.version, r.Offset, r.Header(broker.HeaderSource), sequence, before)
	}
	k.version = value.Version
	return nil
}

// checkQuarantine says whether exactly the rows wait that do not conform.
func (w *world) checkQuarantine(s *silo, last figures) {
	w.t.Helper()
	var got []string
	err := quarantine.Scan(w.t.Context(), w.client, quarantine.Topic(w.prefix, s.department), nil, func(it *quarantine.Item) error {
		got = append(got, it.RowKey)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(got)
	want := s.refused(w.t)
	wantSame(w.t, "quarantine of "+s.department, got, want)
	if diff := cmp.Diff(int64(len(want)), last.of(s.department).Waiting); diff != "" {
		w.t.Errorf("waiting in the figures of %s (-want +got):\n%s", s.department, diff)
	}
}

// checkRejected says whether every row that the platform does not take waits in the site's quarantine. An item that a
// kill has left behind may still wait there until its next retry.
func (w *world) checkRejected() {
	w.t.Helper()
	waiting := map[string]bool{} // by topic and entity key
	err := delivery.Scan(w.t.Context(), w.client, w.prefix, w.site, func(item *delivery.Item) error {
		waiting[item.Topic+" "+item.Key] = true
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range w.silos {
		for _, no := range s.rejected(w.t) {
			if !waiting[w.prefix+"."+s.department+".permit "+no] {
				w.t.Errorf("%s of %s is neither on the platform nor in the site's quarantine", no, s.department)
			}
		}
	}
}
