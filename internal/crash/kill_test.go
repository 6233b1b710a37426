//go:build services

package crash

import (
	"strings"
	"testing"
)

// kill says where to kill and after how many records.
type kill struct {
	mark    string
	records int
}

// marks are all the places at which the program is killed, with a count that a round of [round] changes reaches.
var marks = []kill{
	{"read", 200},               // read and mapped, nothing sent
	{"txn-begun", 200},          // partitions added to the transaction, nothing produced
	{"txn-partial", 200},        // some batches produced
	{"txn-produced", 200},       // all batches produced, the transaction still open
	{"committed", 200},          // on the topic, the source not told
	{"acked", 200},              // the source told
	{"delivery-collected", 200}, // fetched from the topic
	{"sink-before-commit", 200}, // rows and offsets in the database's transaction
	{"delivery-refused", 1},     // refused rows in quarantine, the database's transaction still open
	{"sink-after-commit", 200},  // rows and offsets durable
	{"delivery-committed", 200}, // the group not told
}

// round is how many permits change before and while the program runs, each time.
const round = 1800

// TestKilledAtEveryPoint kills the program once at each mark, for each way of reading. A few kills follow each other in
// one exchange, so that a run takes up what several have left.
func TestKilledAtEveryPoint(t *testing.T) {
	t.Parallel()
	const inOne = 3
	for _, mode := range []string{watermark, difference} {
		for from := 0; from < len(marks); from += inOne {
			group := marks[from:min(from+inOne, len(marks))]
			t.Run(mode+" "+describe(group), func(t *testing.T) {
				t.Parallel()
				postgres := need(t, "DATONG_TEST_POSTGRES")
				w := newWorld(t, need(t, "DATONG_TEST_KAFKA"), postgres, newSilo(t, postgres, "permits", mode))
				w.begin(300)
				for _, k := range group {
					w.killed(k, round)
				}
				w.check(w.settle())
			})
		}
	}
}

func describe(kills []kill) string {
	var names []string
	for _, k := range kills {
		names = append(names, k.mark)
	}
	return strings.Join(names, " ")
}

// begin delivers the first permits of each silo and then spoils some of them.
func (w *world) begin(permits int) {
	w.t.Helper()
	for _, s := range w.silos {
		s.fill(w.t, permits)
	}
	w.run("").wantExit(0)
	for _, s := range w.silos {
		s.spoilSome(w.t, permits/20)
	}
}

// killed changes about n permits of each silo, a third of them while a run lasts that is killed.
func (w *world) killed(k kill, n int) {
	w.t.Helper()
	for _, s := range w.silos {
		s.churn(w.t, n*2/3)
	}
	p := w.run(fault(k.mark, k.records))
	var stops []func()
	for _, s := range w.silos {
		stops = append(stops, s.write(w.t, n/3))
	}
	p.wantKilled()
	for _, stop := range stops {
		stop()
	}
}

// TestKilledInTheFirstScan kills runs that read everything for the first time: such a scan goes on where it stopped.
func TestKilledInTheFirstScan(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{watermark, difference} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			postgres := need(t, "DATONG_TEST_POSTGRES")
			w := newWorld(t, need(t, "DATONG_TEST_KAFKA"), postgres, newSilo(t, postgres, "permits", mode))
			w.silos[0].fill(t, 12_000)
			w.killed(kill{"txn-produced", 5000}, perChange)
			w.killed(kill{"committed", 3000}, perChange)
			w.check(w.settle())
		})
	}
}
