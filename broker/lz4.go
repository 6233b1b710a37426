package broker

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/pierrec/lz4/v4"
)

var lz4Compressors = sync.Pool{New: func() any { return new(lz4.Compressor) }}

// lz4Header opens an LZ4 frame: magic, version 1 with independent blocks and no checksums (the batch has its own),
// blocks of at most 256 KiB, and the header's checksum. Java readers refuse dependent blocks.
var lz4Header = [7]byte{0x04, 0x22, 0x4d, 0x18, 0x60, 0x50, 0xfb}

const (
	lz4BlockBytes   = 256 << 10
	lz4Uncompressed = 1 << 31
)

// openLZ4 begins a frame. The frame is written here, block by block, because the library's frame writer copies every
// block twice.
func openLZ4(dst []byte) []byte { return append(dst, lz4Header[:]...) }

// closeLZ4 ends a frame.
func closeLZ4(dst []byte) []byte { return binary.LittleEndian.AppendUint32(dst, 0) }

// appendLZ4 appends the blocks of src to an open frame.
func appendLZ4(dst, src []byte) []byte {
	lc := lz4Compressors.Get().(*lz4.Compressor)
	defer lz4Compressors.Put(lc)
	for len(src) > 0 {
		block := src[:min(len(src), lz4BlockBytes)]
		src = src[len(block):]
		dst = appendLZ4Block(dst, block, lc)
	}
	return dst
}

// appendLZ4Block appends one block, as it is where it cannot be made smaller.
func appendLZ4Block(dst, block []byte, lc *lz4.Compressor) []byte {
	at, bound := len(dst), lz4.CompressBlockBound(len(block))
	dst = slices.Grow(dst, 4+bound)
	n, err := lc.CompressBlock(block, dst[at+4:at+4+bound])
	size := uint32(n)
	if err != nil || n == 0 || n >= len(block) {
		n = copy(dst[at+4:at+4+len(block)], block)
		size = uint32(n) | lz4Uncompressed
	}
	dst = dst[:at+4+n]
	binary.LittleEndian.PutUint32(dst[at:], size)
	return dst
}

// readLZ4 appends what a frame of our own writing holds to dst. It is not ok for any other frame, and for one that is
// malformed: the library reads those, or says what is wrong.
func readLZ4(dst, src []byte) (out []byte, ok bool) {
	if !bytes.HasPrefix(src, lz4Header[:]) {
		return dst, false
	}
	start := len(dst)
	for src = src[len(lz4Header):]; len(src) >= 4; {
		size := binary.LittleEndian.Uint32(src)
		n := int(size &^ lz4Uncompressed)
		src = src[4:]
		if size == 0 {
			return dst, true
		}
		if n > len(src) || n > lz4BlockBytes || len(dst)-start > maxRecordsBytes {
			return dst, false
		}
		if size&lz4Uncompressed != 0 {
			dst = append(dst, src[:n]...)
		} else if dst, ok = readLZ4Block(dst, src[:n]); !ok {
			return dst, false
		}
		src = src[n:]
	}
	return dst, false
}

// readLZ4Block takes more room only when there was too little: blocks are mostly smaller than they may be.
func readLZ4Block(dst, block []byte) ([]byte, bool) {
	n, err := lz4.UncompressBlock(block, dst[len(dst):cap(dst)])
	if err != nil && cap(dst)-len(dst) < lz4BlockBytes {
		dst = slices.Grow(dst, lz4BlockBytes)
		n, err = lz4.UncompressBlock(block, dst[len(dst):cap(dst)])
	}
	if err != nil || n > lz4BlockBytes {
		return dst, false
	}
	return dst[:len(dst)+n], true
}
