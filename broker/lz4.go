package broker

import (
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
