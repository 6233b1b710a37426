package broker

import (
	"encoding/binary"
	"net/url"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/connectors"
)

// Header names of a standard record: the CloudEvents 1.0 Kafka protocol binding in binary mode, and our extensions
// ce_sequence, ce_digest and ce_row.
const (
	HeaderContentType = "content-type"
	HeaderSpecVersion = "ce_specversion"
	HeaderID          = "ce_id"         // 32 hexadecimal digits; the same event always has the same
	HeaderSource      = "ce_source"     // /<department>/<pipeline>/<set>, see [Source]
	HeaderType        = "ce_type"       // datong.<entity>.updated or datong.<entity>.deleted
	HeaderTime        = "ce_time"       // of the change in the source: RFC 3339, UTC, six digits of a second
	HeaderDataSchema  = "ce_dataschema" // urn:datong:<entity>:<dictionary version>
	HeaderSequence    = "ce_sequence"   // 24 hexadecimal digits: generation (8), then sequence (16)
	HeaderDigest      = "ce_digest"     // 16 hexadecimal digits: xxh3 of the value
	HeaderRow         = "ce_row"        // 16 hexadecimal digits: hash of the source row's key
	HeaderTraceParent = "traceparent"   // W3C trace context
)

const (
	idDigits       = 32
	sequenceDigits = 24 // 8 generation, 16 sequence
	hashDigits     = 16
	timeBytes      = len("2006-01-02T15:04:05.000000Z")
)

// Source returns the ce_source of a set: a URI reference, so each part is percent-encoded where it must be.
func Source(department, pipeline, set string) string {
	return "/" + url.PathEscape(department) + "/" + url.PathEscape(pipeline) + "/" + url.PathEscape(set)
}

// Envelope appends the headers of the standard records that one pipeline makes of one set for one entity. Everything
// constant is encoded once. It is immutable and safe for concurrent use.
type Envelope struct {
	source string
	seed   [16]byte // hash of source and entity, the constant part of every event id

	// Encoded headers, cut where something variable stands between them.
	toID              []byte    // content-type, ce_specversion, and ce_id up to its value
	idToTime          [2][]byte // ce_source, ce_type (updated, deleted), ce_time up to its length
	timeToSequence    []byte    // ce_dataschema, and ce_sequence up to its value
	digest, row, span []byte    // up to their values; traceparent up to its length
}

// Event is what varies from record to record.
type Event struct {
	ID          [16]byte // see [Envelope.EventID]
	Time        int64    // of the change in the source, Unix microseconds
	Order       connectors.Order
	Digest      uint64 // of the value; 0: no header
	RowKey      uint64 // hash of the source row's key; 0: no header
	TraceParent string // empty: no header
}

// NewEnvelope returns the envelope of the records that a department's pipeline makes of a set for an entity.
func NewEnvelope(department, pipeline, set, entity, dictVersion string) *Envelope {
	e := &Envelope{source: Source(department, pipeline, set)}
	sum := xxh3.HashString128(e.source + "\x1f" + entity).Bytes()
	e.seed = sum
	e.toID = appendHeader(nil, HeaderContentType, "application/json")
	e.toID = appendHeader(e.toID, HeaderSpecVersion, "1.0")
	e.toID = appendHeaderName(e.toID, HeaderID, idDigits)
	for i, kind := range []string{"updated", "deleted"} {
		b := appendHeader(nil, HeaderSource, e.source)
		b = appendHeader(b, HeaderType, "datong."+entity+"."+kind)
		e.idToTime[i] = appendHeaderName(b, HeaderTime, timeBytes)
	}
	e.timeToSequence = appendHeader(nil, HeaderDataSchema, "urn:datong:"+entity+":"+dictVersion)
	e.timeToSequence = appendHeaderName(e.timeToSequence, HeaderSequence, sequenceDigits)
	e.digest = appendHeaderName(nil, HeaderDigest, hashDigits)
	e.row = appendHeaderName(nil, HeaderRow, hashDigits)
	e.span = appendBytes(nil, HeaderTraceParent)
	return e
}

// Source returns the envelope's ce_source.
func (e *Envelope) Source() string { return e.source }

// fixedHeaders counts the headers that every record has.
const fixedHeaders = 8

// AppendBody appends the part of a Kafka record that follows its offset delta: key, value (nil: a tombstone) and headers.
// It does not allocate when dst has room.
func (e *Envelope) AppendBody(dst, key, value []byte, ev *Event) []byte {
	headers, kind := int64(fixedHeaders), 0
	if ev.Digest != 0 {
		headers++
	}
	if ev.RowKey != 0 {
		headers++
	}
	if ev.TraceParent != "" {
		headers++
	}
	if value == nil {
		kind = 1
	}
	dst = appendNullable(dst, key)
	dst = appendNullable(dst, value)
	dst = binary.AppendVarint(dst, headers)
	dst = append(dst, e.toID...)
	dst = appendHex64(dst, binary.BigEndian.Uint64(ev.ID[:]))
	dst = appendHex64(dst, binary.BigEndian.Uint64(ev.ID[8:]))
	dst = append(dst, e.idToTime[kind]...)
	dst = appendTime(dst, ev.Time)
	dst = append(dst, e.timeToSequence...)
	dst = appendHex32(dst, uint32(ev.Order.Generation))
	dst = appendHex64(dst, ev.Order.Sequence)
	if ev.Digest != 0 {
		dst = appendHex64(append(dst, e.digest...), ev.Digest)
	}
	if ev.RowKey != 0 {
		dst = appendHex64(append(dst, e.row...), ev.RowKey)
	}
	if ev.TraceParent != "" {
		dst = appendBytes(append(dst, e.span...), ev.TraceParent)
	}
	return dst
}

