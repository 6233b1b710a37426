package memory

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/datong-dx/datong/connectors"
)

// Store is the outside system: tables with a log of their changes, and the offsets that a sink keeps. It is safe for
// concurrent use.
type Store struct {
	mu      sync.Mutex
	id      string // identity: a position of another store is refused
	tables  []*table
	log     []change      // changes that no acknowledgement has let go of
	freed   uint64        // changes let go of: log[0] is number freed+1
	changed chan struct{} // closed and replaced when the log grows
	offsets map[connectors.Partition]connectors.Offset
	inject  func(operation string) error
	refuse  func(*connectors.Row) error
}

type table struct {
	*connectors.Table
	rows  []entry           // in order of insertion; a removed row leaves a hole
	byKey map[string]uint64 // key text → number in rows
}

// entry is one row as it stands. number counts the rows of a table from 1.
type entry struct {
	values []connectors.Value // nil: removed, or poison
	poison []byte
}

// change is one entry of the log.
type change struct {
	op    connectors.Op
	table *table
	entry
	micros int64
}

var stores struct {
	sync.Mutex
	byName map[string]*Store
}

// Named returns this process's store of that name, made empty when it is first asked for.
func Named(name string) *Store {
	stores.Lock()
	defer stores.Unlock()
	s := stores.byName[name]
	if s == nil {
		s = NewStore()
		if stores.byName == nil {
			stores.byName = map[string]*Store{}
		}
		stores.byName[name] = s
	}
	return s
}

// NewStore returns an empty store that has no name.
func NewStore() *Store {
	return &Store{id: rand.Text(), changed: make(chan struct{}), offsets: map[connectors.Partition]connectors.Offset{}}
}

// Create adds a table, which needs a key. Creating it again with more columns widens it.
func (s *Store) Create(t *connectors.Table) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(t.Key) == 0 {
		return fmt.Errorf("create table %s: it has no key", t.Name)
	}
	if old := s.table(t.Name); old != nil {
		if len(t.Columns) > len(old.Columns) {
			old.Table = t
		}
		return nil
	}
	s.tables = append(s.tables, &table{Table: t, byKey: map[string]uint64{}})
	return nil
}

// Put writes a row, whose values are copied: an insert, or an update when its key is there. micros is the time of change.
func (s *Store) Put(tableName string, micros int64, values ...connectors.Value) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(tableName)
	if t == nil {
		return fmt.Errorf("write to table %s: there is none", tableName)
	}
	s.put(t, micros, values)
	return nil
}

// Delete removes the row that has the key of values, of which only the key columns need to be set.
func (s *Store) Delete(tableName string, micros int64, values ...connectors.Value) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(tableName)
	if t == nil {
		return fmt.Errorf("delete from table %s: there is none", tableName)
	}
	s.remove(t, micros, values)
	return nil
}

// Poison writes a row that no source can split into values.
func (s *Store) Poison(tableName string, micros int64, raw []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(tableName)
	if t == nil {
		return fmt.Errorf("write to table %s: there is none", tableName)
	}
	e := entry{poison: slices.Clone(raw)}
	t.rows = append(t.rows, e)
	s.append(change{connectors.OpInsert, t, e, micros})
	return nil
}

// Rows returns a copy of a table's rows in the order of their insertion, values as text, null and absent as "".
func (s *Store) Rows(tableName string) [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rows [][]string
	if t := s.table(tableName); t != nil {
		for _, e := range t.rows {
			if e.values != nil {
				rows = append(rows, texts(e.values))
			}
		}
	}
	return rows
}

// Held returns how many changes the log still holds.
func (s *Store) Held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.log)
}

// Inject makes fn be asked before every "read", "ack" and "write"; an error that it returns is the answer.
func (s *Store) Inject(fn func(operation string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inject = fn
}

// Refuse makes the store refuse, as a database would for their content, the written rows for which fn returns an error.
func (s *Store) Refuse(fn func(*connectors.Row) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = fn
}

// fault asks the injected function. s.mu must not be held: the function may block or use the store.
func (s *Store) fault(operation string) error {
	s.mu.Lock()
	fn := s.inject
	s.mu.Unlock()
	if fn == nil {
		return nil
	}
	return fn(operation)
}

// The methods below need s.mu held.

func (s *Store) table(name string) *table {
	for _, t := range s.tables {
		if t.Name == name {
			return t
		}
	}
	return nil
}

func (s *Store) put(t *table, micros int64, values []connectors.Value) {
	e := entry{values: clone(values)}
	key := t.keyText(values)
	op := connectors.OpUpdate
	n, ok := t.byKey[key]
	if ok {
		t.rows[n-1] = e
	} else {
		op = connectors.OpInsert
		t.rows = append(t.rows, e)
		t.byKey[key] = uint64(len(t.rows))
	}
	s.append(change{op, t, e, micros})
}

func (s *Store) remove(t *table, micros int64, values []connectors.Value) {
	key := t.keyText(values)
	n, ok := t.byKey[key]
	if !ok {
		return
	}
	delete(t.byKey, key)
	t.rows[n-1] = entry{}
	gone := make([]connectors.Value, len(t.Columns)) // only the key is set, the rest absent
	for _, i := range t.Key {
		gone[i] = values[i]
	}
	s.append(change{connectors.OpDelete, t, entry{values: clone(gone)}, micros})
}

func (s *Store) append(c change) {
	s.log = append(s.log, c)
	close(s.changed)
	s.changed = make(chan struct{})
}

// head is the number of the newest change.
func (s *Store) head() uint64 { return s.freed + uint64(len(s.log)) }

// free lets go of the log up to and including change number n.
func (s *Store) free(n uint64) error {
	if n > s.head() {
		return errors.New("acknowledged a change that never was")
	}
	if n > s.freed {
		s.log = slices.Clone(s.log[n-s.freed:])
		s.freed = n
	}
	return nil
}

func (t *table) keyText(values []connectors.Value) string {
	var b strings.Builder
	for _, i := range t.Key {
		b.Write(values[i].AppendText(nil))
		b.WriteByte(0)
	}
	return b.String()
}

func texts(values []connectors.Value) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v.AppendText(nil))
	}
	return all
}

// clone copies values together with their bytes, which belong to a batch or to the caller.
func clone(values []connectors.Value) []connectors.Value {
	b := new(connectors.Batch)
	all := make([]connectors.Value, len(values))
	for i, v := range values {
		all[i] = copyValue(b, v)
	}
	return all
}

// copyValue copies a value into a batch's memory.
func copyValue(b *connectors.Batch, v connectors.Value) connectors.Value {
	switch v.Kind() {
	case connectors.KindText:
		return connectors.String(b.Copy(v.Bytes()))
	case connectors.KindBytes:
		return connectors.Bytes(b.Copy(v.Bytes()))
	case connectors.KindDecimal:
		return connectors.Decimal(b.Copy(v.Bytes()))
	case connectors.KindJSON:
		return connectors.JSON(b.Copy(v.Bytes()))
	}
	return v // holds no bytes
}
