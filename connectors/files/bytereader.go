package files

import (
	"encoding/json"
	"errors"
	"io"
)

// byteReader walks over JSON byte by byte, without ever holding more than its buffer.
type byteReader struct {
	src  io.Reader
	buf  []byte
	r, w int
	gone int64 // bytes consumed before buf[0]
	line int64 // line feeds consumed
	max  int   // a record may have that many bytes
}

func newByteReader(src io.Reader, max int) *byteReader {
	return &byteReader{src: src, buf: make([]byte, readChunk), max: max}
}

// at returns the offset of the next byte.
func (r *byteReader) at() int64 { return r.gone + int64(r.r) }

// rest returns what is buffered and not consumed.
func (r *byteReader) rest() []byte { return r.buf[r.r:r.w] }

// peek returns the next byte, or io.EOF.
func (r *byteReader) peek() (byte, error) {
	for r.r == r.w {
		r.gone += int64(r.w)
		r.r, r.w = 0, 0
		n, err := r.src.Read(r.buf)
		if r.w = n; n == 0 && err != nil {
			return 0, err
		}
	}
	return r.buf[r.r], nil
}

// skip consumes the byte that peek returned.
func (r *byteReader) skip() {
	if r.buf[r.r] == '\n' {
		r.line++
	}
	r.r++
}

// peekToken skips white space and returns the byte that follows.
func (r *byteReader) peekToken() (byte, error) {
	for {
		c, err := r.peek()
		if err != nil || !isSpace(c) {
			return c, err
		}
		r.skip()
	}
}

// key consumes a member's name and the colon.
func (r *byteReader) key() (string, error) {
	c, err := r.peekToken()
	if err != nil {
		return "", err
	}
	if c != '"' {
		return "", errSyntax
	}
	raw, whole, err := r.value(nil, outerMax)
	if err != nil {
		return "", err
	}
	var name string
	if !whole || json.Unmarshal(raw, &name) != nil {
		return "", errSyntax
	}
	if c, err = r.peekToken(); err != nil {
		return "", err
	}
	if c != ':' {
		return "", errSyntax
	}
	r.skip()
	return name, nil
}

// value consumes one value and appends it to dst, up to max bytes, or of a longer one [rawMax]; whole says that all of it
// is there. Only brackets and quotes are looked at: whether it is valid JSON is another question.
func (r *byteReader) value(dst []byte, max int) (out []byte, whole bool, err error) {
	v := valueScanner{out: dst, max: max, start: len(dst)}
	c, err := r.peekToken()
	for ; err == nil; c, err = r.peek() {
		if v.endsBefore(c) {
			break
		}
		v.take(c)
		r.skip()
		if v.complete {
			break
		}
	}
	if errors.Is(err, io.EOF) && v.plain && v.size > 0 {
		err = nil
	}
	if err == nil && v.size == 0 {
		err = errSyntax
	}
	return v.out, v.size <= max, unexpected(err)
}

// valueScanner finds the end of a value.
type valueScanner struct {
	out      []byte
	start    int
	max      int
	size     int
	depth    int
	plain    bool // a number, true, false or null: ends before what does not belong to it
	inString bool
	escape   bool
	complete bool
}

func (v *valueScanner) endsBefore(c byte) bool {
	if v.size > 0 && !v.plain {
		return false
	}
	return isSpace(c) || c == ',' || c == ']' || c == '}' || c == ':'
}

func (v *valueScanner) take(c byte) {
	if v.size++; v.size <= v.max {
		v.out = append(v.out, c)
	} else if len(v.out)-v.start > rawMax {
		v.out = v.out[:v.start+rawMax]
	}
	switch {
	case v.escape:
		v.escape = false
	case v.inString:
		v.escape = c == '\\'
		v.inString = c != '"'
		v.complete = c == '"' && v.depth == 0
	case c == '"':
		v.inString = true
	case c == '{' || c == '[':
		v.depth++
	case c == '}' || c == ']':
		v.depth--
		v.complete = v.depth == 0
	case v.size == 1:
		v.plain = true
	}
}

// unexpected turns an end of the stream into an error: more was to come.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// quote writes a string as JSON.
func quote(s string) []byte {
	text, _ := json.Marshal(s) // cannot fail
	return text
}
