package connectortest

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/connectors"
)

// busy makes a system in which everything that the harness claims has happened.
func busy(t testing.TB, h *Harness) *System {
	t.Helper()
	s := h.New(t)
	s.Insert(t, someRows(1, 11, 1)...)
	if h.Poison {
		s.Poison(t)
	}
	s.Insert(t, someRows(12, 6, 1)...)
	if h.Updates {
		s.Update(t, someRows(3, 5, 2)...)
	}
	if h.Deletes {
		s.Delete(t, 1, 17)
	}
	return s
}

func resumesAtEveryPosition(t testing.TB, h *Harness) { checkResume(t, h, busy(t, h)) }

func resumesAmongTies(t testing.TB, h *Harness) {
	s := h.New(t)
	s.Insert(t, someRows(1, 3, 1)...)
	s.InsertTied(t, someRows(4, 17, 1)...)
	checkResume(t, h, s)
}

// checkResume opens the system at each position that a straight reading met and compares what follows.
func checkResume(t testing.TB, h *Harness, s *System) {
	t.Helper()
	steps := readFrom(t, h, s, nil)
	if len(steps) < 3 {
		t.Errorf("only %d batches: the harness should make the source's batches small", len(steps))
	}
	all := eventsOf(steps)
	at := 0
	for i, st := range steps {
		at += len(st.events)
		if !storable(steps[:i+1]) {
			continue
		}
		follow := eventsOf(readFrom(t, h, s, st.pos))
		if h.Rescans {
			compareContent(t, i, content{}.after(all), content{}.after(all[:at]).after(follow))
			continue
		}
		if diff := cmp.Diff(texts(all[at:]), texts(follow)); diff != "" {
			t.Errorf("opened at the position of batch %d of %d (-straight reading +resumed):\n%s", i+1, len(steps), diff)
		}
	}
}

func compareContent(t testing.TB, i int, want, got content) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("content after resuming at batch %d (-want +got):\n%s", i+1, diff)
	}
}

// storable says that a pipeline may store the position after the last of the steps: a commit may fall there, and it
// is not inside a scan that cannot be resumed.
func storable(steps []step) bool {
	if !steps[len(steps)-1].canCommit {
		return false
	}
	var current *connectors.Scan
	for _, e := range eventsOf(steps) {
		if e.begin != nil {
			current = e.begin
		} else if e.end != nil {
			current = nil
		}
	}
	return current == nil || current.Resumable
}

// kill is where the pipeline dies.
type kill int

const (
	afterRead kill = iota
	afterCommit
	afterAck
)

func (k kill) String() string {
	return [...]string{"after the read", "between commit and ack", "after the ack"}[k]
}

func survivesAKillAtEveryStep(t testing.TB, h *Harness) {
	n := len(readFrom(t, h, busy(t, h), nil))
	for _, when := range []kill{afterRead, afterCommit, afterAck} {
		for k := 1; k <= n; k++ {
			surviveKill(t, h, k, when)
		}
	}
}

// surviveKill plays a pipeline that commits after every batch and dies once, at batch k.
func surviveKill(t testing.TB, h *Harness, k int, when kill) {
	t.Helper()
	s := busy(t, h)
	straight := eventsOf(readFrom(t, h, s, nil))
	p := &player{}
	src := open(t, s, nil)
	drain(t, h, src, func(st step) bool {
		k--
		p.take(t, src, st, k == 0, when)
		return k > 0
	})
	src.Close()
	src = open(t, s, p.pos)
	drain(t, h, src, func(st step) bool {
		p.take(t, src, st, false, when)
		return true
	})
	src.Close()
	if h.Rescans {
		compareContent(t, len(p.published), content{}.after(straight), content{}.after(p.published))
	} else if diff := cmp.Diff(texts(straight), texts(p.published)); diff != "" {
		t.Errorf("killed %s (-straight reading +published):\n%s", when, diff)
	}
}

// player is a pipeline reduced to its commits.
type player struct {
	published []event // committed
	pending   []event // read since
	steps     []step
	pos       connectors.Position
}

// take publishes what a step told, unless the pipeline dies before.
func (p *player) take(t testing.TB, src connectors.Source, st step, dies bool, when kill) {
	t.Helper()
	if dies && when == afterRead {
		p.pending = nil
		return
	}
	p.pending = append(p.pending, st.events...)
	p.steps = append(p.steps, st)
	if !storable(p.steps) {
		if dies {
			p.pending = nil
		}
		return
	}
	p.published, p.pending, p.pos = append(p.published, p.pending...), nil, st.pos
	if dies && when == afterCommit {
		return
	}
	if err := src.Ack(t.Context(), st.pos); err != nil {
		t.Errorf("ack: %v", err)
	}
}

func refusesAnotherSystem(t testing.TB, h *Harness) {
	s := busy(t, h)
	for _, st := range readFrom(t, h, s, nil) {
		src, err := s.OpenElsewhere(t.Context(), st.pos)
		checkRefused(t, h, "another system's position", src, err)
	}
}

func refusesGarbage(t testing.TB, h *Harness) {
	s := busy(t, h)
	for _, bad := range []string{"garbage", "\x00", "\xff\xff\xff\xff\xff\xff\xff\xff", "{}", "{", "[]", "null", "0", "{\"v\":999}", "\x01"} {
		src, err := s.Open(t.Context(), connectors.Position(bad))
		checkRefused(t, h, bad, src, err)
	}
	good := last(readFrom(t, h, s, nil))
	for n := 1; n < len(good); n++ {
		src, err := s.Open(t.Context(), good[:n])
		checkRefused(t, h, "a cut position "+string(good[:n]), src, err)
	}
	for i := range good {
		bent := append(connectors.Position(nil), good...)
		bent[i] ^= 0x55
		endurePosition(t, h, s, bent)
	}
}

// checkRefused checks that opening, or at the latest the first read, answered with ErrPosition.
func checkRefused(t testing.TB, h *Harness, what string, src connectors.Source, err error) {
	t.Helper()
	if err == nil {
		defer src.Close()
		var b *connectors.Batch
		if b, err = src.Read(t.Context()); err == nil {
			b.Release()
		}
	}
	if !errors.Is(err, connectors.ErrPosition) {
		t.Errorf("%q was answered with %v, want ErrPosition", what, err)
	}
}

// endurePosition only checks that a damaged position does no harm: it may be refused or, where the damage makes
// another valid position, be read from.
func endurePosition(t testing.TB, h *Harness, s *System, pos connectors.Position) {
	t.Helper()
	src, err := s.Open(t.Context(), pos)
	if err != nil {
		return
	}
	defer src.Close()
	ctx, cancel := context.WithTimeout(t.Context(), promptly)
	defer cancel()
	b, err := src.Read(ctx)
	if err == nil {
		b.Release()
	} else if !errors.Is(err, connectors.ErrPosition) && !errors.Is(err, io.EOF) && !errors.Is(err, connectors.ErrStop) {
		t.Logf("a damaged position: %v", err)
	}
}
