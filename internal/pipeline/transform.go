package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/quarantine"
	"github.com/datong-dx/datong/mapping"
)

// job is one batch on its way: a mapper fills results and closes ready, the judge waits for ready.
type job struct {
	batch   *connectors.Batch
	request *request           // set when the rows come out of the quarantine
	items   []*quarantine.Item // the request's items, one per row of the batch
	last    bool               // nothing more of the request follows
	reading uint64             // see attempt.reading
	ready   chan struct{}
	err     error
	results []result
	bodies  []byte // encoded records, one behind the other
}

var jobs = sync.Pool{New: func() any { return new(job) }}

func newJob(b *connectors.Batch) *job {
	j := jobs.Get().(*job)
	*j = job{batch: b, ready: make(chan struct{}), results: j.results[:0], bodies: j.bodies[:0]}
	return j
}

// free gives the job's memory back when the judge is done with it.
func (j *job) free() {
	j.batch.Release()
	clear(j.results)
	jobs.Put(j)
}

// kind is what a mapper made of a row for one feed.
type kind uint8

const (
	put      kind = iota + 1 // a standard record
	remove                   // a tombstone: the row is gone
	moved                    // a tombstone for the row's former key
	leave                    // a tombstone: the row no longer meets the mapping's condition
	filtered                 // the condition says no, and there is nothing to withdraw
	refused                  // violations
	broken                   // the row could not be split: no feed
	unmapped                 // no mapping takes the row's table
)

// result is what a row became for one feed. The results of a job stand in row order.
type result struct {
	kind       kind
	row        int32
	partition  int32
	feed       *feed
	from, to   int32  // of the record's body in job.bodies
	key        uint64 // hash of the entity key; 0 when it could not be made
	digest     uint64
	rowKey     uint64 // hash of the source row's key
	item       uint64 // hash of the row's quarantine key
	violations []quarantine.Violation
	old        []byte // of moved: the former entity key
}

// mapper turns rows into results; each goroutine has its own.
type mapper struct {
	a       *attempt
	tables  map[*connectors.Table][]target
	largest int    // record that fits into a batch of its own
	key     []byte // scratch
}

// target is a plan bound to a table's columns.
type target struct {
	*feed
	mapper  *mapping.Mapper
	rowCols []int // the columns that identify a row
	prefix  []byte
}

// maxTables bounds the bindings a mapper remembers; a source that makes a new table for every file would fill memory.
const maxTables = 64

// mapJobs maps jobs until there are no more.
func (a *attempt) mapJobs(work context.Context) error {
	m := &mapper{a: a, tables: map[*connectors.Table][]target{}, largest: a.opt.largestRecord()}
	for {
		select {
		case j, ok := <-a.jobs:
			if !ok {
				return nil
			}
			j.err = m.mapJob(j)
			close(j.ready)
		case <-work.Done():
			return work.Err()
		}
	}
}

func (m *mapper) mapJob(j *job) error {
	for i := range j.batch.Rows {
		row := &j.batch.Rows[i]
		if row.Err != nil {
			j.results = append(j.results, m.brokenRow(j, i))
			continue
		}
		targets, err := m.targets(row.Table, j.batch.Origin)
		if err != nil {
			return err
		}
		from := len(j.results)
		for t := range targets {
			if j.items != nil && j.items[i].Entity != targets[t].entity {
				continue
			}
			m.mapRow(j, i, &targets[t])
		}
		if len(j.results) == from {
			j.results = append(j.results, result{kind: unmapped, row: int32(i)})
		}
	}
	return nil
}

// targets returns the plans that take the rows of a table, which were read from origin, bound to its columns.
func (m *mapper) targets(t *connectors.Table, origin string) ([]target, error) {
	if list, ok := m.tables[t]; ok {
		return list, nil
	}
	if len(m.tables) >= maxTables {
		clear(m.tables)
	}
	var list []target
	for _, plan := range m.a.opt.Plans {
		if name := plan.Spec().Table; name != "" && name != t.Name {
			continue
		}
		bound, err := plan.Bind(t)
		if err != nil {
			return nil, unbound(origin, err)
		}
		f := m.a.feeds.get(plan, t)
		list = append(list, target{
			feed: f, mapper: bound.NewMapper(), rowCols: rowColumns(plan, t),
			prefix: quarantine.AppendKey(nil, m.a.opt.Name, f.set, f.entity, nil),
		})
	}
	m.tables[t] = list
	return list, nil
}

// unbound names the file or table that lacks what a mapping reads; a set's name may be no more than `file`.
func unbound(origin string, err error) error {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range list.Unwrap() {
			if p, ok := errors.AsType[*connectors.Problem](e); ok {
				p.Where = origin
			}
		}
	}
	return fmt.Errorf("%w: %w", connectors.ErrStop, err)
}

// rowColumns returns the columns that identify a row: the table's key, else the plain columns of the entity's key, else
// none, and then a row is known by where it was read.
func rowColumns(plan *mapping.Plan, t *connectors.Table) []int {
	if len(t.Key) > 0 {
		return t.Key
	}
	names, plain := plan.KeyColumns()
	if !plain {
		return nil
	}
	cols := make([]int, 0, len(names))
	for _, name := range names {
		if i := t.Index(name); i >= 0 {
			cols = append(cols, i)
		}
	}
	return cols
}

