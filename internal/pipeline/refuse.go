package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/keyindex"
	"github.com/datong-dx/datong/internal/quarantine"
)

// waiting is the compact set of a pipeline's rows that wait in quarantine: enough to know an unchanged row again and to
// close the item of a newer one. Digest holds the content, Row the number of records that the item lies in.
type waiting struct {
	index *keyindex.Index
	old   oldKeys
}

func formatHash(h uint64) string { return strconv.FormatUint(h, 16) }

// counted marks the item for which its row is counted as quarantined: a row refused for two entities is one row.
const counted = 1 << 8

func (w *waiting) len() int { return w.index.Len() }

func (w *waiting) close() { _ = w.index.Close() } // an unlinked temporary file

// unsee forgets what earlier scans have shown.
func (w *waiting) unsee() error { return w.index.Unflag(keyindex.Seen) }

// readWaiting reads which rows wait. The caller has fenced older twins.
func (p *Pipeline) readWaiting(ctx context.Context) (*waiting, error) {
	w := &waiting{index: keyindex.New(p.opt.TempDir), old: newOldKeys()}
	if p.opt.Client == nil {
		return w, nil
	}
	err := quarantine.Scan(ctx, p.opt.Client, p.topic(quarantineTopic), []int32{p.quarantinePartition()}, func(it *quarantine.Item) error {
		if it.Pipeline != p.opt.Name {
			return nil
		}
		return w.add(it, p.topic(it.Entity))
	})
	if err == nil {
		err = w.old.review(ctx, p.opt.Client)
	}
	if err != nil {
		w.close()
		return nil, fmt.Errorf("read the quarantine of %s: %w", p.ID(), err)
	}
	return w, nil
}

func (w *waiting) add(it *quarantine.Item, topic string) error {
	content, _ := strconv.ParseUint(it.Content, 16, 64) // 0, never equal, makes the row be refused again
	flags := uint64(keyindex.Live)
	if it.Counted {
		flags |= counted
	}
	hash := xxh3.Hash(it.Key())
	if len(it.OldKey) > 0 {
		w.old.add(hash, topic, it)
	}
	return w.index.Set(hash, content, uint64(max(it.Parts, 1)), flags)
}

func (p *Pipeline) quarantinePartition() int32 {
	return quarantine.Partition(p.opt.Name, broker.PositionsPartitions)
}

// refuse puts a row into the quarantine, in the transaction that moves the position past it. A row that waits there
// unchanged is not refused a second time.
func (g *judge) refuse(j *job, res *result, violations []quarantine.Violation) (outcome, error) {
	row := &j.batch.Rows[res.row]
	it := g.item(j, res, violations)
	key := it.Key()
	hash := xxh3.Hash(key)
	content := contentHash(row, mappingDigest(res))
	if res.feed != nil && res.feed.compare {
		if err := g.present(res); err != nil {
			return 0, err
		}
	}
	e, err := g.bad.index.Lookup(hash)
	if err != nil {
		return 0, err
	}
	if e.Flags&keyindex.Live != 0 && e.Digest == content {
		return asBefore, g.bad.index.Set(hash, e.Digest, e.Row, e.Flags|keyindex.Seen)
	}
	flags := uint64(keyindex.Live | keyindex.Seen)
	if it.Counted = g.firstRefused(j, res); it.Counted {
		flags |= counted
	}
	it.Content = formatHash(content)
	if g.opt.Refused != nil {
		g.opt.Refused(it)
	}
	if it.OldKey == nil {
		it.OldKey = g.bad.old.of(hash)
	}
	parts, err := g.putItem(it)
	if err != nil {
		return 0, err
	}
	if e.Flags&keyindex.Live != 0 {
		g.supersede(e)
		g.closeParts(key, parts, int(e.Row))
	}
	if it.OldKey != nil {
		g.bad.old.add(hash, res.feed.topic, it)
	}
	return toQuarantine, g.bad.index.Set(hash, content, uint64(parts), flags)
}

// firstRefused says that no earlier result of the same row is refused as well.
func (g *judge) firstRefused(j *job, res *result) bool {
	for i := range j.results {
		r := &j.results[i]
		if r == res || r.row > res.row {
			return true
		}
		if r.row == res.row && (r.kind == refused || r.kind == broken) {
			return false
		}
	}
	return true
}

