package sqltable

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// describeEvery is how often a table that is polled is looked at for new columns.
const describeEvery = time.Minute

// reader is the goroutine that reads. It owns the state; a position is what the state says when a batch is full.
type reader struct {
	*settings
	db    *database
	state *state
	sets  []*set
	out   chan<- *connectors.Batch
	log   *slog.Logger

	clock     clock
	limit     []int // rows that the next statement asks for, by set
	described time.Time
}

// run reads until a snapshot is complete, which returns nil, or ctx is done.
func (r *reader) run(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	switch r.mode {
	case modeWatermark:
		return r.poll(ctx)
	case modeDifference:
		return r.repeat(ctx)
	}
	for i := range r.sets {
		if r.state.tables[i].stage == stageDone {
			continue
		}
		if err := r.scan(ctx, i, stageDone); err != nil {
			return err
		}
	}
	return nil
}

// begin looks at the database and lays the position that the source was opened at beside it.
func (r *reader) begin(ctx context.Context) error {
	identity, timeline, err := r.db.identity(ctx)
	if err != nil {
		return err
	}
	old := r.state
	if old == nil {
		old = &state{identity: identity, timeline: timeline, generation: 1}
	}
	if old.identity != identity {
		return otherServer(sqldb.Redact(r.configured))
	}
	r.state = &state{identity: identity, timeline: timeline, generation: old.generation}
	for _, name := range r.settings.sets() {
		s, err := r.db.describe(ctx, r.settings, name)
		if err != nil {
			return err
		}
		was := old.table(name)
		t, err := r.stand(s, was)
		if err != nil {
			return err
		}
		if was != nil && was.shape != t.shape {
			r.state.generation = old.generation + 1 // the order of what comes now says nothing about what came before
		}
		r.sets = append(r.sets, s)
		r.state.tables = append(r.state.tables, t)
		r.limit = append(r.limit, min(r.chunk, 1000))
	}
	r.described = time.Now()
	if old.timeline != timeline {
		r.restored("the server's history has branched")
	}
	return nil
}

// stand returns where a table stands: anew when the position does not speak of it, or not in terms of these settings.
func (r *reader) stand(s *set, old *tableState) (*tableState, error) {
	shape := r.shape(s)
	if old == nil || old.shape != shape {
		t := &tableState{name: s.name, shape: shape}
		t.mark.doubt = noDoubt
		if old != nil {
			t.scan = old.scan
		}
		return t, nil
	}
	want := s.key
	if old.stage == stagePoll {
		want = s.passOrder()
	}
	misplaced := old.stage == stagePoll && r.mode != modeWatermark || old.stage == stageDone && r.mode != modeSnapshot
	if misplaced || len(old.at) != 0 && len(old.at) != len(want) {
		return nil, fmt.Errorf("resume %s: the position does not fit its key: %w", s.name, connectors.ErrPosition)
	}
	return old, nil
}

// shape is a hash of what gives a cursor and a watermark their meaning.
func (r *reader) shape(s *set) uint64 {
	parts := []string{r.mode, s.from, r.watermark}
	for _, i := range s.key {
		parts = append(parts, s.columns[i].Name)
	}
	return xxh3.HashString(strings.Join(parts, "\x00"))
}

// restored begins everything again under a new generation: the source holds an older state than was read from it, so
// only a comparison of all rows can tell what was taken back. The deletion of a table's newest rows looks the same.
func (r *reader) restored(why string) {
	r.state.generation++
	r.log.Warn("reading everything again, because only a comparison of all rows tells what was taken back", "why", why, "generation", r.state.generation)
	for _, t := range r.state.tables {
		t.stage, t.at, t.tail = stageScan, nil, false
		t.mark = watermark{window: window{doubt: noDoubt}}
	}
}

// send hands a batch to Read.
func (r *reader) send(ctx context.Context, b *connectors.Batch) error {
	select {
	case r.out <- b:
		return nil
	case <-ctx.Done():
		b.Release()
		return ctx.Err()
	}
}

// caughtUp tells that nothing more was waiting.
func (r *reader) caughtUp(ctx context.Context) error {
	b := connectors.NewBatch()
	b.CaughtUp = true
	b.Position = r.state.encode()
	return r.send(ctx, b)
}

// redescribe looks at a set again and says whether it has other columns now.
func (r *reader) redescribe(ctx context.Context, i int) (changed bool, err error) {
	s, err := r.db.describe(ctx, r.settings, r.sets[i].name)
	if err != nil {
		return false, err
	}
	if slices.Equal(s.columns, r.sets[i].columns) {
		return false, nil
	}
	r.log.Warn("the columns of a table have changed", "table", s.name)
	r.sets[i] = s
	return true, nil
}

// reshaped looks at a set again after an error. It returns nil when only the columns had changed, so that the statement
// can be tried again.
func (r *reader) reshaped(ctx context.Context, i int, cause error) error {
	name := r.sets[i].name
	again := stale(cause)
	cause = failed("read", name, cause)
	if !again && !errors.Is(cause, connectors.ErrStop) {
		return cause
	}
	shape := r.shape(r.sets[i])
	changed, err := r.redescribe(ctx, i)
	switch {
	case err != nil:
		return err
	case r.shape(r.sets[i]) != shape:
		return stop(name, "the key has changed while the table was read", "读取期间表的键发生了变化",
			"start the pipeline again: the table is then read from its start", "重新启动管道，届时将从头读取该表")
	case !changed && !again:
		return cause
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func otherServer(where string) error {
	return &connectors.Problem{
		Where: where,
		What:  connectors.Text{En: "the position was made on another database", Zh: "保存的位置属于另一个数据库"},
		Try: connectors.Text{
			En: "point url back at the first database, or, when the department has really moved, `datong pipeline reset` reads everything again and compares it",
			Zh: "将 url 改回原数据库；若部门确已迁移，用 `datong pipeline reset` 全量重读并比较"},
		Err: connectors.ErrPosition,
	}
}
