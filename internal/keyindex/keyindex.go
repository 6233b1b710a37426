// Package keyindex remembers what was last published under each key, in bounded memory.
package keyindex

import (
	"encoding/binary"
	"fmt"
	"os"
)

// Index remembers, for each key, the digest that was last published and which source row it came from. It holds 64-bit
// hashes, not keys: two of a million keys collide with a probability of 3e-8, and then the second row is refused as a
// duplicate, which a person sees. Up to memorySlots it lives in memory, beyond that in an unlinked temporary file read
// and written slot by slot, so that memory stays bounded whatever the number of keys; losing the file loses nothing,
// because the topic is the truth. An Index is used by one goroutine.
type Index struct {
	dir   string
	table slots
	used  int // slots taken, removed ones included
	live  int
}

// Entry is one slot.
type Entry struct {
	Key    uint64 // never 0
	Digest uint64
	Row    uint64 // hash of the source row's key
	Flags  uint64
}

// Flags of an entry.
const (
	Live    = 1 << iota // the key is on the topic
	Seen                // shown by the running scan
	Foreign             // last published by another set
)

// memorySlots bounds the table held in memory: 2^20 slots of 32 bytes are 32 MiB. Tests lower it.
var memorySlots = 1 << 20

const slotBytes = 32

// slots is a table of 2^n slots.
type slots interface {
	size() int
	get(i int) (Entry, error)
	put(i int, e Entry) error
	close() error
}

// New returns an empty index that spills into dir, the system's temporary directory when it is empty.
func New(dir string) *Index {
	return &Index{dir: dir, table: make(memoryTable, 1<<10)}
}

// find returns the slot of the key, or the free slot where it belongs.
func (x *Index) find(key uint64) (int, Entry, error) {
	if key == 0 {
		key = 1
	}
	mask := x.table.size() - 1
	for i := int(key) & mask; ; i = (i + 1) & mask {
		e, err := x.table.get(i)
		if err != nil {
			return 0, Entry{}, err
		}
		if e.Key == key {
			return i, e, nil
		}
		if e.Key == 0 {
			return i, Entry{}, nil
		}
	}
}

// Lookup returns the Entry of a key, which has no Live when the key is not on the topic.
func (x *Index) Lookup(key uint64) (Entry, error) {
	_, e, err := x.find(key)
	return e, err
}

// Set stores what the key's Entry is from now on.
func (x *Index) Set(key, digest, row, flags uint64) error {
	i, old, err := x.find(key)
	if err != nil {
		return err
	}
	if old.Key == 0 {
		if (x.used+1)*4 > x.table.size()*3 {
			if err := x.grow(); err != nil {
				return err
			}
			return x.Set(key, digest, row, flags)
		}
		x.used++
	}
	if old.Flags&Live != 0 {
		x.live--
	}
	if flags&Live != 0 {
		x.live++
	}
	if key == 0 {
		key = 1
	}
	return x.table.put(i, Entry{key, digest, row, flags})
}

// grow doubles the table, leaving removed keys behind.
func (x *Index) grow() error {
	old := x.table
	n := old.size()
	if (x.live+1)*2 > n {
		n *= 2
	}
	table, err := newTable(x.dir, n)
	if err != nil {
		return err
	}
	x.table, x.used, x.live = table, 0, 0
	for i := range old.size() {
		e, err := old.get(i)
		if err != nil {
			return err
		}
		if e.Flags&Live == 0 {
			continue
		}
		if err := x.Set(e.Key, e.Digest, e.Row, e.Flags); err != nil {
			return err
		}
	}
	return old.close()
}

// Each calls fn for every live Entry.
func (x *Index) Each(fn func(Entry)) error {
	for i := range x.table.size() {
		e, err := x.table.get(i)
		if err != nil {
			return err
		}
		if e.Flags&Live != 0 {
			fn(e)
		}
	}
	return nil
}

// Close lets the index go.
func (x *Index) Close() error { return x.table.close() }

func newTable(dir string, n int) (slots, error) {
	if n <= memorySlots {
		return make(memoryTable, n), nil
	}
	f, err := os.CreateTemp(dir, "datong-index-*")
	if err != nil {
		return nil, fmt.Errorf("create spill file for the key index in %s: %w", dir, err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, fmt.Errorf("unlink spill file %s: %w", f.Name(), err)
	}
	if err := f.Truncate(int64(n) * slotBytes); err != nil {
		return nil, fmt.Errorf("size spill file of the key index: %w", err)
	}
	return &fileTable{f: f, n: n}, nil
}

// memoryTable is a table in memory.
type memoryTable []Entry

func (t memoryTable) size() int                { return len(t) }
func (t memoryTable) get(i int) (Entry, error) { return t[i], nil }
func (t memoryTable) put(i int, e Entry) error { t[i] = e; return nil }
func (t memoryTable) close() error             { return nil }

// fileTable is a table in a file; the page cache makes a slot cheap, and its pages are not the process's.
type fileTable struct {
	f   *os.File
	n   int
	buf [slotBytes]byte
}

func (t *fileTable) size() int { return t.n }

func (t *fileTable) get(i int) (Entry, error) {
	b := t.buf[:]
	if _, err := t.f.ReadAt(b, int64(i)*slotBytes); err != nil {
		return Entry{}, fmt.Errorf("read spilled key index: %w", err)
	}
	le := binary.LittleEndian
	return Entry{le.Uint64(b), le.Uint64(b[8:]), le.Uint64(b[16:]), le.Uint64(b[24:])}, nil
}

func (t *fileTable) put(i int, e Entry) error {
	b := t.buf[:]
	le := binary.LittleEndian
	le.PutUint64(b, e.Key)
	le.PutUint64(b[8:], e.Digest)
	le.PutUint64(b[16:], e.Row)
	le.PutUint64(b[24:], e.Flags)
	if _, err := t.f.WriteAt(b, int64(i)*slotBytes); err != nil {
		return fmt.Errorf("write spilled key index: %w", err)
	}
	return nil
}

func (t *fileTable) close() error { return t.f.Close() }

// Len returns the number of live keys.
func (x *Index) Len() int { return x.live }
