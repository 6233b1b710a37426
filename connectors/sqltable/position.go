package sqltable

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/connectors"
)

// positionVersion is the first byte of a position. Version 1 is:
//
//	byte 1 · identity (8 bytes) · timeline, generation, number of tables (uvarint) · each table · checksum (4 bytes)
//	table: length (uvarint) · name, shape (8 bytes), stage, scan, flags, cursor · watermark part
//
// Numbers are varints, texts have their length before them. testdata/position.golden guards it. The hashes in a window
// are made of what the drivers hand over: a change there needs a new version too.
const positionVersion = 1

// stage is where a table stands.
type stage byte

const (
	stageScan stage = iota // a scan is to begin or has begun
	stagePoll              // watermark mode, after the scan
	stageDone              // snapshot mode, after the scan
)

// state is what a position tells.
type state struct {
	identity   uint64 // hash of what the server calls itself
	timeline   uint64 // PostgreSQL's timeline, 0 elsewhere
	generation uint64
	tables     []*tableState
}

// tableState is where one table stands.
type tableState struct {
	name  string
	shape uint64 // hash of the settings that give cursor and window their meaning
	stage stage
	scan  uint64             // id of the scan that runs or ran last
	tail  bool               // the scan has reached the rows whose key holds a null
	at    []connectors.Value // key of the last row of the scan, or watermark and key of the last row of the pass; nil at its start
	mark  watermark
}

// watermark is what watermark mode knows of a table.
type watermark struct {
	known   bool             // the table has had a row with a watermark
	high    int64            // the highest watermark up to which everything was read
	low     int64            // where the next pass begins: high less the overlap
	bound   connectors.Value // the running pass ends here; absent between passes
	next    [2]int64         // high and low after the running pass
	like    []byte           // a watermark as text, when the column holds text: its layout
	history []sample         // for ids; not part of the position
	window
}

func (s *state) table(name string) *tableState {
	i := slices.IndexFunc(s.tables, func(t *tableState) bool { return t.name == name })
	if i < 0 {
		return nil
	}
	return s.tables[i]
}

func (s *state) encode() connectors.Position {
	size := 64
	for _, t := range s.tables {
		size += 128 + len(t.name) + 10*min(len(t.mark.seen)+len(t.mark.fresh), windowStored)
	}
	b := append(make([]byte, 0, size), positionVersion)
	b = binary.BigEndian.AppendUint64(b, s.identity)
	b = binary.AppendUvarint(b, s.timeline)
	b = binary.AppendUvarint(b, s.generation)
	b = binary.AppendUvarint(b, uint64(len(s.tables)))
	for _, t := range s.tables {
		b = t.append(b)
	}
	return binary.BigEndian.AppendUint32(b, uint32(xxh3.Hash(b)))
}

func (t *tableState) append(b []byte) []byte {
	b = appendText(b, []byte(t.name))
	b = binary.BigEndian.AppendUint64(b, t.shape)
	b = append(b, byte(t.stage), flags(t.tail, t.mark.known))
	b = binary.AppendUvarint(b, t.scan)
	b = appendValues(b, t.at)
	b = binary.AppendVarint(b, t.mark.high)
	b = binary.AppendVarint(b, t.mark.low)
	b = appendValues(b, []connectors.Value{t.mark.bound})
	b = binary.AppendVarint(b, t.mark.next[0])
	b = binary.AppendVarint(b, t.mark.next[1])
	b = appendText(b, t.mark.like)
	return t.mark.window.append(b)
}

func decodeState(p connectors.Position) (*state, error) {
	body := p[:max(0, len(p)-4)]
	d := decoder{b: body}
	if version := d.byte(); d.err == nil && version != positionVersion {
		return nil, fmt.Errorf("decode the position: version %d is not known: %w", version, connectors.ErrPosition)
	}
	if d.err == nil && binary.BigEndian.Uint32(p[len(body):]) != uint32(xxh3.Hash(body)) {
		d.fail()
	}
	s := &state{identity: d.fixed(), timeline: d.uvarint(), generation: d.uvarint()}
	for n := d.uvarint(); n > 0 && d.err == nil; n-- {
		s.tables = append(s.tables, d.table())
	}
	if d.err == nil && len(d.b) > 0 {
		d.fail()
	}
	if d.err != nil {
		return nil, fmt.Errorf("decode the position: %w", d.err)
	}
	return s, nil
}

func (d *decoder) table() *tableState {
	t := &tableState{name: string(d.text()), shape: d.fixed(), stage: stage(d.byte())}
	flag := d.byte()
	t.tail, t.mark.known = flag&1 != 0, flag&2 != 0
	t.scan = d.uvarint()
	t.at = d.values()
	t.mark.high, t.mark.low = d.varint(), d.varint()
	if bound := d.values(); len(bound) == 1 {
		t.mark.bound = bound[0]
	} else {
		d.fail()
	}
	t.mark.next = [2]int64{d.varint(), d.varint()}
	t.mark.like = d.text()
	t.mark.window = d.window()
	if t.stage > stageDone || flag > 3 {
		d.fail()
	}
	return t
}

func flags(bits ...bool) (b byte) {
	for i, bit := range bits {
		if bit {
			b |= 1 << i
		}
	}
	return b
}
