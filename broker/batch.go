package broker

import (
	"encoding/binary"
	"hash/crc32"
)

// A record batch, version 2 (KIP-98), all numbers big-endian:
//
//	 0  base offset         int64   given by the broker
//	 8  length              int32   of what follows
//	12  partition leader    int32   epoch, not covered by the checksum
//	16  magic               int8    2
//	17  CRC-32C             uint32  of everything from 21 on
//	21  attributes          int16   compression, timestamp type, transactional, control
//	23  last offset delta   int32   number of offsets − 1: compaction leaves gaps
//	27  base timestamp      int64   ms
//	35  max timestamp       int64   ms
//	43  producer id         int64
//	51  producer epoch      int16
//	53  base sequence       int32
//	57  number of records   int32
//	61  records, compressed as a whole
const (
	atLength          = 8
	atLeaderEpoch     = 12
	atMagic           = 16
	atCRC             = 17
	atAttributes      = 21
	atLastOffsetDelta = 23
	atBaseTimestamp   = 27
	atMaxTimestamp    = 35
	atProducerID      = 43
	atProducerEpoch   = 51
	atSequence        = 53
	atCount           = 57
	batchHeaderBytes  = 61

	batchMagic            = 2
	attributeCodec        = 0x07
	attributeLogAppend    = 0x08
	attributeTransaction  = 0x10
	attributeControl      = 0x20
	maxVarintRecordPrefix = 2*binary.MaxVarintLen32 + 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// stamp is what a batch says about its producer.
type stamp struct {
	producer int64
	epoch    int16
	sequence int32
	time     int64 // ms
}

// sealBatch fills the header of batch, whose records follow it already compressed by c.
func sealBatch(batch []byte, count int, c codec, s stamp) {
	be := binary.BigEndian
	be.PutUint64(batch, 0)
	be.PutUint32(batch[atLength:], uint32(len(batch)-atLeaderEpoch))
	be.PutUint32(batch[atLeaderEpoch:], 0xffffffff)
	batch[atMagic] = batchMagic
	be.PutUint16(batch[atAttributes:], uint16(c)|attributeTransaction)
	be.PutUint32(batch[atLastOffsetDelta:], uint32(count-1))
	be.PutUint64(batch[atBaseTimestamp:], uint64(s.time))
	be.PutUint64(batch[atMaxTimestamp:], uint64(s.time))
	be.PutUint64(batch[atProducerID:], uint64(s.producer))
	be.PutUint16(batch[atProducerEpoch:], uint16(s.epoch))
	be.PutUint32(batch[atSequence:], uint32(s.sequence))
	be.PutUint32(batch[atCount:], uint32(count))
	be.PutUint32(batch[atCRC:], crc32.Checksum(batch[atAttributes:], castagnoli))
}

// appendRecord appends a record: its length, attributes, timestamp delta (0: the batch has one time), offset delta, body.
func appendRecord(dst []byte, offsetDelta int, body []byte) []byte {
	length := 2 + varintLen(int64(offsetDelta)) + len(body)
	dst = binary.AppendVarint(dst, int64(length))
	dst = append(dst, 0, 0)
	dst = binary.AppendVarint(dst, int64(offsetDelta))
	return append(dst, body...)
}

// varintLen returns how many bytes binary.AppendVarint takes for v.
func varintLen(v int64) int {
	n := 1
	for u := uint64(v)<<1 ^ uint64(v>>63); u >= 0x80; u >>= 7 {
		n++
	}
	return n
}

// nextSequence returns the sequence number after count records: it wraps from 2³¹−1 to 0.
func nextSequence(sequence int32, count int) int32 {
	return int32((int64(sequence) + int64(count)) & 0x7fffffff)
}
