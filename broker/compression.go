package broker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

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
	lz4Readers  = sync.Pool{New: func() any { return lz4.NewReader(nil) }}
	gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}
	gzipWriters = sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed); return w }}
	zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
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
		return closeLZ4(appendLZ4(openLZ4(dst), src)), nil
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

// decompress appends src, decompressed, to dst.
func (c codec) decompress(dst, src []byte) ([]byte, error) {
	switch c {
	case codecLZ4:
		if out, ok := readLZ4(dst, src); ok {
			return out, nil
		}
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
		return readSnappy(dst, src)
	}
	return dst, fmt.Errorf("unknown compression %d", c)
}

// growBytes is how much more memory what is decompressed takes at least, when it takes more.
const growBytes = 256 << 10

// appendAll is io.ReadAll into memory that is reused, with a bound.
func appendAll(dst []byte, r io.Reader) ([]byte, error) {
	start := len(dst)
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, max(growBytes, len(dst)-start))
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