// Cause is what makes an event the one it is, beside its source and entity.
type Cause struct {
	Order   connectors.Order
	Ordinal uint32 // inside the source transaction
	Reading uint64 // of which reading of a scan the event comes, when the scan may be begun again; 0 for a change
	Op      connectors.Op
	Digest  uint64 // of the value, for rows whose order alone does not tell two states apart (polled rows); else 0
}

// EventID returns the id of an event: a hash over source, entity, cause and entity key. The same event always gets the
// same id, however often it is read, and different ones do not. It does not allocate for keys of up to 200 bytes.
func (e *Envelope) EventID(c *Cause, key []byte) [16]byte {
	var room [256]byte
	b := append(room[:0], e.seed[:]...)
	b = binary.BigEndian.AppendUint64(b, c.Order.Generation)
	b = binary.BigEndian.AppendUint64(b, c.Order.Sequence)
	b = binary.BigEndian.AppendUint32(b, c.Ordinal)
	b = binary.BigEndian.AppendUint64(b, c.Reading)
	b = binary.BigEndian.AppendUint64(b, c.Digest)
	b = append(b, byte(c.Op))
	b = append(b, key...)
	return xxh3.Hash128(b).Bytes()
}

// Header is one header of a plain record.
type Header struct {
	Name  string
	Value []byte
}

// AppendPlainBody is [Envelope.AppendBody] for the records of internal topics: key, value (nil: a tombstone), headers.
func AppendPlainBody(dst, key, value []byte, headers ...Header) []byte {
	dst = appendNullable(dst, key)
	dst = appendNullable(dst, value)
	dst = binary.AppendVarint(dst, int64(len(headers)))
	for i := range headers {
		dst = appendBytes(dst, headers[i].Name)
		dst = appendNullable(dst, headers[i].Value)
	}
	return dst
}

func appendNullable(dst, b []byte) []byte {
	if b == nil {
		return append(dst, 1) // the varint −1
	}
	return append(binary.AppendVarint(dst, int64(len(b))), b...)
}

func appendBytes(dst []byte, s string) []byte {
	return append(binary.AppendVarint(dst, int64(len(s))), s...)
}

func appendHeader(dst []byte, name, value string) []byte {
	return appendBytes(appendBytes(dst, name), value)
}

// appendHeaderName appends a header up to its value, which the caller appends: size bytes.
func appendHeaderName(dst []byte, name string, size int) []byte {
	return binary.AppendVarint(appendBytes(dst, name), int64(size))
}

// appendHex64 appends 16 hexadecimal digits.
func appendHex64(dst []byte, v uint64) []byte {
	return appendHex32(appendHex32(dst, uint32(v>>32)), uint32(v))
}

// appendHex32 appends 8 hexadecimal digits, all at once: each half byte is spread into a byte of its own, and those above
// nine are moved on to the letters.
func appendHex32(dst []byte, v uint32) []byte {
	x := uint64(v)
	x = (x | x<<16) & 0x0000ffff0000ffff
	x = (x | x<<8) & 0x00ff00ff00ff00ff
	x = (x | x<<4) & 0x0f0f0f0f0f0f0f0f
	letters := (x + 0x0606060606060606) >> 4 & 0x0101010101010101
	return binary.BigEndian.AppendUint64(dst, x+0x3030303030303030+letters*('a'-'0'-10))
}

// Times that four digits of a year can tell, in Unix microseconds; others are cut to them.
var (
	minTime = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	maxTime = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC).UnixMicro()
)

// appendTime appends an instant in exactly [timeBytes] bytes.
func appendTime(dst []byte, micros int64) []byte {
	t := time.UnixMicro(min(max(micros, minTime), maxTime)).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	fraction := t.Nanosecond() / 1000
	dst = append2(append2(dst, year/100), year%100)
	dst = append2(append(dst, '-'), int(month))
	dst = append2(append(dst, '-'), day)
	dst = append2(append(dst, 'T'), hour)
	dst = append2(append(dst, ':'), minute)
	dst = append2(append(dst, ':'), second)
	dst = append2(append(dst, '.'), fraction/10000)
	dst = append2(append2(dst, fraction/100%100), fraction%100)
	return append(dst, 'Z')
}

// append2 appends a number below 100 in two digits.
func append2(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }
