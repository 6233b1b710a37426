package files

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

// lines gives a stream's lines out of a buffer that grows to the longest row, and no further. It works on undecoded
// bytes, so that a line's place in the file is known: in UTF-8 and GB 18030 a line feed is never part of a character.
type lines struct {
	src  io.Reader
	buf  []byte
	r, w int   // buf[r:w] is what was read and not yet consumed
	at   int64 // offset of buf[r] in the stream
	line int64 // line feeds before buf[r]
	eof  bool
	max  int // a row may have that many bytes
}

const readChunk = 256 << 10

// errRowTooLong says that there is no end of the row within the limit.
var errRowTooLong = errors.New("row too long")

func newLines(src io.Reader, max int) *lines {
	return &lines{src: src, buf: make([]byte, readChunk), max: max}
}

// peek returns the line that begins n bytes after the next unread byte, with its line break. The bytes are valid until
// the next call. It is empty at the end of the stream. errRowTooLong comes when the line would end past the limit.
func (l *lines) peek(n int) ([]byte, error) {
	searched := n
	for {
		if i := bytes.IndexByte(l.buf[l.r+searched:l.w], '\n'); i >= 0 {
			if searched+i > l.max {
				return nil, errRowTooLong
			}
			return l.buf[l.r+n : l.r+searched+i+1], nil
		}
		searched = l.w - l.r
		if l.eof {
			return l.buf[l.r+n : l.w], nil
		}
		if searched > l.max {
			return nil, errRowTooLong
		}
		if err := l.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads more behind what is there.
func (l *lines) fill() error {
	if l.r > 0 {
		copy(l.buf, l.buf[l.r:l.w])
		l.r, l.w = 0, l.w-l.r
	}
	if l.w == len(l.buf) {
		l.buf = slices.Grow(l.buf, len(l.buf))[:2*len(l.buf)]
	}
	n, err := l.src.Read(l.buf[l.w:])
	l.w += n
	if errors.Is(err, io.EOF) {
		l.eof = true
		return nil
	}
	return err
}

// head returns the next n bytes at most, as far as they are in the buffer.
func (l *lines) head(n int) []byte { return l.buf[l.r:min(l.w, l.r+n)] }

// advance consumes n bytes that hold the given number of line feeds.
func (l *lines) advance(n, feeds int) {
	l.r += n
	l.at += int64(n)
	l.line += int64(feeds)
}

// skipLine consumes up to and including the next line feed, however far it is, without keeping what it reads.
func (l *lines) skipLine() error {
	for {
		if i := bytes.IndexByte(l.buf[l.r:l.w], '\n'); i >= 0 {
			l.advance(i+1, 1)
			return nil
		}
		l.advance(l.w-l.r, 0)
		if l.eof {
			return nil
		}
		if err := l.fill(); err != nil {
			return err
		}
	}
}

// withoutBreak returns a line without its line break.
func withoutBreak(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}
