package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/segmentio/kafka-go/compress/snappy"

	"github.com/datong-dx/datong/connectors"
)

// codec is how the records of a batch are compressed: the low three bits of the batch's attributes.
type codec int8

const (
	codecNone codec = iota
	codecGzip
	codecSnappy // read only
	codecLZ4
	codecZstd
)

// Compressions are the names that [ProducerOptions.Compression] takes.
var Compressions = []string{"lz4", "zstd", "gzip", "none"}

// maxRecordsBytes bounds what the records of one batch may become when they are decompressed.
const maxRecordsBytes = 512 << 20

var errTooLarge = errors.New("decompresses to more than 512 MiB")

func parseCompression(name string) (codec, error) {
	switch name {
	case "", "lz4":
		return codecLZ4, nil
	case "zstd":
		return codecZstd, nil
	case "gzip":
		return codecGzip, nil
	case "none":
		return codecNone, nil
	}
	return 0, &connectors.Problem{
		What: connectors.Text{Zh: fmt.Sprintf("未知的压缩方式 %q", name), En: fmt.Sprintf("unknown compression %q", name)},
		Try:  connectors.Text{Zh: strings.Join(Compressions, "、"), En: strings.Join(Compressions, ", ")},
	}
}

var (
	lz4Compressors = sync.Pool{New: func() any { return new(lz4.Compressor) }}
	lz4Readers     = sync.Pool{New: func() any { return lz4.NewReader(nil) }}
	gzipReaders    = sync.Pool{New: func() any { return new(gzip.Reader) }}
	gzipWriters    = sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed); return w }}
	zstdEncoder    = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
		if err != nil {
			panic(err) // constant options: a programming mistake
		}
		return e
	})
	zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxRecordsBytes))
		if err != nil {
			panic(err) // constant options: a programming mistake
		}
		return d
	})
)

// compress appends src, compressed, to dst.
func (c codec) compress(dst, src []byte) ([]byte, error) {
	switch c {
	case codecLZ4:
		return appendLZ4(dst, src)
	case codecZstd:
		return zstdEncoder().EncodeAll(src, dst), nil
	case codecGzip:
		w := gzipWriters.Get().(*gzip.Writer)
		defer gzipWriters.Put(w)
		out := bytes.NewBuffer(dst)
		w.Reset(out)
		if _, err := w.Write(src); err != nil {
			return nil, err
		}
		err := w.Close()
		return out.Bytes(), err
	}
	return append(dst, src...), nil
}

// lz4Header opens an LZ4 frame: magic, version 1 with independent blocks and no checksums (the batch has its own),
// blocks of at most 256 KiB, and the header's checksum. Java readers refuse dependent blocks.
var lz4Header = [7]byte{0x04, 0x22, 0x4d, 0x18, 0x60, 0x50, 0xfb}

const (
	lz4BlockBytes   = 256 << 10
	lz4Uncompressed = 1 << 31
)

// appendLZ4 writes the frame itself, block by block: the library's frame writer copies every block twice.
func appendLZ4(dst, src []byte) ([]byte, error) {
	lc := lz4Compressors.Get().(*lz4.Compressor)
	defer lz4Compressors.Put(lc)
	dst = append(dst, lz4Header[:]...)
	for len(src) > 0 {
		block := src[:min(len(src), lz4BlockBytes)]
		src = src[len(block):]
		at := len(dst)
		dst = slices.Grow(dst, 4+lz4.CompressBlockBound(len(block)))
		n, err := lc.CompressBlock(block, dst[at+4:at+4+lz4.CompressBlockBound(len(block))])
		if err != nil {
			return nil, err
		}
		size := uint32(n)
		if n == 0 || n >= len(block) { // cannot be made smaller
			n = len(block)
			size = uint32(n) | lz4Uncompressed
			copy(dst[at+4:at+4+n], block)
		}
		dst = dst[:at+4+n]
		binary.LittleEndian.PutUint32(dst[at:], size)
	}
	return binary.LittleEndian.AppendUint32(dst, 0), nil
}

// decompress appends src, decompressed, to dst.
func (c codec) decompress(dst, src []byte) ([]byte, error) {
	if cap(dst) == 0 {
		dst = make([]byte, 0, min(4*len(src), chunkBytes)+512) // what our own batches need, and room to see the end
	}
	switch c {
	case codecLZ4:
		r := lz4Readers.Get().(*lz4.Reader)
		defer lz4Readers.Put(r)
		r.Reset(bytes.NewReader(src))
		return appendAll(dst, r)
	case codecZstd:
		return zstdDecoder().DecodeAll(src, dst)
	case codecGzip:
		r := gzipReaders.Get().(*gzip.Reader)
		defer gzipReaders.Put(r)
		if err := r.Reset(bytes.NewReader(src)); err != nil {
			return dst, err
		}
		return appendAll(dst, r)
	case codecSnappy:
		r := new(snappy.Codec).NewReader(bytes.NewReader(src))
		dst, err := appendAll(dst, r)
		return dst, errors.Join(err, r.Close())
	}
	return dst, fmt.Errorf("unknown compression %d", c)
}

// appendAll is io.ReadAll into memory that is reused, with a bound.
func appendAll(dst []byte, r io.Reader) ([]byte, error) {
	start := len(dst)
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, max(lz4BlockBytes, len(dst)-start))
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if len(dst)-start > maxRecordsBytes {
			return dst, errTooLarge
		}
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}