// present notes that a refused row is there, so that the comparison does not withdraw its last good version.
func (g *judge) present(res *result) error {
	f := res.feed
	if f.refused == nil {
		f.refused = keyindex.New(g.opt.TempDir)
	}
	if err := f.refused.Set(res.rowKey, 0, 0, keyindex.Live); err != nil || res.key == 0 {
		return err
	}
	e, err := f.index.Lookup(res.key)
	if err != nil || e.Flags&keyindex.Live == 0 {
		return err
	}
	return f.index.Set(res.key, e.Digest, e.Row, e.Flags|keyindex.Seen)
}

func mappingDigest(res *result) uint64 {
	if res.feed == nil {
		return 0
	}
	return res.feed.plan.Digest()
}

// item describes a refused row.
func (g *judge) item(j *job, res *result, violations []quarantine.Violation) *quarantine.Item {
	row := &j.batch.Rows[res.row]
	it := &quarantine.Item{
		Department: g.opt.Department, Pipeline: g.opt.Name, Op: row.Op.String(),
		Origin: j.batch.Origin, Line: row.Line, Time: time.UnixMicro(row.Time).UTC(), RefusedAt: time.Now().UTC(),
		Generation: row.Order.Generation, Sequence: row.Order.Sequence, Ordinal: row.Ordinal,
		Raw: row.Raw, Violations: violations, Dictionary: g.opt.Dictionary,
	}
	if row.Table != nil {
		it.Set = row.Table.Name
	}
	f := res.feed
	if f == nil {
		it.RowKey = string(appendPlace(nil, j.batch, row))
		return it
	}
	it.Entity, it.Mapping = f.entity, formatHash(f.plan.Digest())
	it.RowKey = string(appendRowKey(nil, j.batch, row, rowColumns(f.plan, row.Table)))
	if res.kind == put && violations[0].Rule == ruleDuplicate {
		it.RowKey += quarantine.Separator + "2" // the first row of the key keeps its own place
	}
	it.SetRow(row, func(column string) bool { return g.opt.Masked(f.entity, column) })
	for i := range j.results {
		if r := &j.results[i]; r.row == res.row && r.feed == f && r.kind == moved {
			it.OldKey = r.old
		}
	}
	return it
}

// putItem adds the records of an item to the transaction and returns their number.
func (g *judge) putItem(it *quarantine.Item) (int, error) {
	it.Parts = 1
	value, err := it.Encode()
	if err != nil {
		return 0, err
	}
	parts := quarantine.Split(it.Key(), value)
	for _, part := range parts {
		g.addQuarantine(part.Key, part.Value)
	}
	return len(parts), nil
}

// addQuarantine adds one record, a tombstone when value is nil.
func (g *judge) addQuarantine(key, value []byte) {
	g.scratch = broker.AppendPlainBody(g.scratch[:0], key, value)
	g.now.txn.Add(g.topic(quarantineTopic), g.quarantinePartition(), g.scratch)
	g.touch()
}

// closeParts withdraws the records from..to-1 of an item.
func (g *judge) closeParts(key []byte, from, to int) {
	for i, k := range quarantine.Keys(key, max(to, 1)) {
		if i >= from {
			g.addQuarantine(k, nil)
		}
	}
}

// supersede moves a waiting row's count: a newer state of it has come.
func (g *judge) supersede(e keyindex.Entry) {
	if e.Flags&counted != 0 {
		g.counts.Quarantined--
		g.counts.Superseded++
	}
}

// release closes the item of a row of which a newer state has come.
func (g *judge) release(j *job, res *result) error {
	if g.bad.len() == 0 {
		return nil
	}
	e, err := g.bad.index.Lookup(res.item)
	if err != nil || e.Flags&keyindex.Live == 0 {
		return err
	}
	row := &j.batch.Rows[res.row]
	key := quarantine.AppendKey(nil, g.opt.Name, res.feed.set, res.feed.entity,
		appendRowKey(nil, j.batch, row, rowColumns(res.feed.plan, row.Table)))
	g.supersede(e)
	return g.closeItem(key, e, res.feed, row.Order)
}

