package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/keyindex"
	"github.com/datong-dx/datong/internal/quarantine"
)

// scan is the running reading of a whole set.
//
// A complete scan is compared with what the pipeline has published of the set: rows that stand on the topic as they are
// end as unchanged, and keys that the scan does not show are withdrawn at its end. While it is compared the position
// stands still, so a crash begins it again and what was published meanwhile is unchanged then. Only where the topic
// holds nothing of the set and the source itself guarantees unique keys is there nothing to compare: such a scan is
// plain, its position moves, and it resumes where it stopped.
type scan struct {
	*connectors.Scan
	decided bool
	compare bool
	last    connectors.Order // of the rows shown so far
}

// holds says that the position must stand still.
func (s *scan) holds() bool { return s != nil && s.Complete && (!s.decided || s.compare) }

// decide settles, at the first rows of a complete scan, whether it is compared.
func (g *judge) decide(work context.Context, b *connectors.Batch) error {
	s := g.scan
	if s == nil || s.decided || !s.Complete || len(b.Rows) == 0 && b.End == nil {
		return nil
	}
	s.decided = true
	list := g.scanned(s.Set)
	if err := g.load(work, list...); err != nil {
		return err
	}
	for _, f := range list {
		if f.before > 0 || !f.unique || f.shared {
			s.compare = true
		}
	}
	s.compare = s.compare || !s.Resumable || b.End != nil
	if !s.compare {
		for _, f := range list {
			f.drop()
		}
		if g.rec.Plain == nil {
			g.rec.Plain = map[string]uint64{}
		}
		g.rec.Plain[s.Set] = s.ID
		return nil
	}
	for _, f := range list {
		f.compare = true
		f.forgetRefused()
	}
	return g.bad.unsee()
}

// scanned returns the feeds of a set, those included that no row has shown yet: an emptied file has none.
func (g *judge) scanned(set string) []*feed {
	list := g.feeds.of(set)
	for _, plan := range g.opt.Plans {
		if t := plan.Spec().Table; t != "" && t != set {
			continue
		}
		if !slices.ContainsFunc(list, func(f *feed) bool { return f.plan == plan }) {
			list = append(list, g.feeds.get(plan, &connectors.Table{Name: set}))
		}
	}
	return list
}

// endScan withdraws what the scan did not show.
func (g *judge) endScan(work context.Context, b *connectors.Batch) error {
	s := g.scan
	g.scan = nil
	delete(g.rec.Plain, b.End.Set)
	if s == nil || !s.compare {
		return nil
	}
	list := g.scanned(s.Set)
	gone := make([]int64, len(list))
	for i, f := range list {
		var err error
		if gone[i], err = g.checkDeletes(f, s); err != nil {
			return err
		}
	}
	for i, f := range list {
		if gone[i] == 0 {
			continue
		}
		if err := g.withdraw(work, f, s, b); err != nil {
			return fmt.Errorf("withdraw what is gone from %s: %w", s.Set, err)
		}
	}
	if err := g.sweep(work, s.Set); err != nil {
		return err
	}
	for _, f := range list {
		f.compare = false
		f.forgetRefused()
		if !f.needsIndex() {
			f.drop()
		}
	}
	g.approved.CompareAndSwap(s.ID+1, 0)
	g.touch()
	return nil
}

// missing says that an entry's key was not shown by the scan and is ours to withdraw. A key whose source row is there
// but refused is present: the platform keeps its last good version.
func (f *feed) missing(e keyindex.Entry) (bool, error) {
	if e.Flags&keyindex.Live == 0 || e.Flags&(keyindex.Seen|keyindex.Foreign) != 0 {
		return false, nil
	}
	if e.Row == 0 || f.refused == nil {
		return true, nil
	}
	row, err := f.refused.Lookup(e.Row)
	return row.Flags&keyindex.Live == 0, err
}

// checkDeletes returns how many keys the scan would withdraw, and stops the pipeline when they are more than is
// plausible: an empty, cut-off or wrongly decoded file deletes nothing.
func (g *judge) checkDeletes(f *feed, s *scan) (gone int64, err error) {
	var trouble error
	err = f.index.Each(func(e keyindex.Entry) {
		missing, err := f.missing(e)
		if missing {
			gone++
		}
		trouble = cmp.Or(trouble, err)
	})
	if err = cmp.Or(err, trouble); err != nil {
		return 0, err
	}
	limit := g.opt.MaxDeletes
	if gone <= limit.Rows || !limit.exceeds(gone, f.before) || g.approved.Load() == s.ID+1 {
		return gone, nil
	}
	return 0, &heldError{HeldDeletes{Set: s.Set, Entity: f.entity, Scan: s.ID, Deletes: gone, Of: f.before}, g.ID()}
}

// heldError stops a pipeline whose scan would delete too much.
type heldError struct {
	HeldDeletes
	pipeline string
}

func (e *heldError) Error() string { return e.problem().Error() }

