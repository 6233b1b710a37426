package sqltable

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

const (
	// windowKept bounds the rows of the overlap that a running source remembers, at 16 bytes each.
	windowKept = 1_000_000
	// noDoubt is the doubt of a window that remembers every row.
	noDoubt = math.MinInt64
)

// windowStored bounds those that a position holds, at about 10 bytes each: half of a Kafka record's default limit. A
// test does with fewer.
var windowStored = 50_000

// entry remembers one row that was delivered: its watermark and a hash of everything read of it, its key among that.
// The lowest bit is not the hash's: it says that the running pass has met the row again.
type entry struct {
	mark int64
	hash uint64
}

// met is the bit of an entry whose row is still there.
const met = 1

func newEntry(mark int64, hash uint64) entry { return entry{mark: mark, hash: hash &^ met} }

func compareEntries(a, b entry) int {
	return cmp.Or(cmp.Compare(a.mark, b.mark), cmp.Compare(a.hash|met, b.hash|met))
}

func compareMarks(a, b entry) int { return cmp.Compare(a.mark, b.mark) }

// window remembers the rows that were delivered and will be read again, because they lie in the overlap.
type window struct {
	seen  []entry // delivered before the running pass, sorted
	fresh []entry // delivered by the running scan or pass
	// doubt is the highest watermark of a row that the window had no room for. A row up to it that is not in the
	// window may have been delivered.
	doubt int64
}

// meet says that a row was delivered before the running pass, and notes that it is still there.
func (w *window) meet(e entry) bool {
	i, found := slices.BinarySearchFunc(w.seen, e, compareEntries)
	if found {
		w.seen[i].hash |= met
	}
	return found
}

// restart begins a pass: nothing was met yet.
func (w *window) restart() {
	for i := range w.seen {
		w.seen[i].hash &^= met
	}
}

// dropUnmet forgets rows that the pass, which is over, did not meet: they hold something else by now. Should they ever
// hold the same again, under the same watermark, that is a change.
func (w *window) dropUnmet() {
	w.seen = slices.DeleteFunc(w.seen, func(e entry) bool { return e.hash&met == 0 })
}

// doubtful says that a row that the window does not have may yet have been delivered.
func (w *window) doubtful(mark int64) bool { return mark <= w.doubt }

// add remembers a row that is delivered now.
func (w *window) add(e entry) {
	e.hash |= met
	w.fresh = append(w.fresh, e)
}

// forget drops the oldest half of the entries when there are too many.
func (w *window) forget() {
	if len(w.seen)+len(w.fresh) <= windowKept {
		return
	}
	w.settle()
	if drop := len(w.seen) - windowKept/2; drop > 0 {
		w.doubt = max(w.doubt, w.seen[drop-1].mark)
		w.seen = slices.Delete(w.seen, 0, drop)
	}
}

// addScanned is add for a scan, whose rows come in the order of their keys. A scan that finds more rows in the overlap
// than a position can hold remembers none of them: they are all doubtful.
func (w *window) addScanned(e entry) {
	if w.doubt == noDoubt && len(w.fresh) < windowStored {
		w.fresh = append(w.fresh, e)
		return
	}
	for _, f := range w.fresh {
		w.doubt = max(w.doubt, f.mark)
	}
	w.fresh = w.fresh[:0]
	w.doubt = max(w.doubt, e.mark)
}

// settle ends a pass: what it delivered is now what was delivered before.
func (w *window) settle() {
	if len(w.fresh) == 0 {
		return
	}
	w.seen = append(w.seen, w.fresh...)
	w.fresh = w.fresh[:0]
	slices.SortFunc(w.seen, compareEntries)
}

// prune forgets what is never read again: rows below the watermark low. It is for passes, whose rows come in the order
// of their watermarks.
func (w *window) prune(low int64) {
	for _, list := range []*[]entry{&w.seen, &w.fresh} {
		drop, _ := slices.BinarySearchFunc(*list, entry{mark: low}, compareMarks)
		*list = slices.Delete(*list, 0, drop)
	}
	if w.doubt < low {
		w.doubt = noDoubt
	}
}

// append appends as many of the newest entries as a position holds; those left out become doubtful.
func (w *window) append(b []byte) []byte {
	doubt := w.doubt
	fresh, seen := w.fresh, w.seen
	if drop := len(fresh) - windowStored; drop > 0 {
		for _, e := range fresh[:drop] {
			doubt = max(doubt, e.mark)
		}
		fresh = fresh[drop:]
	}
	if drop := len(seen) + len(fresh) - windowStored; drop > 0 {
		doubt = max(doubt, seen[drop-1].mark)
		seen = seen[drop:]
	}
	stored := seen
	if len(fresh) > 0 {
		stored = slices.Concat(seen, fresh)
		slices.SortFunc(stored, compareEntries)
	}
	b = binary.AppendVarint(b, doubt)
	b = binary.AppendUvarint(b, uint64(len(stored)))
	last := int64(0)
	for _, e := range stored {
		b = binary.AppendVarint(b, e.mark-last) // wraps around, and back again when it is read
		b = binary.BigEndian.AppendUint64(b, e.hash)
		last = e.mark
	}
	return b
}

func (d *decoder) window() window {
	w := window{doubt: d.varint()}
	n := d.uvarint()
	if n > uint64(windowStored) || n > uint64(len(d.b)) {
		d.fail()
		return w
	}
	w.seen = make([]entry, 0, n)
	last := int64(0)
	for ; n > 0 && d.err == nil; n-- {
		last += d.varint()
		w.seen = append(w.seen, entry{mark: last, hash: d.fixed()})
	}
	if !slices.IsSortedFunc(w.seen, compareEntries) {
		d.fail()
	}
	return w
}
