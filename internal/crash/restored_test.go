//go:build services

package crash

import (
	"slices"
	"testing"

	"github.com/datong-dx/datong/broker"
)

// TestARestoredSourceFreezesNothing sets a department's database back to what it was: everything is compared, what was
// taken back is taken back on the platform too, and what changes from then on comes through, though its change times are
// older than what had been read before.
func TestARestoredSourceFreezesNothing(t *testing.T) {
	t.Parallel()
	postgres := need(t, "DATONG_TEST_POSTGRES")
	s := newSilo(t, postgres, "permits", watermark)
	w := newWorld(t, need(t, "DATONG_TEST_KAFKA"), postgres, s)
	s.fill(t, 600)
	s.exec(t, `UPDATE permits SET changed = changed - interval '6 hours'`)
	w.run("").wantExit(0)
	s.exec(t, `CREATE TABLE saved AS SELECT * FROM permits`)
	next := s.next.Load()
	s.churn(t, round/3)
	w.run("").wantExit(0)
	w.checkPlatform()

	// What was mended meanwhile and is bad again afterwards stays on the platform in its last good state.
	s.exec(t, `INSERT INTO last_good SELECT * FROM permits WHERE `+good+` AND no IN (SELECT no FROM saved WHERE NOT (`+good+`))`)
	s.exec(t, `TRUNCATE permits`)
	s.exec(t, `INSERT INTO permits SELECT * FROM saved`)
	s.next.Store(next)
	w.run("").wantExit(0)
	wantSame(t, "the platform after the restore", w.platform.rows(t), s.expected(t))
	s.churn(t, round/3)
	w.run("").wantExit(0)
	wantSame(t, "the platform after the next changes", w.platform.rows(t), s.expected(t))
	if got := w.generations(s.department); !slices.Equal(got, []string{"00000001", "00000002"}) {
		t.Errorf("generations of the events: %s, want the first and, after the restore, the second", got)
	}
}

// generations returns the generations of a department's events in their order, each event having come once.
func (w *world) generations(department string) (list []string) {
	w.t.Helper()
	ids := map[string]bool{}
	_, err := w.client.Scan(w.t.Context(), w.prefix+"."+department+".permit", nil, func(_ int32, r *broker.Record) error {
		id := string(r.Header(broker.HeaderID))
		if ids[id] {
			w.t.Errorf("ce_id %s of %s came twice", id, r.Key)
		}
		ids[id] = true
		list = append(list, string(r.Header(broker.HeaderSequence)[:8]))
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
