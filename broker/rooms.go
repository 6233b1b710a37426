package broker

import "sync"

// rooms is the memory for the decompressed records of what a reader's last Poll brought: many batches in a few slabs,
// which go back when the next Poll comes.
type rooms struct {
	slabs [][]byte
	at    int // used of the last slab
}

const (
	slabBytes = 2 << 20
	// roomBytes is the room that a batch gets at least: most batches fit, those of other producers too.
	roomBytes = chunkBytes + 1<<10
)

// slabs are shared by all readers, so that one that waits holds none.
var slabs = sync.Pool{New: func() any { return new([slabBytes]byte) }}

// next returns empty room for one batch. What does not fit grows out of it, into memory of its own.
func (r *rooms) next() []byte {
	if len(r.slabs) == 0 || slabBytes-r.at < roomBytes {
		r.slabs = append(r.slabs, slabs.Get().(*[slabBytes]byte)[:])
		r.at = 0
	}
	return r.slabs[len(r.slabs)-1][r.at:r.at:slabBytes]
}

// keep takes note of what the room that was given last is used for.
func (r *rooms) keep(room []byte) {
	last := r.slabs[len(r.slabs)-1]
	if len(room) > 0 && &room[0] == &last[r.at] {
		r.at += len(room)
	}
}

// release gives the slabs back. Nothing in them may be used afterwards.
func (r *rooms) release() {
	for i, s := range r.slabs {
		slabs.Put((*[slabBytes]byte)(s))
		r.slabs[i] = nil
	}
	*r = rooms{slabs: r.slabs[:0]}
}
