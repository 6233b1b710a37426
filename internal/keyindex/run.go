package keyindex

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"slices"
)

const (
	entryBytes  = 32
	pageEntries = 128
	pageBytes   = pageEntries * entryBytes
	bufferBytes = 64 << 10
)

// run is a file of live entries in order of their keys. It is written once, from start to end.
type run struct {
	f      *os.File
	n      int
	fences []uint64 // first key of every page
	filter filter
	page   [pageBytes]byte
}

func byKey(a, b Entry) int { return cmp.Compare(a.Key, b.Key) }

// find returns the entry of a key, an empty one where there is none.
func (r *run) find(key uint64) (Entry, error) {
	if !r.filter.mayHave(key) {
		return Entry{}, nil
	}
	page, exact := slices.BinarySearch(r.fences, key)
	if !exact {
		page--
	}
	if page < 0 {
		return Entry{}, nil
	}
	entries := min(pageEntries, r.n-page*pageEntries)
	b := r.page[:entries*entryBytes]
	if _, err := r.f.ReadAt(b, int64(page)*pageBytes); err != nil {
		return Entry{}, fmt.Errorf("read spilled key index: %w", err)
	}
	low, high := 0, entries
	for low < high {
		middle := (low + high) / 2
		if binary.LittleEndian.Uint64(b[middle*entryBytes:]) < key {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low < entries {
		if e := decode(b[low*entryBytes:]); e.Key == key {
			return e, nil
		}
	}
	return Entry{}, nil
}

func decode(b []byte) Entry {
	le := binary.LittleEndian
	return Entry{le.Uint64(b), le.Uint64(b[8:]), le.Uint64(b[16:]), le.Uint64(b[24:])}
}

// merge writes a run of an older one, nil for none, and of newer entries that override it, sorted. Entries that are not
// live are left out. change, when it is not nil, changes each entry.
func merge(dir string, old *run, newer []Entry, change func(*Entry)) (*run, error) {
	f, err := os.CreateTemp(dir, "datong-index-*")
	if err != nil {
		return nil, fmt.Errorf("create spill file for the key index in %s: %w", dir, err)
	}
	r := &run{f: f}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("unlink spill file %s: %w", f.Name(), err), f.Close())
	}
	if err := r.write(old, newer, change); err != nil {
		return nil, errors.Join(fmt.Errorf("write spilled key index: %w", err), f.Close())
	}
	return r, nil
}

func (r *run) write(old *run, newer []Entry, change func(*Entry)) error {
	size := len(newer)
	older := old.entries()
	if old != nil {
		size += old.n
		r.filter = old.filter // the old run is not looked into any more
		r.fences = make([]uint64, 0, size/pageEntries+1)
	}
	kept := r.filter.fits(size) // the keys that have gone stay in it, which costs a look now and then
	if !kept {
		r.filter = newFilter(size)
	}
	w := bufio.NewWriterSize(r.f, bufferBytes)
	a, more, err := older.next()
	for err == nil && (more || len(newer) > 0) {
		var e Entry
		fresh := !kept
		switch {
		case !more || len(newer) > 0 && newer[0].Key < a.Key:
			e, newer, fresh = newer[0], newer[1:], true
		case len(newer) > 0 && newer[0].Key == a.Key: // overridden
			a, more, err = older.next()
			continue
		default:
			e = a
			a, more, err = older.next()
		}
		if e.Flags&Live == 0 {
			continue
		}
		if change != nil {
			change(&e)
		}
		if fresh {
			r.filter.add(e.Key)
		}
		err = errors.Join(err, r.append(w, e))
	}
	return errors.Join(err, w.Flush())
}

func (r *run) append(w *bufio.Writer, e Entry) error {
	if r.n%pageEntries == 0 {
		r.fences = append(r.fences, e.Key)
	}
	r.n++
	le := binary.LittleEndian
	b := le.AppendUint64(w.AvailableBuffer(), e.Key)
	b = le.AppendUint64(b, e.Digest)
	b = le.AppendUint64(b, e.Row)
	_, err := w.Write(le.AppendUint64(b, e.Flags))
	return err
}

func (r *run) close() error { return r.f.Close() }

// reader reads a run from start to end.
type reader struct {
	in   *bufio.Reader
	left int
}

// entries returns a reader of all entries, of none when there is no run.
func (r *run) entries() *reader {
	if r == nil {
		return &reader{}
	}
	return &reader{bufio.NewReaderSize(io.NewSectionReader(r.f, 0, int64(r.n)*entryBytes), bufferBytes), r.n}
}

func (r *reader) next() (Entry, bool, error) {
	if r.left == 0 {
		return Entry{}, false, nil
	}
	b, err := r.in.Peek(entryBytes)
	if err != nil {
		return Entry{}, false, fmt.Errorf("read spilled key index: %w", err)
	}
	e := decode(b)
	_, _ = r.in.Discard(entryBytes) // was peeked
	r.left--
	return e, true, nil
}

// filter is a Bloom filter: it says for certain that a key is not there, so that new keys cost no reading. All bits of a
// key lie in one line of the processor's cache.
type filter []line

type line [8]uint64

const (
	filterBits    = 16      // for each key, while the filter may grow
	maxFilterBits = 1 << 25 // 4 MiB: of four million keys, one in thirty new ones is looked for in vain
	leastBits     = 1 << 14
	lineBits      = 8 * 64
)

func filterLines(n int) int {
	return min(max(leastBits, 1<<bits.Len(uint(n*filterBits-1))), maxFilterBits) / lineBits
}

// fits says that the filter has the size that n keys should have.
func (f filter) fits(n int) bool { return len(f) == filterLines(n) }

func newFilter(n int) filter { return make(filter, filterLines(n)) }

// places returns the line of a key and three of its bits. Keys are hashes, but need not be good ones.
func (f filter) places(key uint64) (*line, [3]uint64) {
	const golden = 0x9e3779b97f4a7c15
	high, low := bits.Mul64(key^golden, 0xd6e8feb86659fd93)
	h := high ^ low
	return &f[h>>32&uint64(len(f)-1)], [3]uint64{h % lineBits, h >> 9 % lineBits, h >> 18 % lineBits}
}

func (f filter) add(key uint64) {
	l, places := f.places(key)
	for _, at := range places {
		l[at/64] |= 1 << (at % 64)
	}
}

func (f filter) mayHave(key uint64) bool {
	l, places := f.places(key)
	for _, at := range places {
		if l[at/64]&(1<<(at%64)) == 0 {
			return false
		}
	}
	return true
}
