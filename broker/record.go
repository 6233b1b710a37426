package broker

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"strconv"
	"time"
)

// Record is one record read from a partition. Its byte slices are views of the reader's memory: see [Reader.Poll].
type Record struct {
	Offset int64
	Time   int64 // ms
	Key    []byte
	Value  []byte // nil: a tombstone

	headers []byte // encoded and known to be well-formed, without their number
}

// Header returns the value of the first header of a name, or nil.
func (r *Record) Header(name string) []byte {
	for h := r.headers; len(h) > 0; {
		var key, value []byte
		key, value, h = nextHeader(h)
		if string(key) == name {
			return value
		}
	}
	return nil
}

// Headers yields the names and values of all headers in order.
func (r *Record) Headers() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for h := r.headers; len(h) > 0; {
			var key, value []byte
			key, value, h = nextHeader(h)
			if !yield(key, value) {
				return
			}
		}
	}
}

// nextHeader splits the first header from headers that parseRecord has checked.
func nextHeader(h []byte) (name, value, rest []byte) {
	n, w := binary.Varint(h)
	name, h = h[w:w+int(n)], h[w+int(n):]
	n, w = binary.Varint(h)
	h = h[w:]
	if n >= 0 {
		value, h = h[:n:n], h[n:]
	}
	return name, value, h
}

// Parse reads the headers of a standard record into ev. A header that is missing leaves its field zero, except that
// ce_id, ce_time and ce_sequence must be there. An error names the header, not its value.
func (ev *Event) Parse(r *Record) error {
	*ev = Event{}
	found := 0
	for name, value := range r.Headers() {
		ok := true
		switch string(name) {
		case HeaderID:
			found |= 1
			n, err := hex.Decode(ev.ID[:], value[:min(len(value), idDigits)])
			ok = err == nil && n == len(ev.ID) && len(value) == idDigits
		case HeaderTime:
			found |= 2
			t, err := time.Parse(time.RFC3339Nano, string(value))
			ev.Time, ok = t.UnixMicro(), err == nil
		case HeaderSequence:
			found |= 4
			if ok = len(value) == sequenceDigits; ok {
				var okToo bool
				ev.Order.Generation, ok = parseHex(value[:8], 8)
				ev.Order.Sequence, okToo = parseHex(value[8:], 16)
				ok = ok && okToo
			}
		case HeaderDigest:
			ev.Digest, ok = parseHex(value, hashDigits)
		case HeaderRow:
			ev.RowKey, ok = parseHex(value, hashDigits)
		case HeaderTraceParent:
			ev.TraceParent = string(value)
		}
		if !ok {
			return fmt.Errorf("read header %s at offset %d: malformed", name, r.Offset)
		}
	}
	for i, name := range []string{HeaderID, HeaderTime, HeaderSequence} {
		if found&(1<<i) == 0 {
			return fmt.Errorf("read header %s at offset %d: missing", name, r.Offset)
		}
	}
	return nil
}

func parseHex(b []byte, digits int) (uint64, bool) {
	if len(b) != digits {
		return 0, false
	}
	v, err := strconv.ParseUint(string(b), 16, 64)
	return v, err == nil
}
