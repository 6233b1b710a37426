package sqltable

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/datong-dx/datong/connectors"
)

// wireTypes are the types in which values cross to PostgreSQL, with their object ids. They carry no length: it is the
// assignment to the column that refuses what is too long, where a cast to varchar(n) would cut it off.
var wireTypes = map[family]struct {
	name string
	oid  uint32
}{
	textFamily: {"text", 25}, intFamily: {"int8", 20}, decimalFamily: {"numeric", 1700}, floatFamily: {"float8", 701},
	boolFamily: {"bool", 16}, dateFamily: {"date", 1082}, datetimeFamily: {"timestamp", 1114},
	timestampFamily: {"timestamptz", 1184}, jsonFamily: {"jsonb", 3802}, bytesFamily: {"bytea", 17},
}

func wireType(c *connectors.Column) string { return wireTypes[families[c.Kind]].name }

// appendArray appends one column of the rows as a one-dimensional array in binary form: dimensions, a flag that says
// that there may be nulls, the element type, length, lower bound, then the elements.
func appendArray(dst []byte, c *connectors.Column, at int, rows []*connectors.Row) ([]byte, error) {
	be := binary.BigEndian
	f := families[c.Kind]
	dst = be.AppendUint32(dst, 1)
	dst = be.AppendUint32(dst, 1)
	dst = be.AppendUint32(dst, wireTypes[f].oid)
	dst = be.AppendUint32(dst, uint32(len(rows)))
	dst = be.AppendUint32(dst, 1)
	for _, r := range rows {
		var err error
		if dst, err = appendField(dst, f, r.Values[at]); err != nil {
			return dst, fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	return dst, nil
}

// PostgreSQL counts days and microseconds from 2000-01-01.
const (
	epochDays   = 10957
	epochMicros = epochDays * 24 * 60 * 60 * 1_000_000
)

// appendField appends a value with its length before it, as arrays and COPY both want it; a null has the length -1.
func appendField(dst []byte, f family, v connectors.Value) ([]byte, error) {
	be := binary.BigEndian
	if v.IsNull() {
		return be.AppendUint32(dst, math.MaxUint32), nil
	}
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	switch has := families[v.Kind()]; {
	case f == textFamily:
		dst = v.AppendText(dst)
	case f == decimalFamily && (has == decimalFamily || has == intFamily):
		var err error
		var scratch [20]byte
		text := v.Bytes()
		if has == intFamily {
			text = v.AppendText(scratch[:0])
		}
		if dst, err = appendNumeric(dst, text); err != nil {
			return dst, err
		}
	case has != f:
		return dst, fmt.Errorf("%w: %s", errValue, v.Kind())
	case f == intFamily || f == floatFamily:
		n := v.Int() // of a float its bits
		dst = be.AppendUint64(dst, uint64(n))
	case f == boolFamily:
		dst = append(dst, byte(v.Int()))
	case f == dateFamily:
		if v.Int() < math.MinInt32+epochDays || v.Int() > math.MaxInt32 {
			return dst, fmt.Errorf("%w: a date out of range", errValue)
		}
		dst = be.AppendUint32(dst, uint32(v.Int()-epochDays))
	case f == datetimeFamily || f == timestampFamily:
		dst = be.AppendUint64(dst, uint64(v.Int()-epochMicros))
	case f == jsonFamily:
		dst = append(append(dst, 1), v.Bytes()...) // version of the binary form
	default:
		dst = append(dst, v.Bytes()...)
	}
	be.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst, nil
}

// maxDigits is the number of digits that a numeric may have before the point (PostgreSQL, numeric types).
const maxDigits = 131072

// appendNumeric appends a decimal text in binary form: groups of four digits counted from the point, the weight of
// the first, the sign, the number of digits after the point.
func appendNumeric(dst []byte, text []byte) ([]byte, error) {
	sign := uint16(0)
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		if text[0] == '-' {
			sign = 0x4000
		}
		text = text[1:]
	}
	whole, fraction, _ := bytes.Cut(text, []byte("."))
	whole = bytes.TrimLeft(whole, "0")
	if len(text) == 0 || !allDigits(whole) || !allDigits(fraction) || len(whole) > maxDigits || len(fraction) > maxDigits/8 {
		return dst, fmt.Errorf("%w: not a decimal number", errValue)
	}
	be := binary.BigEndian
	wholeGroups, fractionGroups := (len(whole)+3)/4, (len(fraction)+3)/4
	dst = be.AppendUint16(dst, uint16(wholeGroups+fractionGroups))
	dst = be.AppendUint16(dst, uint16(int16(wholeGroups-1)))
	dst = be.AppendUint16(dst, sign)
	dst = be.AppendUint16(dst, uint16(len(fraction)))
	for len(whole) > 0 {
		n := (len(whole)-1)%4 + 1
		dst = be.AppendUint16(dst, group(whole[:n]))
		whole = whole[n:]
	}
	for len(fraction) > 0 {
		n := min(4, len(fraction))
		g := group(fraction[:n])
		for range 4 - n {
			g *= 10
		}
		dst = be.AppendUint16(dst, g)
		fraction = fraction[n:]
	}
	return dst, nil
}

func allDigits(text []byte) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func group(text []byte) (g uint16) {
	for _, c := range text {
		g = g*10 + uint16(c-'0')
	}
	return g
}

// copyReader gives rows as a binary COPY stream, encoding them while they are read.
type copyReader struct {
	table *sinkTable
	kinds []family
	rows  []*connectors.Row
	buf   []byte
	at    int // read so far of buf
	done  bool
	err   error
}

// copySignature begins a binary COPY: its name, no flags, no header extension.
const copySignature = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

func (c *copyReader) reset(t *sinkTable, rows []*connectors.Row) {
	kinds := c.kinds[:0]
	for i := range t.Columns {
		kinds = append(kinds, families[t.Columns[i].Kind])
	}
	*c = copyReader{table: t, kinds: kinds, rows: rows, buf: append(c.buf[:0], copySignature...)}
}

// Read implements [io.Reader].
func (c *copyReader) Read(p []byte) (int, error) {
	if c.at == len(c.buf) {
		c.buf, c.at = c.buf[:0], 0
		if err := c.fill(len(p)); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.buf[c.at:])
	c.at += n
	return n, nil
}

// fill encodes rows until there are size bytes, then the end mark.
func (c *copyReader) fill(size int) error {
	if c.done {
		return io.EOF
	}
	for len(c.rows) > 0 && len(c.buf) < size {
		r := c.rows[0]
		c.buf = binary.BigEndian.AppendUint16(c.buf, uint16(len(c.kinds)))
		for i, f := range c.kinds {
			var err error
			if c.buf, err = appendField(c.buf, f, r.Values[i]); err != nil {
				c.err = fmt.Errorf("column %s: %w", c.table.Columns[i].Name, err)
				return c.err
			}
		}
		c.rows = c.rows[1:]
	}
	if len(c.rows) == 0 {
		c.buf = binary.BigEndian.AppendUint16(c.buf, math.MaxUint16)
		c.done = true
	}
	return nil
}
