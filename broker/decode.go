package broker

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
)

var (
	errMagic     = errors.New("message format older than Kafka 0.11")
	errChecksum  = errors.New("checksum does not match")
	errShort     = errors.New("ends in the middle")
	errLength    = errors.New("impossible length")
	errTrailing  = errors.New("bytes after the last record")
	errOffset    = errors.New("offset outside its batch")
	errNotMarker = errors.New("control record is neither commit nor abort")
)

// rawBatch is a batch in the bytes that a broker sent.
type rawBatch []byte

func (b rawBatch) baseOffset() int64  { return int64(binary.BigEndian.Uint64(b)) }
func (b rawBatch) lastOffset() int64  { return b.baseOffset() + int64(b.lastDelta()) }
func (b rawBatch) lastDelta() int32   { return int32(binary.BigEndian.Uint32(b[atLastOffsetDelta:])) }
func (b rawBatch) attributes() uint16 { return binary.BigEndian.Uint16(b[atAttributes:]) }
func (b rawBatch) baseTime() int64    { return int64(binary.BigEndian.Uint64(b[atBaseTimestamp:])) }
func (b rawBatch) maxTime() int64     { return int64(binary.BigEndian.Uint64(b[atMaxTimestamp:])) }
func (b rawBatch) producer() int64    { return int64(binary.BigEndian.Uint64(b[atProducerID:])) }
func (b rawBatch) count() int32       { return int32(binary.BigEndian.Uint32(b[atCount:])) }
func (b rawBatch) control() bool      { return b.attributes()&attributeControl != 0 }
func (b rawBatch) transactional() bool {
	return b.attributes()&attributeTransaction != 0
}

// cutBatch cuts the first batch off a record set. A fetch may end in the middle of one: then the batch is nil, without
// an error, and all bytes are left.
func cutBatch(set []byte) (b rawBatch, rest []byte, err error) {
	if len(set) < atMagic+1 {
		return nil, set, nil
	}
	size := int64(int32(binary.BigEndian.Uint32(set[atLength:])))
	if set[atMagic] != batchMagic {
		return nil, set, errMagic
	}
	if size < batchHeaderBytes-atLeaderEpoch {
		return nil, set, errLength
	}
	end := size + atLeaderEpoch
	if end > int64(len(set)) {
		return nil, set, nil
	}
	b, rest = rawBatch(set[:end:end]), set[end:]
	if crc32.Checksum(b[atAttributes:], castagnoli) != binary.BigEndian.Uint32(b[atCRC:]) {
		return b, rest, errChecksum
	}
	if b.lastDelta() < 0 || b.count() < 0 || b.baseOffset() < 0 || b.lastOffset() < 0 {
		return b, rest, errLength
	}
	return b, rest, nil
}

// aborts tells whether a control batch ends its producer's transaction by an abort.
func (b rawBatch) aborts() (bool, error) {
	var r Record
	if b.count() < 1 {
		return false, errNotMarker
	}
	if _, err := parseRecord(b[batchHeaderBytes:], b, &r); err != nil {
		return false, err
	}
	if len(r.Key) < 4 { // version, type
		return false, errNotMarker
	}
	return binary.BigEndian.Uint16(r.Key[2:]) == 0, nil
}

// appendRecords parses the records of a batch, from data, and appends those at offset from or later.
func (b rawBatch) appendRecords(dst []Record, data []byte, from int64) ([]Record, error) {
	n := int(b.count())
	if n > len(data)/minRecordBytes {
		return dst, errLength
	}
	dst = slices.Grow(dst, min(n, trustedRecords))
	var err error
	for ; n > 0; n-- {
		at := len(dst)
		if at == cap(dst) {
			dst = slices.Grow(dst, 1)
		}
		dst = dst[:at+1]
		if data, err = parseRecord(data, b, &dst[at]); err != nil {
			return dst[:at], err
		}
		if dst[at].Offset < from {
			dst = dst[:at]
		}
	}
	if len(data) > 0 {
		return dst, errTrailing
	}
	return dst, nil
}

// trustedRecords is how many records a batch's header may ask memory for before they are seen.
const trustedRecords = 16 << 10

// minRecordBytes is the smallest record: length, attributes, two deltas, null key, null value, no headers.
const minRecordBytes = 7

// parseRecord reads the first record of data into r and returns what follows it.
func parseRecord(data []byte, b rawBatch, r *Record) ([]byte, error) {
	length, w := binary.Varint(data)
	if w <= 0 {
		return nil, errShort
	}
	if length < minRecordBytes-1 || length > int64(len(data)-w) {
		return nil, errLength
	}
	rest := data[w+int(length):]
	f := fields{b: data[w+1 : w+int(length)]} // after the attributes, which are unused
	timeDelta, offsetDelta := f.varint(), f.varint()
	r.Key = f.nullable()
	r.Value = f.nullable()
	count := f.varint()
	if f.failed || count < 0 || count > int64(len(f.b)) {
		return nil, errLength
	}
	r.headers = f.b
	if !wellFormed(f.b, int(count)) {
		return nil, errLength
	}
	if offsetDelta < 0 || offsetDelta > int64(b.lastDelta()) {
		return nil, errOffset
	}
	r.Offset = b.baseOffset() + offsetDelta
	r.Time = b.baseTime() + timeDelta
	if b.attributes()&attributeLogAppend != 0 {
		r.Time = b.maxTime()
	}
	return rest, nil
}

// wellFormed tells whether b is exactly count headers, so that nextHeader need not look. It is most of the work of
// reading a record with many headers, hence one plain loop.
func wellFormed(b []byte, count int) bool {
	at := 0
	for field := range 2 * count {
		if at >= len(b) {
			return false
		}
		n := int64(b[at]>>1) ^ -int64(b[at]&1)
		if b[at] < 0x80 {
			at++
		} else {
			v, w := binary.Varint(b[at:])
			if w <= 0 {
				return false
			}
			n, at = v, at+w
		}
		if n < 0 && (n != -1 || field%2 == 0) { // a value may be null, a name may not
			return false
		}
		if n > int64(len(b)-at) {
			return false
		}
		at += max(int(n), 0)
	}
	return at == len(b)
}

// fields reads varint-prefixed fields; see [scanner] for failed.
type fields struct {
	b      []byte
	failed bool
}

func (f *fields) varint() int64 {
	if len(f.b) > 0 && f.b[0] < 0x80 { // one byte: nearly always
		u := uint64(f.b[0])
		f.b = f.b[1:]
		return int64(u>>1) ^ -int64(u&1)
	}
	v, w := binary.Varint(f.b)
	if w <= 0 {
		f.failed, f.b = true, nil
		return 0
	}
	f.b = f.b[w:]
	return v
}

func (f *fields) nullable() []byte {
	n := f.varint()
	if n < 0 && n >= -1 {
		return nil
	}
	if n < 0 || n > int64(len(f.b)) {
		f.failed, f.b = true, nil
		return nil
	}
	p := f.b[:n:n]
	f.b = f.b[n:]
	return p
}
