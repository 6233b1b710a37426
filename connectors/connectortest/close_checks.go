package connectortest

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datong-dx/datong/connectors"
)

// promptly is how fast Read must return once its context is done or the source is closed.
const promptly = time.Second

func returnsWhenCancelled(t testing.TB, h *Harness) {
	s := h.New(t)
	s.Insert(t, someRows(1, 20, 1)...)
	src := open(t, s, nil)
	ctx, cancel := context.WithCancel(t.Context())
	b, err := src.Read(ctx)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	b.Release()
	cancel()
	checkReturns(t, startRead(ctx, src), context.Canceled)
}

func returnsWhenCancelledBlocked(t testing.TB, h *Harness) {
	src := caughtUp(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	done := startRead(ctx, src)
	stillBlocked(t, done)
	cancel()
	checkReturns(t, done, context.Canceled)
}

func returnsWhenClosed(t testing.TB, h *Harness) {
	src := caughtUp(t, h)
	done := startRead(t.Context(), src)
	stillBlocked(t, done)
	src.Close()
	checkReturns(t, done, nil)
}

func acknowledgesWhileReading(t testing.TB, h *Harness) {
	s := h.New(t)
	s.Insert(t, someRows(1, 5, 1)...)
	src := open(t, s, nil)
	steps := drain(t, h, src, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := startRead(ctx, src)
	if err := src.Ack(t.Context(), last(steps)); err != nil {
		t.Errorf("ack while a read blocks: %v", err)
	}
	cancel()
	checkReturns(t, done, context.Canceled)
}

// caughtUp opens a source and reads until it has nothing more to give.
func caughtUp(t testing.TB, h *Harness) connectors.Source {
	t.Helper()
	s := h.New(t)
	s.Insert(t, someRows(1, 5, 1)...)
	src := open(t, s, nil)
	drain(t, h, src, nil)
	return src
}

// startRead reads in the background until there is an error, which it sends.
func startRead(ctx context.Context, src connectors.Source) <-chan error {
	done := make(chan error, 1)
	go func() {
		for {
			b, err := src.Read(ctx)
			if err != nil {
				done <- err
				return
			}
			b.Release()
		}
	}()
	return done
}

// stillBlocked gives the background read the time to really block.
func stillBlocked(t testing.TB, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		t.Fatalf("read returned %v although nothing was written", err)
	case <-time.After(20 * time.Millisecond):
	}
}

// checkReturns waits for the background read; want nil accepts every error.
func checkReturns(t testing.TB, done <-chan error, want error) {
	t.Helper()
	select {
	case err := <-done:
		if want != nil && !errors.Is(err, want) {
			t.Errorf("read returned %v, want %v", err, want)
		}
	case <-time.After(promptly):
		t.Errorf("read did not return within %s", promptly)
	}
}

func acknowledgesInOrder(t testing.TB, h *Harness) {
	s := busy(t, h)
	src := open(t, s, nil)
	steps := drain(t, h, src, nil)
	ack := func(i int) {
		if err := src.Ack(t.Context(), steps[i].pos); err != nil {
			t.Errorf("ack of batch %d of %d: %v", i+1, len(steps), err)
		}
	}
	for i := range steps {
		if i%2 == 0 && storable(steps[:i+1]) {
			ack(i)
			ack(i)
		}
	}
	ack(len(steps) - 1)
	ack(len(steps) - 1)
	src.Close()
	if h.Rescans {
		return
	}
	for _, e := range eventsOf(readFrom(t, h, s, last(steps))) {
		t.Errorf("read again although it was acknowledged: %s", e.text)
	}
}

func letsGoOfWhatIsAcknowledged(t testing.TB, h *Harness) {
	s := busy(t, h)
	before := s.Released(t)
	src := open(t, s, nil)
	steps := drain(t, h, src, nil)
	if held := s.Released(t); held != before {
		t.Errorf("%d held before the ack, want all %d", held, before)
	}
	if err := src.Ack(t.Context(), last(steps)); err != nil {
		t.Fatalf("ack: %v", err)
	}
	if held := s.Released(t); held >= before {
		t.Errorf("%d held after everything was acknowledged, %d before", held, before)
	}
}

func leavesNoGoroutine(t testing.TB, h *Harness) {
	s := busy(t, h)
	before := goleak.IgnoreCurrent()

	ctx, cancel := context.WithCancel(t.Context())
	src, err := s.Open(ctx, nil)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	drain(t, h, src, nil)
	src.Close()

	// Abandoned after one batch, its context cancelled.
	if src, err = s.Open(ctx, nil); err != nil {
		t.Fatalf("open: %v", err)
	}
	if b, err := src.Read(ctx); err == nil {
		b.Release()
	}
	cancel()
	src.Close()
	if err := goleak.Find(before); err != nil {
		t.Errorf("after Close: %v", err)
	}
}
