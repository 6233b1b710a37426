package broker

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/klauspost/compress/snappy"
)

// snappyMagic begins the stream that Java's producers write: the magic, two versions, then blocks behind their lengths.
// Other producers write one block.
const snappyMagic = "\x82SNAPPY\x00"

const (
	snappyHeaderBytes = len(snappyMagic) + 2*4
	// snappyRatio is above what a block can become: its densest element is 64 bytes in three.
	snappyRatio = 22
)

// readSnappy appends what src holds to dst. kafka-go's reader takes whatever memory a length in src asks for.
func readSnappy(dst, src []byte) ([]byte, error) {
	if !bytes.HasPrefix(src, []byte(snappyMagic)) {
		return readSnappyBlock(dst, src, maxRecordsBytes)
	}
	if len(src) < snappyHeaderBytes {
		return dst, errShort
	}
	start := len(dst)
	for src = src[snappyHeaderBytes:]; len(src) > 0; {
		if len(src) < 4 {
			return dst, errShort
		}
		n := int(binary.BigEndian.Uint32(src))
		if src = src[4:]; n > len(src) {
			return dst, errShort
		}
		var err error
		if dst, err = readSnappyBlock(dst, src[:n], maxRecordsBytes-(len(dst)-start)); err != nil {
			return dst, err
		}
		src = src[n:]
	}
	return dst, nil
}

// readSnappyBlock appends what a block holds, which may be at most so much.
func readSnappyBlock(dst, block []byte, most int) ([]byte, error) {
	n, err := snappy.DecodedLen(block)
	switch {
	case err != nil:
		return dst, err
	case n > most:
		return dst, errTooLarge
	case n > snappyRatio*len(block):
		return dst, snappy.ErrCorrupt
	}
	at := len(dst)
	dst = slices.Grow(dst, n)
	if _, err := snappy.Decode(dst[at:at+n:at+n], block); err != nil {
		return dst, err
	}
	return dst[:at+n], nil
}