// Unwrap makes the error a [connectors.Problem] that stops the pipeline.
func (e *heldError) Unwrap() error { return e.problem() }

func (e *heldError) problem() *connectors.Problem {
	return &connectors.Problem{
		Where: e.pipeline,
		What: connectors.Text{
			Zh: fmt.Sprintf("本次全量读取 %s 将删除 %s 的 %d 条记录（共 %d 条），超过 max_deletes，未删除任何记录", e.Set, e.Entity, e.Deletes, e.Of),
			En: fmt.Sprintf("this full reading of %s would delete %d of %d %s records, more than max_deletes allows; nothing was deleted", e.Set, e.Deletes, e.Of, e.Entity),
		},
		Try: connectors.Text{
			Zh: "检查来源是否为空、被截断或编码错误；确认无误后运行 datong deletes approve",
			En: "see whether the source is empty, cut off or wrongly decoded; when it is right, run datong deletes approve",
		},
		Err: ErrLimit,
	}
}

// deleteChunk is how many missing keys are looked up in the source and withdrawn at a time.
const deleteChunk = 1000

// withdraw publishes tombstones for the keys that the scan did not show. The index holds only hashes, so the topic is
// read once more for the keys themselves.
func (g *judge) withdraw(work context.Context, f *feed, s *scan, b *connectors.Batch) error {
	if g.opt.Client == nil {
		return nil
	}
	var keys [][]byte
	flush := func() error {
		err := g.tombstones(work, f, s, b, keys)
		keys = keys[:0]
		return err
	}
	_, err := g.opt.Client.Scan(work, f.topic, nil, func(_ int32, r *broker.Record) error {
		key := xxh3.Hash(r.Key)
		e, err := f.index.Lookup(key)
		if err != nil || r.Value == nil {
			return err
		}
		if missing, err := f.missing(e); err != nil || !missing {
			return err
		}
		if err := f.index.Set(key, e.Digest, e.Row, e.Flags|keyindex.Seen); err != nil {
			return err // seen now, so that an older record of the key is passed over
		}
		if keys = append(keys, bytes.Clone(r.Key)); len(keys) == deleteChunk {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// tombstones withdraws the given keys, but for those that the source still has when it is asked once more.
func (g *judge) tombstones(work context.Context, f *feed, s *scan, b *connectors.Batch, keys [][]byte) error {
	if len(keys) == 0 {
		return nil
	}
	there, err := g.stillThere(work, f, keys)
	if err != nil {
		return err
	}
	at := s.last
	if at == (connectors.Order{}) {
		at = f.published() // a scan without rows does not tell where it stands: not before what was published
	}
	when := nowMicros()
	if n := len(b.Rows); n > 0 {
		when = b.Rows[n-1].Time
	}
	for _, key := range keys {
		hash := xxh3.Hash(key)
		if _, ok := there[hash]; ok {
			continue
		}
		ev := broker.Event{
			ID:   f.envelope.EventID(&broker.Cause{Order: at, Reading: g.reading(0), Op: connectors.OpDelete}, key),
			Time: when, Order: at,
		}
		g.scratch = f.envelope.AppendBody(g.scratch[:0], key, nil, &ev)
		g.now.txn.Add(f.topic, broker.Partition(key, g.opt.Topics.Partitions), g.scratch)
		g.counts.Records++
		g.counts.Deletes++
		g.touch()
		if err := f.index.Set(hash, 0, 0, 0); err != nil {
			return err
		}
	}
	if g.full() {
		return g.commit(work)
	}
	return nil
}

// stillThere asks the source for the rows of keys, where it can look rows up by the columns that make the key.
func (g *judge) stillThere(work context.Context, f *feed, keys [][]byte) (map[uint64]struct{}, error) {
	getter, ok := g.source.(connectors.Getter)
	columns, plain := f.plan.KeyColumns()
	if !ok || !plain {
		return nil, nil
	}
	tuples := make([][]connectors.Value, len(keys))
	for i, key := range keys {
		for _, part := range bytes.Split(key, []byte(quarantine.Separator)) {
			tuples[i] = append(tuples[i], connectors.String(part))
		}
	}
	b, err := getter.Get(work, f.set, columns, tuples)
	if err != nil {
		return nil, &sourceError{fmt.Errorf("look rows of %s up: %w", f.set, err)}
	}
	defer b.Release()
	there := map[uint64]struct{}{}
	m := &mapper{a: g.attempt, tables: map[*connectors.Table][]target{}}
	for i := range b.Rows {
		targets, err := m.targets(b.Rows[i].Table, b.Origin)
		if err != nil {
			return nil, err
		}
		for t := range targets {
			if targets[t].feed != f {
				continue
			}
			if out := targets[t].mapper.Map(&b.Rows[i]); len(out.Key) > 0 {
				there[xxh3.Hash(out.Key)] = struct{}{}
			}
		}
	}
	return there, nil
}
