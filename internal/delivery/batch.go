package delivery

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping"
)

// entry is the latest record of one key in a batch.
type entry struct {
	part    *part
	offset  int64
	changed int64 // in the source, Unix microseconds
	source  *source
	schema  error
	key     []byte // the entity key
	value   []byte // nil: a tombstone
}

// batch is what is written in one transaction. It is filled and sealed by the collector, then belongs to the writer.
type batch struct {
	mem     *connectors.Batch // holds keys and values, then the rows
	entries []entry
	index   map[foldKey]int32   // into entries
	next    []int64             // by part: the offset after the last record, -1 where nothing was read
	behind  []int64             // by part: records that the topic still has, -1 where nothing was read
	changed []int64             // by part: when its last record changed in the source
	counts  []map[*source]int64 // by part: records, those overtaken in the batch included
	bytes   int
	begun   time.Time // when the first record came

	// Made by seal:
	rowEntry []int32 // of each row of mem, its entry
	broken   []broken
}

type foldKey struct {
	part int32
	hash xxh3.Uint128
}

// broken is a record that cannot be made a row.
type broken struct {
	entry  int32
	reason error
}

// unreadable returns the records that cannot be made rows, for the quarantine.
func (b *batch) unreadable() []refused {
	list := make([]refused, len(b.broken))
	for i, bad := range b.broken {
		list[i] = refused{&b.entries[bad.entry], bad.reason}
	}
	return list
}

// written returns the records whose rows are in the sink, now that it has refused some.
func (b *batch) written(late []refused) []*entry {
	missing := make(map[*entry]bool, len(late))
	for _, r := range late {
		missing[r.entry] = true
	}
	var list []*entry
	for _, at := range b.rowEntry {
		if e := &b.entries[at]; !missing[e] {
			list = append(list, e)
		}
	}
	return list
}

func newBatch(parts int) *batch {
	b := &batch{mem: connectors.NewBatch(), index: map[foldKey]int32{}, next: make([]int64, parts), behind: make([]int64, parts),
		changed: make([]int64, parts), counts: make([]map[*source]int64, parts)}
	b.reset()
	return b
}

// reset empties the batch for the next round.
func (b *batch) reset() {
	b.mem.Reset() // not to the pool, where the much smaller batches of sources are
	clear(b.entries)
	clear(b.index)
	b.entries, b.rowEntry, b.broken = b.entries[:0], b.rowEntry[:0], b.broken[:0]
	for i := range b.next {
		b.next[i], b.behind[i] = -1, -1
		clear(b.counts[i])
	}
	b.bytes = 0
}

// add takes a record in. A later record of the same key takes the place of the one before it.
func (b *batch) add(rd *reading, p *part, r *broker.Record) {
	if len(b.entries) == 0 {
		b.begun = time.Now()
	}
	e := entry{part: p, offset: r.Offset, changed: r.Time * 1000, key: b.mem.Copy(r.Key)}
	if r.Value != nil {
		e.value = b.mem.Copy(r.Value)
	}
	var from []byte
	for name, value := range r.Headers() {
		switch string(name) {
		case broker.HeaderSource:
			from = value
		case broker.HeaderDataSchema:
			e.schema = rd.schema(p.table, value)
		case broker.HeaderTime:
			if t, err := time.Parse(time.RFC3339Nano, string(value)); err == nil {
				e.changed = t.UnixMicro()
			}
		}
	}
	e.source = rd.source(from)
	if b.counts[p.index] == nil {
		b.counts[p.index] = map[*source]int64{}
	}
	b.counts[p.index][e.source]++
	b.changed[p.index] = e.changed
	b.bytes += len(r.Key) + len(r.Value)
	b.fold(e)
}

func (b *batch) fold(e entry) {
	k := foldKey{e.part.index, xxh3.Hash128(e.key)}
	if at, ok := b.index[k]; ok && len(e.key) > 0 {
		b.entries[at] = e
		return
	}
	b.index[k] = int32(len(b.entries))
	b.entries = append(b.entries, e)
}

// seal makes rows of the records.
func (b *batch) seal(rd *reading) {
	for i := range b.entries {
		e := &b.entries[i]
		row := b.mem.Add(e.part.table.Table, connectors.OpUpsert)
		if err := b.decode(rd.decoder(e.part.table), e, row); err != nil {
			b.mem.Rows = b.mem.Rows[:len(b.mem.Rows)-1]
			b.broken = append(b.broken, broken{int32(i), err})
			continue
		}
		row.Time = e.changed
		row.Values[0] = connectors.String(e.part.departmentText)
		b.rowEntry = append(b.rowEntry, int32(i))
	}
	for i, at := range b.rowEntry {
		row := &b.mem.Rows[i]
		if row.Op == connectors.OpDelete {
			continue
		}
		last := len(row.Values) - 1
		row.Values[last-1] = connectors.String(b.entries[at].source.text)
		row.Values[last] = connectors.Timestamp(b.entries[at].changed)
	}
}

var errNoKey = errors.New("a record without a key")

func (b *batch) decode(dec *mapping.Decoder, e *entry, row *connectors.Row) error {
	elements := row.Values[1 : len(row.Values)-2]
	switch {
	case len(e.key) == 0:
		return errNoKey
	case e.value == nil:
		row.Op = connectors.OpDelete
		return dec.DecodeKey(e.key, elements)
	case e.schema != nil:
		return e.schema
	}
	if err := dec.Decode(e.value, elements); err != nil {
		return err
	}
	for _, k := range e.part.table.Key[1:] {
		if row.Values[k].IsNull() {
			return fmt.Errorf("the key element %s is missing", e.part.table.Columns[k].Name)
		}
	}
	if bytes.IndexByte(e.value, '\\') >= 0 {
		b.keep(elements) // texts with escapes stand in the decoder's memory
	}
	return nil
}

// keep copies texts into the batch's memory.
func (b *batch) keep(values []connectors.Value) {
	for i, v := range values {
		switch v.Kind() {
		case connectors.KindText:
			values[i] = connectors.String(b.mem.Copy(v.Bytes()))
		case connectors.KindJSON:
			values[i] = connectors.JSON(b.mem.Copy(v.Bytes()))
		}
	}
}
