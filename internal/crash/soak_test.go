//go:build services && soak

package crash

import (
	"testing"
	"time"
)

// TestSoakKills kills the program at every mark, again and again, while 200,000 rows with updates and deletes go from two
// departments to the platform: at first in the middle of reading everything, later among changes.
func TestSoakKills(t *testing.T) {
	const (
		rows    = 100_000 // of each department
		rounds  = 3       // over all marks
		changes = 4_000   // of each department between two kills
	)
	postgres := need(t, "DATONG_TEST_POSTGRES")
	polled, compared := newSilo(t, postgres, "polled", watermark), newSilo(t, postgres, "compared", difference)
	w := newWorld(t, need(t, "DATONG_TEST_KAFKA"), postgres, polled, compared)
	polled.fill(t, rows)
	compared.fill(t, rows)
	began, kills := time.Now(), 0
	for r := range rounds {
		for i, k := range marks {
			switch {
			case r == 0 && k.records > 1:
				k.records = 8_000 + 2_000*i // spread over the first reading
			case k.records > 1:
				k.records *= 3 * (r + 1)
			}
			w.killed(k, changes)
			kills++
		}
		w.run("").wantExit(0)
		for _, s := range w.silos {
			s.spoilSome(t, 300) // fewer than max_refused looks at
		}
	}
	last := w.settle()
	w.check(last)
	events := w.events()
	t.Logf("kills %d, rows %d, events %d, platform rows %d, duplicates 0, unaccounted %d, duration %s", kills,
		polled.count(t, `SELECT count(*) FROM permits`)+compared.count(t, `SELECT count(*) FROM permits`), events,
		w.platform.count(t, `SELECT count(*) FROM permit`), last.Total.Unaccounted, time.Since(began).Round(time.Second))
}
