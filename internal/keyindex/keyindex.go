// Package keyindex remembers what was last published under each key, in bounded memory.
package keyindex

import "slices"

// Index remembers, for each key, the digest that was last published and which source row it came from. It holds 64-bit
// hashes, not keys: two of a million keys collide with a probability of 3e-8, and then the second row is refused as a
// duplicate, which a person sees.
//
// Up to some 200,000 changes lie in memory. When there are more they are merged, in order of their keys, into an unlinked
// temporary file, so that memory stays bounded whatever the number of keys; losing the file loses nothing, because the
// topic is the truth. A key that is not in memory costs one page of the file, one that is nowhere nearly always nothing.
// An Index is used by one goroutine.
type Index struct {
	dir   string
	table []Entry // 2^n slots; a free one has the key 0. What stands here overrides the file.
	used  int     // slots taken, removed keys included
	live  int
	file  *run // nil until the table has been full
	last  Entry
}

// Entry is what is known about a key.
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

// memorySlots bounds the table: 2^18 slots of 32 bytes are 8 MiB. Tests lower it.
var memorySlots = 1 << 18

const firstSlots = 1 << 10

// New returns an empty index that spills into dir, the system's temporary directory when it is empty.
func New(dir string) *Index { return &Index{dir: dir, table: make([]Entry, firstSlots)} }

// slot returns the slot of the key in memory, or the free slot where it belongs.
func (x *Index) slot(key uint64) (i int, found bool) {
	mask := len(x.table) - 1
	for i = int(key) & mask; ; i = (i + 1) & mask {
		switch x.table[i].Key {
		case key:
			return i, true
		case 0:
			return i, false
		}
	}
}

// Lookup returns the Entry of a key, which has no Live when the key is not on the topic.
func (x *Index) Lookup(key uint64) (Entry, error) {
	key = max(key, 1)
	if i, ok := x.slot(key); ok {
		return x.table[i], nil
	}
	return x.lookupFile(key)
}

// lookupFile remembers what it found: a key is mostly set after it was looked up.
func (x *Index) lookupFile(key uint64) (e Entry, err error) {
	if x.file == nil {
		return Entry{}, nil
	}
	if x.last.Key == key {
		return x.last, nil
	}
	if e, err = x.file.find(key); err != nil {
		return Entry{}, err
	}
	x.last = e
	x.last.Key = key
	return e, nil
}

// Set stores what the key's Entry is from now on.
func (x *Index) Set(key, digest, row, flags uint64) error {
	key = max(key, 1)
	i, found := x.slot(key)
	var old Entry
	if found {
		old = x.table[i]
	} else {
		var err error
		if old, err = x.lookupFile(key); err != nil {
			return err
		}
		if (x.used+1)*4 > len(x.table)*3 {
			if err := x.grow(); err != nil {
				return err
			}
			i, _ = x.slot(key)
		}
		x.used++
	}
	x.live += int(flags&Live) - int(old.Flags&Live)
	x.table[i] = Entry{key, digest, row, flags}
	if x.last.Key == key {
		x.last = x.table[i]
	}
	return nil
}

// grow makes room in memory: by a larger table, or by the file when the table is as large as it may be. A table that
// nothing lies under is made anew without its removed keys.
func (x *Index) grow() error {
	if x.file == nil && x.live*2 < len(x.table) {
		x.rehash(len(x.table))
		return nil
	}
	if len(x.table) < memorySlots {
		x.rehash(2 * len(x.table))
		return nil
	}
	return x.spill()
}

func (x *Index) rehash(slots int) {
	old := x.table
	x.table, x.used = make([]Entry, slots), 0
	for _, e := range old {
		if e.Key == 0 || x.file == nil && e.Flags&Live == 0 {
			continue
		}
		i, _ := x.slot(e.Key)
		x.table[i] = e
		x.used++
	}
}

// spill merges the table into the file and leaves it empty.
func (x *Index) spill() error {
	if x.used == 0 {
		return nil
	}
	// The slots are sorted where they lie: the table is emptied afterwards.
	slices.SortFunc(x.table, byKey)
	file, err := merge(x.dir, x.file, x.table[len(x.table)-x.used:], nil)
	if err != nil {
		return err
	}
	x.replace(file)
	clear(x.table)
	x.used = 0
	return nil
}

func (x *Index) replace(file *run) {
	if x.file != nil {
		_ = x.file.close() // an unlinked temporary file
	}
	x.file = file
}

// Each calls fn for every live Entry. fn must not use the index.
func (x *Index) Each(fn func(Entry)) error {
	if x.file == nil {
		for _, e := range x.table {
			if e.Flags&Live != 0 {
				fn(e)
			}
		}
		return nil
	}
	if err := x.spill(); err != nil {
		return err
	}
	r := x.file.entries()
	for {
		e, ok, err := r.next()
		if err != nil || !ok {
			return err
		}
		fn(e)
	}
}

// Unflag takes a flag, not Live, from every Entry.
func (x *Index) Unflag(flag uint64) error {
	for i := range x.table {
		x.table[i].Flags &^= flag
	}
	x.last = Entry{}
	if x.file == nil {
		return nil
	}
	file, err := merge(x.dir, x.file, nil, func(e *Entry) { e.Flags &^= flag })
	if err != nil {
		return err
	}
	x.replace(file)
	return nil
}

// Len returns the number of live keys.
func (x *Index) Len() int { return x.live }

// Close lets the index go.
func (x *Index) Close() error {
	x.table = nil
	if x.file == nil {
		return nil
	}
	return x.file.close()
}
