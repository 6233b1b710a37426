// Package connectortest checks that a connector's [connectors.Source] and [connectors.Sink] keep the contract, crashes
// included.
//
// A connector's test describes its outside system in a [Harness] and calls [Run], and in a [SinkHarness] for [RunSink].
// The suite knows a connector only through its interface, so the same suite runs in process and through a plugin. What a
// harness does not claim is not tested, and what it claims is: a claim without the function behind it fails, and so does a
// function without the claim.
package connectortest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// Row is what the suite writes into an outside system and expects to read back: columns named `id` and `text` (other
// columns are the harness's own). Text holds characters that are easily mangled: quotes, commas, line breaks, Chinese.
type Row struct {
	ID   int
	Text string
}

// System is one outside system of one sub-test. Functions that the harness does not claim are nil.
type System struct {
	// Open opens a source at a position, nil being the start. Every call is a new source on the same outside system.
	// Its batches should be small (three or four rows), so that the suite sees many positions.
	Open func(ctx context.Context, pos connectors.Position) (connectors.Source, error)
	// OpenElsewhere opens a source of the same kind on another outside system at a position of this one, which must
	// be refused with [connectors.ErrPosition].
	OpenElsewhere func(ctx context.Context, pos connectors.Position) (connectors.Source, error)
	// Insert writes rows with new ids in one go: a transaction, a file.
	Insert func(t testing.TB, rows ...Row)
	// InsertTied is Insert, but all rows ever written by it carry one and the same watermark, which is at least as
	// new as that of every other row.
	InsertTied func(t testing.TB, rows ...Row)
	// Update gives the rows of those ids a new text, in one go.
	Update func(t testing.TB, rows ...Row)
	// Delete removes the rows of those ids, in one go.
	Delete func(t testing.TB, ids ...int)
	// Poison writes one row that cannot be split into values.
	Poison func(t testing.TB)
	// Released tells how much the outside system still holds for the source (log entries, files): it must shrink when
	// everything was acknowledged.
	Released func(t testing.TB) (held int)
}

// Harness describes a connector in one of its modes.
type Harness struct {
	// New prepares an empty outside system. It is called for each sub-test, and cleans up through t.Cleanup.
	New func(t testing.TB) *System

	Finite      bool // Read returns io.EOF after the last row; else the source waits for more
	Scans       bool // what is there at first is announced as a scan
	Rescans     bool // a source opened after the last scan begins another one: contents are compared, not events
	Incremental bool // rows written while the source is open are read by it
	Updates     bool // System.Update works and is seen
	Deletes     bool // System.Delete works and is seen as an OpDelete
	Ties        bool // System.InsertTied works: the source reads by a watermark that rows can share
	Poison      bool // System.Poison works
	Identity    bool // System.OpenElsewhere works
	Acks        bool // System.Released works: Ack lets go of something

	// Patience is how long a Read that has rows to give may take; 0 means 10 s.
	Patience time.Duration
}

type check struct {
	name string
	skip string // why it does not apply to the harness; empty: it does
	run  func(t testing.TB, h *Harness)
}

// checks lists the sub-tests that apply to the harness.
func (h *Harness) checks() []check {
	waits, ties := unless(!h.Finite, "Finite"), unless(h.Ties, "not Ties")
	return []check{
		{"an empty system ends or catches up without rows", "", readsNothingFromAnEmptySystem},
		{"everything is read once", "", readsEverythingOnce},
		{"rows of a key keep their order", unless(h.Updates, "not Updates"), keepsTheOrderOfAKey},
		{"deletes are read", unless(h.Deletes, "not Deletes"), readsDeletes},
		{"rows written while it is open are read", unless(h.Incremental, "not Incremental"), readsWhatIsWrittenLater},
		{"a poison row is reported and the rest goes on", unless(h.Poison, "not Poison"), goesOnAfterPoison},
		{"an old batch stays intact while later ones are read", "", ownsItsBatches},
		{"scans are announced in pairs", unless(h.Scans, "not Scans"), announcesScansInPairs},
		{"a scan begun again has the same id", unless(h.Scans, "not Scans"), repeatsTheScanID},
		{"reading resumes at every position", "", resumesAtEveryPosition},
		{"equal watermarks are neither missed nor repeated", ties, readsTiesOnce},
		{"equal watermarks are resumed at every position", ties, resumesAmongTies},
		{"a kill at every step loses and repeats nothing", "", survivesAKillAtEveryStep},
		{"a position of another system is refused", unless(h.Identity, "not Identity"), refusesAnotherSystem},
		{"a garbage position is refused", "", refusesGarbage},
		{"a cancelled read returns", "", returnsWhenCancelled},
		{"a blocked read returns when it is cancelled", waits, returnsWhenCancelledBlocked},
		{"close makes a blocked read return", waits, returnsWhenClosed},
		{"an ack is taken while a read blocks", waits, acknowledgesWhileReading},
		{"acks may skip and repeat positions", "", acknowledgesInOrder},
		{"what is acknowledged is let go", unless(h.Acks, "not Acks"), letsGoOfWhatIsAcknowledged},
		{"no goroutine is left behind", "", leavesNoGoroutine},
	}
}

func unless(applies bool, why string) string {
	if applies {
		return ""
	}
	return "the harness says: " + why
}

// Run runs the suite against the harness's connector, one sub-test for each promise.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if h.Patience == 0 {
		h.Patience = 10 * time.Second
	}
	if !t.Run("claims match the harness", func(t *testing.T) { checkClaims(t, &h) }) {
		return
	}
	for _, c := range h.checks() {
		if c.skip != "" {
			t.Logf("left out: %s: %s", c.name, c.skip)
			continue
		}
		t.Run(c.name, func(t *testing.T) { c.run(t, &h) })
	}
}

func checkClaims(t testing.TB, h *Harness) {
	s := h.New(t)
	for _, claim := range []struct {
		name          string
		claimed, able bool
	}{
		{"Open", true, s.Open != nil},
		{"Insert", true, s.Insert != nil},
		{"Updates", h.Updates, s.Update != nil},
		{"Deletes", h.Deletes, s.Delete != nil},
		{"Ties", h.Ties, s.InsertTied != nil},
		{"Poison", h.Poison, s.Poison != nil},
		{"Identity", h.Identity, s.OpenElsewhere != nil},
		{"Acks", h.Acks, s.Released != nil},
	} {
		if claim.claimed != claim.able {
			t.Errorf("%s is claimed: %v, but the system has the function for it: %v", claim.name, claim.claimed, claim.able)
		}
	}
}

// someRows makes n rows with ids from first on, each text easily mangled and different at each version.
func someRows(first, n, version int) []Row {
	odd := []string{"", `say "yes", please`, "第一行\n第二行", "　全角１２３　", "a\tb;c|d", "臺中市·審批", "'", `\N`, "é😀"}
	rows := make([]Row, n)
	for i := range rows {
		id := first + i
		rows[i] = Row{ID: id, Text: fmt.Sprintf("row %d v%d %s", id, version, odd[id%len(odd)])}
	}
	return rows
}
