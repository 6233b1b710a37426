// Package quarantine is the work queue of refused rows: what an item keeps, how it lies in a department's _quarantine
// topic, and how people list, group and mask it. The topic is compacted, its key names the source row, and a newer
// state of that row replaces or closes the item, so that what lies there is always what still waits.
//
// Only a pipeline's own task writes a department's quarantine, in the transaction that moves its position; this package
// holds no connection.
package quarantine

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping"
)

// Separator stands between the parts of an item's key, as between those of an entity's.
const Separator = "\x1f"

// PartBytes is the most that one record of an item holds. A larger item is split: broker and topic refuse a batch above
// max.message.bytes, which is 1 MiB unless set otherwise.
const PartBytes = 512 << 10

// Item is one refused row with everything that a person needs to judge it and the task needs to try it again.
type Item struct {
	Version    int         `json:"v"`
	Department string      `json:"department"`
	Pipeline   string      `json:"pipeline"`
	Set        string      `json:"set"`
	Entity     string      `json:"entity,omitempty"` // empty when the row could not even be split
	RowKey     string      `json:"row_key"`
	Op         string      `json:"op"`
	Origin     string      `json:"origin,omitempty"`
	Line       int64       `json:"line,omitempty"`
	Time       time.Time   `json:"time"` // of the change
	RefusedAt  time.Time   `json:"refused_at"`
	Generation uint64      `json:"generation,omitempty"`
	Sequence   uint64      `json:"sequence,omitempty"`
	Ordinal    uint32      `json:"ordinal,omitempty"`
	Columns    []Column    `json:"row,omitempty"`
	Raw        []byte      `json:"raw,omitempty"` // of a row that could not be split
	Violations []Violation `json:"violations"`
	Dictionary string      `json:"dictionary"`
	Mapping    string      `json:"mapping,omitempty"` // digest of the mapping that refused it
	Content    string      `json:"content"`           // hash of the row's content, to know an unchanged row again
	OldKey     []byte      `json:"old_key,omitempty"` // entity key whose tombstone waits with this row
	Counted    bool        `json:"counted,omitempty"` // the row is counted by this item; one of them when several entities refuse it

	// Where the item lies; not part of its value.
	Offset    int64 `json:"-"`
	Partition int32 `json:"-"`
	Parts     int   `json:"-"`
}

// Column is one value of the raw row with its type, so that it can be mapped again exactly as it was read.
type Column struct {
	Name   string  `json:"c"`
	Kind   string  `json:"k"`
	Value  *string `json:"v,omitempty"`
	Key    bool    `json:"key,omitempty"`    // identifies the row in its source
	Masked bool    `json:"masked,omitempty"` // shown only with --reveal
}

// Violation is one broken rule, in both languages.
type Violation struct {
	Element string `json:"element,omitempty"`
	Rule    string `json:"rule"`
	Column  string `json:"column,omitempty"`
	Shape   string `json:"shape,omitempty"`
	Zh      string `json:"zh"`
	En      string `json:"en"`
}

// Text returns the violation's message in the language "zh" or "en".
func (v Violation) Text(lang string) string { return connectors.Text{Zh: v.Zh, En: v.En}.In(lang) }

// FromMapping converts a mapping's violations, copying what the mapper would reuse.
func FromMapping(vs []mapping.Violation) []Violation {
	out := make([]Violation, len(vs))
	for i, v := range vs {
		out[i] = Violation{
			Element: strings.Clone(v.Element), Rule: strings.Clone(v.Rule), Column: strings.Clone(v.Column),
			Shape: strings.Clone(v.Shape), Zh: v.Message.Zh, En: v.Message.En,
		}
	}
	return out
}

// AppendKey appends the key under which a row's item lies. Entity is empty for a row that could not be split.
func AppendKey(dst []byte, pipeline, set, entity string, rowKey []byte) []byte {
	dst = append(append(dst, pipeline...), Separator...)
	dst = append(append(dst, set...), Separator...)
	dst = append(append(dst, entity...), Separator...)
	return append(dst, rowKey...)
}

// Key returns the item's key.
func (it *Item) Key() []byte {
	return AppendKey(nil, it.Pipeline, it.Set, it.Entity, []byte(it.RowKey))
}

// Place says where the row was read, for a person.
func (it *Item) Place() string {
	if it.Line > 0 {
		return it.Origin + ":" + strconv.FormatInt(it.Line, 10)
	}
	if it.Origin != "" {
		return it.Origin
	}
	return it.Set
}