// mapRow appends what the row becomes for one target.
func (m *mapper) mapRow(j *job, i int, t *target) {
	row := &j.batch.Rows[i]
	m.key = appendRowKey(append(m.key[:0], t.prefix...), j.batch, row, t.rowCols)
	res := result{row: int32(i), feed: t.feed, item: xxh3.Hash(m.key), rowKey: xxh3.Hash(m.key[len(t.prefix):])}
	out := t.mapper.Map(row)
	if len(out.Key) > 0 {
		res.key = xxh3.Hash(out.Key)
	}
	old, hasOld := t.mapper.OldKey(row)
	if hasOld && !bytes.Equal(old, out.Key) {
		gone := res
		gone.kind, gone.key, gone.old = moved, xxh3.Hash(old), bytes.Clone(old)
		m.encode(j, &gone, row, t, old, nil)
		j.results = append(j.results, gone)
	}
	switch {
	case out.Outcome == mapping.Refused:
		res.kind, res.violations = refused, quarantine.FromMapping(out.Violations)
	case out.Outcome == mapping.Filtered && (row.Op == connectors.OpUpdate || row.Op == connectors.OpUpsert) && len(out.Key) > 0:
		res.kind = leave
		m.encode(j, &res, row, t, out.Key, nil)
	case out.Outcome == mapping.Filtered:
		res.kind = filtered
	case row.Op == connectors.OpDelete:
		res.kind = remove
		m.encode(j, &res, row, t, out.Key, nil)
	default:
		res.kind, res.digest = put, out.Digest
		m.encode(j, &res, row, t, out.Key, out.Value)
		if size := int(res.to - res.from); size > m.largest {
			res.kind, res.violations = refused, tooLarge(size, m.largest)
			j.bodies = j.bodies[:res.from]
		}
	}
	j.results = append(j.results, res)
}

// encode appends the record's body and notes where it lies.
func (m *mapper) encode(j *job, res *result, row *connectors.Row, t *target, key, value []byte) {
	ev := broker.Event{Time: row.Time, Order: row.Order, Digest: res.digest}
	if !t.keyIsRow {
		ev.RowKey = res.rowKey
	}
	op := row.Op
	if value == nil {
		op = connectors.OpDelete
	}
	cause := broker.Cause{Order: row.Order, Ordinal: row.Ordinal, Op: op, Digest: res.digest}
	if row.Op == connectors.OpSnapshot || row.Op == connectors.OpUpsert {
		cause.Reading = j.reading
	}
	ev.ID = t.envelope.EventID(&cause, key)
	res.partition = broker.Partition(key, m.a.opt.Topics.Partitions)
	res.from = int32(len(j.bodies))
	j.bodies = t.envelope.AppendBody(j.bodies, key, value, &ev)
	res.to = int32(len(j.bodies))
}

// brokenRow is the result of a row that the connector could not split into values.
func (m *mapper) brokenRow(j *job, i int) result {
	row := &j.batch.Rows[i]
	set := ""
	if row.Table != nil {
		set = row.Table.Name
	}
	m.key = quarantine.AppendKey(m.key[:0], m.a.opt.Name, set, "", nil)
	m.key = appendPlace(m.key, j.batch, row)
	what := *row.Err
	what.Where = "" // the item names the place, and rows that are broken alike are to be counted as one cause
	return result{kind: broken, row: int32(i), item: xxh3.Hash(m.key), violations: []quarantine.Violation{{
		Rule: "unreadable", Zh: what.In("zh"), En: what.In("en"),
	}}}
}

// appendRowKey appends what identifies a row in its source.
func appendRowKey(dst []byte, b *connectors.Batch, row *connectors.Row, cols []int) []byte {
	if len(cols) == 0 {
		return appendPlace(dst, b, row)
	}
	for n, c := range cols {
		if n > 0 {
			dst = append(dst, quarantine.Separator...)
		}
		dst = row.Values[c].AppendText(dst)
	}
	return dst
}

// appendPlace appends where a row was read; a row without a place is known by its content.
func appendPlace(dst []byte, b *connectors.Batch, row *connectors.Row) []byte {
	if row.Line > 0 {
		return strconv.AppendInt(append(append(dst, b.Origin...), ':'), row.Line, 10)
	}
	return strconv.AppendUint(append(dst, "content:"...), contentHash(row, 0), 16)
}

// contentHash hashes everything a row holds, so that an unchanged row is known again. seed tells mappings apart.
func contentHash(row *connectors.Row, seed uint64) uint64 {
	h := xxh3.NewSeed(seed)
	var buf [64]byte
	_, _ = h.Write([]byte{byte(row.Op / connectors.OpDelete)}) // a delete differs from every other operation
	_, _ = h.Write(row.Raw)
	for _, v := range row.Values {
		text := v.AppendText(buf[:0])
		_, _ = h.Write(strconv.AppendInt(buf[:0:0], int64(len(text)), 10))
		_, _ = h.Write([]byte{byte(v.Kind())})
		_, _ = h.Write(text)
	}
	return h.Sum64()
}