// closeItem withdraws an item's records; a tombstone that waited with it is published, as part of the row's newer state at
// the given place in the source. Without a feed it is given up with the item.
func (g *judge) closeItem(key []byte, e keyindex.Entry, f *feed, at connectors.Order) error {
	hash := xxh3.Hash(key)
	g.closeParts(key, 0, int(e.Row))
	if old := g.bad.old.of(hash); old != nil && f != nil {
		ev := broker.Event{
			ID:   f.envelope.EventID(&broker.Cause{Order: at, Op: connectors.OpDelete, Digest: e.Digest}, old),
			Time: nowMicros(), Order: at,
		}
		g.scratch = f.envelope.AppendBody(g.scratch[:0], old, nil, &ev)
		g.now.txn.Add(f.topic, broker.Partition(old, g.opt.Topics.Partitions), g.scratch)
		g.counts.Records++
		g.counts.Deletes++
		g.bad.old.drop(hash)
	}
	return g.bad.index.Set(hash, 0, 0, 0)
}

// sweep closes the items of a set whose rows a complete scan did not show: they are gone from the source.
func (g *judge) sweep(work context.Context, set string) error {
	if g.opt.Client == nil || g.bad.len() == 0 {
		return nil
	}
	return quarantine.Scan(work, g.opt.Client, g.topic(quarantineTopic), []int32{g.quarantinePartition()}, func(it *quarantine.Item) error {
		if it.Pipeline != g.opt.Name || it.Set != set {
			return nil
		}
		e, err := g.bad.index.Lookup(xxh3.Hash(it.Key()))
		if err != nil || e.Flags&keyindex.Live == 0 || e.Flags&keyindex.Seen != 0 {
			return err
		}
		g.supersede(e)
		return g.closeItem(it.Key(), e, nil, connectors.Order{})
	})
}

// batchOverhead is more than what a batch and its one record take beside the record's body.
const batchOverhead = 128

// largestRecord is the largest body that the standard topics take, however little it compresses: whether a record
// conforms must not hang on the compression that was chosen.
func (o *Options) largestRecord() int {
	return cmp.Or(o.Producer.MaxMessageBytes, o.Topics.MaxMessageBytes, broker.DefaultMaxMessageBytes) - batchOverhead
}

func tooLarge(size, limit int) []quarantine.Violation {
	return []quarantine.Violation{{
		Rule: ruleTooLarge,
		Zh:   fmt.Sprintf("记录有 %d 字节，超过主题所容的 %d 字节；请在映射中去掉过大的字段，或提高 topics.max_message_bytes", size, limit),
		En:   fmt.Sprintf("the record has %d bytes, and the topic takes %d: leave the large field out of the mapping, or raise topics.max_message_bytes", size, limit),
	}}
}

const (
	ruleTooLarge  = "too_large"
	ruleDuplicate = "duplicate_key"
	ruleForeign   = "foreign_key"
)

func duplicateKey(f *feed) []quarantine.Violation {
	return []quarantine.Violation{{
		Rule: ruleDuplicate, Element: f.plan.Entity().Key[0],
		Zh: "同一数据集中另有一行使用相同的主键，只发布先读到的一行；请在来源中合并或改正",
		En: "another row of the same set has the same key, and only the first is published; merge or correct them in the source",
	}}
}

func heldByAnotherSet(f *feed) []quarantine.Violation {
	return []quarantine.Violation{{
		Rule: ruleForeign, Element: f.plan.Entity().Key[0],
		Zh: "该主键已由本部门的另一数据集发布；两个数据集只能以互不重叠的主键提供同一实体",
		En: "the key is published by another set of this department; two sets may feed one entity only with disjoint keys",
	}}
}

// refusals watches the share of refused rows.
type refusals struct {
	limit     Limit
	rows, bad int64
}

// add counts a row.
func (r *refusals) add(refused bool) {
	r.rows++
	if refused {
		r.bad++
	}
}

// verdict stops the pipeline when too many of the last rows were refused: a changed header is not four million bad rows.
func (r *refusals) verdict(pipeline string) error {
	if r.rows < max(r.limit.Rows, 1) {
		return nil
	}
	rows, bad := r.rows, r.bad
	r.rows, r.bad = 0, 0
	if !r.limit.exceeds(bad, rows) {
		return nil
	}
	return &connectors.Problem{
		Where: pipeline,
		What: connectors.Text{
			Zh: fmt.Sprintf("最近 %d 行中有 %d 行不合标准，超过 max_refused，已停止", rows, bad),
			En: fmt.Sprintf("%d of the last %d rows were refused, more than max_refused allows; stopped", bad, rows),
		},
		Try: connectors.Text{
			Zh: "用 datong quarantine list 查看原因；修正映射或来源后重新启动",
			En: "see the causes with datong quarantine list; correct the mapping or the source, then start again",
		},
		Err: ErrLimit,
	}
}