// SetRow keeps the values of a row. masked says which columns are shown only with --reveal.
func (it *Item) SetRow(row *connectors.Row, masked func(column string) bool) {
	it.Columns = make([]Column, len(row.Values))
	for i, v := range row.Values {
		c := Column{Name: row.Table.Columns[i].Name, Kind: v.Kind().String()}
		c.Masked = masked(c.Name)
		if !v.IsNull() {
			text := encodeValue(v)
			c.Value = &text
		}
		it.Columns[i] = c
	}
	for _, k := range row.Table.Key {
		it.Columns[k].Key = true
	}
}

// encodeValue writes numbers that carry a unit of time as they are, so that nothing is lost.
func encodeValue(v connectors.Value) string {
	switch v.Kind() {
	case connectors.KindBytes:
		return base64.StdEncoding.EncodeToString(v.Bytes())
	case connectors.KindDate, connectors.KindDateTime, connectors.KindTimestamp:
		return strconv.FormatInt(v.Int(), 10)
	default:
		return string(v.AppendText(nil))
	}
}

// decodeValue is the inverse of encodeValue.
func decodeValue(c Column) (connectors.Value, error) {
	if c.Value == nil {
		if c.Kind == connectors.KindNull.String() {
			return connectors.Null(), nil
		}
		return connectors.Value{}, nil
	}
	s := *c.Value
	switch c.Kind {
	case "text":
		return connectors.String([]byte(s)), nil
	case "decimal":
		return connectors.Decimal([]byte(s)), nil
	case "json":
		return connectors.JSON([]byte(s)), nil
	case "bool":
		return connectors.Bool(s == "true"), nil
	case "bytes":
		b, err := base64.StdEncoding.DecodeString(s)
		return connectors.Bytes(b), err
	case "float":
		f, err := strconv.ParseFloat(s, 64)
		return connectors.Float(f), err
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch c.Kind {
	case "int":
		return connectors.Int(n), err
	case "date":
		return connectors.Date(n), err
	case "datetime":
		return connectors.DateTime(n), err
	case "timestamp":
		return connectors.Timestamp(n), err
	}
	return connectors.Value{}, fmt.Errorf("unknown kind %q of a kept value", c.Kind)
}

// Table rebuilds the shape of the kept row.
func (it *Item) Table() *connectors.Table {
	t := &connectors.Table{Name: it.Set, Columns: make([]connectors.Column, len(it.Columns))}
	for i, c := range it.Columns {
		t.Columns[i].Name = c.Name
		if c.Key {
			t.Key = append(t.Key, i)
		}
	}
	return t
}

// Row rebuilds the kept row for the given table, as it was read.
func (it *Item) Row(t *connectors.Table) (connectors.Row, error) {
	row := connectors.Row{
		Table: t, Op: opNamed(it.Op), Time: it.Time.UnixMicro(), Line: it.Line, Ordinal: it.Ordinal,
		Order:  connectors.Order{Generation: it.Generation, Sequence: it.Sequence},
		Values: make([]connectors.Value, len(it.Columns)),
	}
	for i, c := range it.Columns {
		v, err := decodeValue(c)
		if err != nil {
			return row, fmt.Errorf("read kept value of column %s: %w", c.Name, err)
		}
		row.Values[i] = v
	}
	return row, nil
}

func opNamed(name string) connectors.Op {
	for op := connectors.OpSnapshot; op <= connectors.OpDelete; op++ {
		if op.String() == name {
			return op
		}
	}
	return connectors.OpUpsert
}

// Cause names what a group of items has in common: the first broken rule, its element and column. Items of one cause
// are usually cured together.
func (it *Item) Cause() Cause {
	c := Cause{Department: it.Department, Pipeline: it.Pipeline, Entity: it.Entity}
	if len(it.Violations) > 0 {
		v := it.Violations[0]
		c.Element, c.Rule, c.Column, c.Shape = v.Element, v.Rule, v.Column, v.Shape
	}
	return c
}

// Cause is what a group of items has in common.
type Cause struct {
	Department string `json:"department"`
	Pipeline   string `json:"pipeline"`
	Entity     string `json:"entity,omitempty"`
	Element    string `json:"element,omitempty"`
	Rule       string `json:"rule"`
	Column     string `json:"column,omitempty"`
	Shape      string `json:"shape,omitempty"`
}

// Encode returns the item's value.
func (it *Item) Encode() ([]byte, error) {
	it.Version = 1
	b, err := json.Marshal(it)
	if err != nil {
		return nil, fmt.Errorf("encode quarantine item: %w", err)
	}
	return b, nil
}

// Decode reads an item's value.
func Decode(value []byte) (*Item, error) {
	it := new(Item)
	if err := json.Unmarshal(value, it); err != nil {
		return nil, fmt.Errorf("decode quarantine item: %w", err)
	}
	if it.Version != 1 {
		return nil, fmt.Errorf("decode quarantine item: version %d is newer than this program", it.Version)
	}
	return it, nil
}
