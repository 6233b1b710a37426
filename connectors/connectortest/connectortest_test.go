package connectortest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/connectortest"
	"github.com/datong-dx/datong/connectors/memory"
)

// harness is the memory connector's, with a fault built into every source that it opens.
func harness(breakIt func(connectors.Source, connectors.Position) connectors.Source) connectortest.Harness {
	return connectortest.Harness{
		New:   func(t testing.TB) *connectortest.System { return system(t, breakIt) },
		Scans: true, Incremental: true, Updates: true, Poison: true, Acks: true,
		Patience: 2 * time.Second,
	}
}

func system(t testing.TB, breakIt func(connectors.Source, connectors.Position) connectors.Source) *connectortest.System {
	s := memory.NewStore()
	table := &connectors.Table{Name: "people", Key: []int{0}, Columns: []connectors.Column{{Name: "id"}, {Name: "text"}}}
	if err := s.Create(table); err != nil {
		t.Fatal(err)
	}
	put := func(t testing.TB, rows ...connectortest.Row) {
		for _, r := range rows {
			if err := s.Put("people", 0, connectors.Int(int64(r.ID)), connectors.String([]byte(r.Text))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return &connectortest.System{
		Open: func(_ context.Context, pos connectors.Position) (connectors.Source, error) {
			src, err := memory.NewSource(s, pos, 3)
			if err != nil {
				return nil, err
			}
			return breakIt(src, pos), nil
		},
		Insert: put,
		Update: put,
		Poison: func(t testing.TB) {
			if err := s.Poison("people", 0, []byte("?")); err != nil {
				t.Fatal(err)
			}
		},
		Released: func(testing.TB) int { return s.Held() },
	}
}

// broken is a source with one method replaced.
type broken struct {
	connectors.Source
	read  func(context.Context, connectors.Source) (*connectors.Batch, error)
	ack   func(context.Context, connectors.Source, connectors.Position) error
	close func(connectors.Source) error
}

func (b *broken) Read(ctx context.Context) (*connectors.Batch, error) {
	if b.read != nil {
		return b.read(ctx, b.Source)
	}
	return b.Source.Read(ctx)
}

func (b *broken) Ack(ctx context.Context, pos connectors.Position) error {
	if b.ack != nil {
		return b.ack(ctx, b.Source, pos)
	}
	return b.Source.Ack(ctx, pos)
}

func (b *broken) Close() error {
	if b.close != nil {
		return b.close(b.Source)
	}
	return b.Source.Close()
}

// editing makes a source whose batches are edited on their way out.
func editing(edit func(n int, pos connectors.Position, b *connectors.Batch)) func(connectors.Source, connectors.Position) connectors.Source {
	return func(src connectors.Source, pos connectors.Position) connectors.Source {
		n := 0
		return &broken{Source: src, read: func(ctx context.Context, src connectors.Source) (*connectors.Batch, error) {
			b, err := src.Read(ctx)
			if err == nil {
				edit(n, pos, b)
				n++
			}
			return b, err
		}}
	}
}

func TestSuiteAcceptsAGoodSource(t *testing.T) {
	failed := failures(t, harness(func(s connectors.Source, _ connectors.Position) connectors.Source { return s }))
	if len(failed) != 0 {
		t.Errorf("failed: %q", failed)
	}
}

func TestSuiteFindsBrokenSources(t *testing.T) {
	for _, c := range []struct {
		fault, caught string
		breakIt       func(connectors.Source, connectors.Position) connectors.Source
	}{
		{"skips a row", "everything is read once", editing(func(n int, _ connectors.Position, b *connectors.Batch) {
			if n == 1 && len(b.Rows) > 0 {
				b.Rows = b.Rows[1:]
			}
		})},
		{"repeats a row", "everything is read once", editing(func(n int, _ connectors.Position, b *connectors.Batch) {
			if n == 1 && len(b.Rows) > 0 {
				b.Rows = append(b.Rows, b.Rows[0])
			}
		})},
		{"loses a row when it is opened at a position", "reading resumes at every position", editing(func(n int, pos connectors.Position, b *connectors.Batch) {
			if n == 0 && pos != nil && len(b.Rows) > 0 {
				b.Rows = b.Rows[1:]
			}
		})},
		{"loses a row when it is opened at a position", "a kill at every step loses and repeats nothing", editing(func(n int, pos connectors.Position, b *connectors.Batch) {
			if n == 0 && pos != nil && len(b.Rows) > 0 {
				b.Rows = b.Rows[1:]
			}
		})},
		{"drops poison rows", "a poison row is reported and the rest goes on", editing(func(_ int, _ connectors.Position, b *connectors.Batch) {
			b.Rows = slices.DeleteFunc(b.Rows, func(r connectors.Row) bool { return r.Err != nil })
		})},
		{"never ends its scan", "scans are announced in pairs", editing(func(_ int, _ connectors.Position, b *connectors.Batch) { b.End = nil })},
		{"numbers its scans anew", "a scan begun again has the same id", newScanIDs},
		{"reuses a batch's memory too early", "an old batch stays intact while later ones are read", reusing},
		{"turns its batches around", "rows of a key keep their order", swapping},
		{"ignores cancellation", "a blocked read returns when it is cancelled", func(src connectors.Source, _ connectors.Position) connectors.Source {
			return &broken{Source: src, read: func(_ context.Context, src connectors.Source) (*connectors.Batch, error) {
				return src.Read(context.Background())
			}}
		}},
		{"does not wake a blocked read at close", "close makes a blocked read return", func(src connectors.Source, _ connectors.Position) connectors.Source {
			return &broken{Source: src, close: func(connectors.Source) error { return nil }}
		}},
		{"refuses a repeated ack", "acks may skip and repeat positions", refusingRepeatedAcks},
		{"lets go of nothing", "what is acknowledged is let go", func(src connectors.Source, _ connectors.Position) connectors.Source {
			return &broken{Source: src, ack: func(context.Context, connectors.Source, connectors.Position) error { return nil }}
		}},
		{"leaks a goroutine", "no goroutine is left behind", leaking(t)},
	} {
		t.Run(c.fault+": "+c.caught, func(t *testing.T) {
			if failed := failures(t, harness(c.breakIt)); !slices.Contains(failed, c.caught) {
				t.Errorf("a source that %s did not fail %q; failed: %q", c.fault, c.caught, failed)
			}
		})
	}
}

func TestSuiteFindsASourceThatTakesAnyPosition(t *testing.T) {
	h := harness(nil)
	h.New = func(t testing.TB) *connectortest.System {
		s := system(t, func(src connectors.Source, _ connectors.Position) connectors.Source { return src })
		open := s.Open
		s.Open = func(ctx context.Context, pos connectors.Position) (connectors.Source, error) {
			if src, err := open(ctx, pos); err == nil {
				return src, nil
			}
			return open(ctx, nil)
		}
		return s
	}
	if failed := failures(t, h); !slices.Contains(failed, "a garbage position is refused") {
		t.Errorf("failed: %q", failed)
	}
}

func TestSuiteFindsAFalseClaim(t *testing.T) {
	h := harness(func(s connectors.Source, _ connectors.Position) connectors.Source { return s })
	h.Deletes = true
	if failed := failures(t, h); !slices.Contains(failed, "claims match the harness") {
		t.Errorf("failed: %q", failed)
	}
}

func newScanIDs(src connectors.Source, pos connectors.Position) connectors.Source {
	id := rand.Uint64()
	return editing(func(_ int, _ connectors.Position, b *connectors.Batch) {
		for _, s := range []*connectors.Scan{b.Begin, b.End} {
			if s != nil {
				s.ID = id
			}
		}
	})(src, pos)
}

// reusing lets the rows of every batch but the newest show what stands in the newest.
func reusing(src connectors.Source, pos connectors.Position) connectors.Source {
	var before *connectors.Batch
	return editing(func(_ int, _ connectors.Position, b *connectors.Batch) {
		if before != nil {
			for i := range min(len(before.Rows), len(b.Rows)) {
				before.Rows[i] = b.Rows[i]
			}
		}
		before = b
	})(src, pos)
}

// swapping turns the rows of every batch around.
func swapping(src connectors.Source, pos connectors.Position) connectors.Source {
	return editing(func(_ int, _ connectors.Position, b *connectors.Batch) { slices.Reverse(b.Rows) })(src, pos)
}

func refusingRepeatedAcks(src connectors.Source, _ connectors.Position) connectors.Source {
	var before string
	return &broken{Source: src, ack: func(ctx context.Context, src connectors.Source, pos connectors.Position) error {
		if string(pos) == before {
			return fmt.Errorf("acknowledged twice")
		}
		before = string(pos)
		return src.Ack(ctx, pos)
	}}
}

// leaking starts a goroutine at each opening that ends only with the test t.
func leaking(t *testing.T) func(connectors.Source, connectors.Position) connectors.Source {
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	return func(src connectors.Source, _ connectors.Position) connectors.Source {
		go func() { <-stop }()
		return src
	}
}

// failures runs the suite's checks on recorders and returns the names of those that failed.
func failures(t *testing.T, h connectortest.Harness) []string {
	t.Helper()
	return failed(t, func(each func(string, func(testing.TB)) bool) { connectortest.Each(&h, each) })
}

// failed runs checks on recorders and returns the names of those that failed.
func failed(t *testing.T, checks func(func(name string, run func(testing.TB)) bool)) []string {
	t.Helper()
	var failed []string
	checks(func(name string, run func(testing.TB)) bool {
		r := record(t, run)
		if r.failed {
			failed = append(failed, name)
			t.Logf("%s:\n%s", name, strings.Join(r.log, "\n"))
		}
		return !r.failed
	})
	return failed
}

// recorder is a testing.TB that notes failures instead of passing them on.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	failed   bool
	log      []string
	cleanups []func()
	ctx      context.Context
}

func record(t *testing.T, run func(testing.TB)) *recorder {
	ctx, cancel := context.WithCancel(t.Context())
	r := &recorder{TB: t, ctx: ctx}
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(r)
	}()
	<-done
	cancel()
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
	return r
}

func (r *recorder) fail(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
	r.log = append(r.log, text)
}

func (r *recorder) Helper()                           {}
func (r *recorder) Context() context.Context          { return r.ctx }
func (r *recorder) Cleanup(f func())                  { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Error(args ...any)                 { r.fail(fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.fail(fmt.Sprintf(format, args...)) }
func (r *recorder) Fatal(args ...any)                 { r.fail(fmt.Sprint(args...)); runtime.Goexit() }
func (r *recorder) Fatalf(format string, args ...any) {
	r.fail(fmt.Sprintf(format, args...))
	runtime.Goexit()
}
func (r *recorder) Logf(string, ...any) {}
