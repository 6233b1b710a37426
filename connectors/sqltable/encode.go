package sqltable

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/datong-dx/datong/connectors"
)

func appendText(b, text []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// appendValues appends a count, then each value as its kind and its number or bytes.
func appendValues(b []byte, values []connectors.Value) []byte {
	b = binary.AppendUvarint(b, uint64(len(values)))
	for _, v := range values {
		b = append(b, byte(v.Kind()))
		switch v.Kind() {
		case connectors.KindText, connectors.KindBytes, connectors.KindDecimal, connectors.KindJSON:
			b = appendText(b, v.Bytes())
		case connectors.KindFloat:
			b = binary.BigEndian.AppendUint64(b, math.Float64bits(v.Float()))
		default:
			b = binary.AppendVarint(b, v.Int())
		}
	}
	return b
}

// decoder takes a position apart. After the first error everything reads as zero.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail() {
	if d.err == nil {
		d.err = fmt.Errorf("cut off or damaged: %w", connectors.ErrPosition)
	}
	d.b = nil
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	p := d.b[:n:n]
	d.b = d.b[n:]
	return p
}

func (d *decoder) byte() byte {
	if p := d.take(1); len(p) == 1 {
		return p[0]
	}
	return 0
}

func (d *decoder) fixed() uint64 {
	if p := d.take(8); len(p) == 8 {
		return binary.BigEndian.Uint64(p)
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// text returns a copy: what is decoded outlives the position it came from.
func (d *decoder) text() []byte {
	p := d.take(d.uvarint())
	if len(p) == 0 {
		return nil
	}
	return append([]byte(nil), p...)
}

func (d *decoder) values() []connectors.Value {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.fail()
	}
	var values []connectors.Value
	for ; n > 0 && d.err == nil; n-- {
		values = append(values, d.value())
	}
	return values
}

func (d *decoder) value() connectors.Value {
	switch kind := connectors.Kind(d.byte()); kind {
	case connectors.KindAbsent:
		d.varint()
		return connectors.Value{}
	case connectors.KindNull:
		d.varint()
		return connectors.Null()
	case connectors.KindText:
		return connectors.String(d.text())
	case connectors.KindBytes:
		return connectors.Bytes(d.text())
	case connectors.KindDecimal:
		return connectors.Decimal(d.text())
	case connectors.KindJSON:
		return connectors.JSON(d.text())
	case connectors.KindFloat:
		return connectors.Float(math.Float64frombits(d.fixed()))
	case connectors.KindInt:
		return connectors.Int(d.varint())
	case connectors.KindBool:
		return connectors.Bool(d.varint() != 0)
	case connectors.KindDate:
		return connectors.Date(d.varint())
	case connectors.KindDateTime:
		return connectors.DateTime(d.varint())
	case connectors.KindTimestamp:
		return connectors.Timestamp(d.varint())
	}
	d.fail()
	return connectors.Value{}
}
