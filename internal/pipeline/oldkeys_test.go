package pipeline

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/connectors"
)

// A row is given another key and refused; another row takes its former key over; then the first row is mended. The
// tombstone that waited with it must not withdraw the other row's record, whether the process has run all the while or
// was started anew in between.
func TestAFormerKeyThatAnotherRowHasTakenOverIsNotWithdrawn(t *testing.T) {
	for runs, name := range []string{"in one run", "after a new start"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			n := uint64(0)
			batch := func(op connectors.Op, id, name, old string) *connectors.Batch {
				n++
				b := connectors.NewBatch()
				row := b.Add(scriptTable, op)
				copy(row.Values, []connectors.Value{text(id), text(name), text("")})
				if old != "" {
					row.Old = []connectors.Value{text(old)}
				}
				row.Order = connectors.Order{Generation: 1, Sequence: n}
				b.Position = connectors.Position{byte(n)}
				return b
			}
			before := []*connectors.Batch{
				batch(connectors.OpInsert, "a", "first", ""), batch(connectors.OpUpdate, "b", tooLong, "a"),
				batch(connectors.OpInsert, "x", "only moved", ""), batch(connectors.OpUpdate, "y", tooLong, "x"),
				batch(connectors.OpInsert, "a", "second", ""),
			}
			mended := []*connectors.Batch{batch(connectors.OpUpdate, "b", "good", ""), batch(connectors.OpUpdate, "y", "good", "")}
			if runs == 0 {
				w.script(append(before, mended...)...)
			} else {
				w.scripts(&script{before, io.EOF}, &script{mended, io.EOF})
				w.run()
			}
			w.run()
			want := map[string]string{"a": `{"id":"a","name":"second"}`, "b": `{"id":"b","name":"good"}`, "y": `{"id":"y","name":"good"}`}
			if diff := cmp.Diff(want, w.topic()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
