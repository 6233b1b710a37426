package pipeline

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
)

// script is a source that gives batches made beforehand, and then ends.
type script struct {
	batches []*connectors.Batch
	end     error
}

func (s *script) Read(context.Context) (*connectors.Batch, error) {
	if len(s.batches) == 0 {
		return nil, s.end
	}
	b := s.batches[0]
	s.batches = s.batches[1:]
	return b, nil
}

func (s *script) Ack(context.Context, connectors.Position) error { return nil }
func (s *script) Close() error                                   { return nil }

var scriptTable = &connectors.Table{
	Name: "things", Columns: []connectors.Column{{Name: "id"}, {Name: "name"}, {Name: "kind"}}, Key: []int{0}, Unique: true,
}

// scanOf is a batch that holds a whole scan.
func scanOf(id uint64, ids ...string) *connectors.Batch {
	b := connectors.NewBatch()
	for _, name := range ids {
		row := b.Add(scriptTable, connectors.OpSnapshot)
		copy(row.Values, []connectors.Value{text(name), text("name " + name), text("")})
		row.Order = connectors.Order{Generation: 1, Sequence: id}
	}
	b.Begin = &connectors.Scan{Set: "things", ID: id, Complete: true}
	b.End = b.Begin
	b.Position = connectors.Position{byte(id)}
	return b
}

func (w *world) script(batches ...*connectors.Batch) {
	w.scripts(&script{batches, io.EOF})
}

// scripts gives each attempt the next source.
func (w *world) scripts(sources ...*script) {
	w.opt.Connector = &connectors.Connector{
		Name: "script",
		OpenSource: func(context.Context, connectors.SourceRequest) (connectors.Source, error) {
			s := sources[0]
			sources = sources[1:]
			return s, nil
		},
	}
}

// Two scans come so close upon each other that the first one is not on the topic yet when the second one begins: what it
// shows again is unchanged all the same, and what it does not show is gone.
func TestAScanRightBehindAnotherKnowsWhatThatHasPublished(t *testing.T) {
	w := newWorld(t)
	w.script(scanOf(1, "a", "b", "c"), scanOf(2, "a", "b"), scanOf(3, "a", "d"))
	s := w.run()
	if diff := cmp.Diff(map[string]string{"a": `{"id":"a","name":"name a"}`, "d": `{"id":"d","name":"name d"}`}, w.topic()); diff != "" {
		t.Error(diff)
	}
	if s.Published != 4 || s.Unchanged != 3 || s.Deletes != 2 {
		t.Errorf("counts = %+v, want 4 published, 3 unchanged, 2 deletes", s.Counts)
	}
}

// A row that may have been read before is met again before its first reading is on the topic.
func TestADoubtfulRowRightBehindItsFirstReadingIsUnchanged(t *testing.T) {
	w := newWorld(t)
	first, again := scanOf(1, "a", "b"), scanOf(1, "b", "c")
	for _, b := range []*connectors.Batch{first, again} {
		b.Begin, b.End = nil, nil
	}
	for i := range again.Rows {
		again.Rows[i].Doubtful = true
	}
	w.script(first, again)
	s := w.run()
	if len(w.topic()) != 3 || s.Published != 3 || s.Unchanged != 1 {
		t.Errorf("counts = %+v, want 3 published, 1 unchanged", s.Counts)
	}
}

// A source breaks twice in one scan, which is begun again each time, while a row changes and changes back: three events,
// each with an id of its own.
func TestAScanBegunAgainTellsItsEventsApart(t *testing.T) {
	w := newWorld(t)
	var attempts []*script
	for _, name := range []string{"one", "other", "one", "other"} {
		b := scanOf(5, "a")
		copy(b.Rows[0].Values, []connectors.Value{text("a"), text(name), text("")})
		b.End = nil
		attempts = append(attempts, &script{[]*connectors.Batch{b}, errors.New("the source is gone")})
	}
	attempts = append(attempts, &script{[]*connectors.Batch{scanOf(5)}, io.EOF})
	w.scripts(attempts...)
	s := w.run()
	if len(w.topic()) != 0 || s.Published != 4 || s.Deletes != 1 {
		t.Errorf("counts = %+v, want 4 published, 1 delete", s.Counts)
	}
}

// A row that is polled by a day changes and changes back within it, before and after an attempt has ended: each time it is
// an event of its own.
func TestAPolledRowThatChangesBackIsAnotherEvent(t *testing.T) {
	w := newWorld(t)
	state := func(name string) *connectors.Batch {
		b := connectors.NewBatch()
		row := b.Add(scriptTable, connectors.OpUpsert)
		copy(row.Values, []connectors.Value{text("a"), text(name), text("")})
		row.Order = connectors.Order{Generation: 1, Sequence: 20261123}
		return b
	}
	w.scripts(
		&script{[]*connectors.Batch{state("one"), state("other"), state("one")}, errors.New("the source is gone")},
		&script{[]*connectors.Batch{state("other"), state("one")}, io.EOF},
	)
	s := w.run()
	if diff := cmp.Diff(map[string]string{"a": `{"id":"a","name":"one"}`}, w.topic()); diff != "" || s.Published != 5 {
		t.Errorf("%d published, want 5; topic (-want +got):\n%s", s.Published, diff)
	}
}

// A tombstone does not fall behind the record that it withdraws, even when the scan that misses it shows no row.
func TestATombstoneComesAfterItsRecordInTheOrderOfTheSource(t *testing.T) {
	w := newWorld(t)
	w.script(scanOf(7, "a", "b"), scanOf(8, "a"), scanOf(9))
	w.run()
	last := map[string]string{}
	_, err := w.client.Scan(t.Context(), "test.dept.thing", nil, func(_ int32, r *broker.Record) error {
		key, now := string(r.Key), string(r.Header(broker.HeaderSequence))
		if now < last[key] {
			t.Errorf("ce_sequence of %s fell from %s to %s", key, last[key], now)
		}
		last[key] = now
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "000000010000000000000008", "b": "000000010000000000000008"}, last); diff != "" {
		t.Error(diff)
	}
}
