// Package memory is the reference connector: a source and a sink on tables that live in the process. It keeps every
// promise of the contract in as few lines as that takes, so it is the package to copy for a new connector, and it is the
// outside system that other packages' tests use.
//
// The source first shows every table as a scan, in order of insertion, then the log of changes made since the scan began.
// It can be opened at any position, inside a scan too:
//
//	table 0: row 1, 2, 3 …   table 1: row 1, 2 …   log: change mark+1, mark+2, …
//	└── scan, Begin … End ─┘ └── scan ───────────┘ └── until Close ─────────────┘
package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/datong-dx/datong/connectors"
)

// Connector returns the connector: `connector: memory`, with the option `name`.
func Connector() *connectors.Connector {
	name := connectors.Option{
		Name: "name", Type: connectors.StringOption, Required: true, Example: "demo",
		Help: connectors.Text{Zh: "本进程内存储的名称", En: "which of this process's stores"},
	}
	return &connectors.Connector{
		Name:          "memory",
		Summary:       connectors.Text{Zh: "进程内的表，用于测试和示例", En: "tables inside the process, for tests and examples"},
		SourceOptions: []connectors.Option{name},
		SinkOptions:   []connectors.Option{name},
		OpenSource: func(_ context.Context, r connectors.SourceRequest) (connectors.Source, error) {
			return NewSource(Named(connectors.Setting[string](r.Settings, "name")), r.Position, 1000)
		},
		OpenSink: func(_ context.Context, r connectors.SinkRequest) (connectors.Sink, error) {
			return NewSink(Named(connectors.Setting[string](r.Settings, "name"))), nil
		},
	}
}

// position is where a source stands. Its JSON is stored, so a change of it is a new version.
type position struct {
	Version int    `json:"v"`
	Store   string `json:"store"`
	Mark    uint64 `json:"mark"`          // the log's head when the scans began
	Table   int    `json:"table"`         // tables scanned
	Row     uint64 `json:"row,omitempty"` // rows seen of the table being scanned
	Begun   bool   `json:"begun,omitempty"`
	Log     uint64 `json:"log,omitempty"` // last change read, once all tables are scanned
}

const positionVersion = 1

// Source reads a store. See [connectors.Source].
type Source struct {
	store  *Store
	rows   int // at most, in a batch
	told   bool
	closed chan struct{}
	once   sync.Once

	pos position
}

// NewSource opens a source on a store at a position, nil being the start, whose batches have at most the given rows.
func NewSource(s *Store, at connectors.Position, rows int) (*Source, error) {
	src := &Source{store: s, rows: rows, closed: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at == nil {
		src.pos = position{Version: positionVersion, Store: s.id, Mark: s.head()}
		return src, nil
	}
	pos, err := parse(at)
	if err != nil {
		return nil, err
	}
	src.pos = pos
	return src, src.checkPosition()
}

func parse(at connectors.Position) (pos position, err error) {
	if err := json.Unmarshal(at, &pos); err != nil {
		return pos, fmt.Errorf("parse the position: %w: %w", connectors.ErrPosition, err)
	}
	if pos.Version != positionVersion {
		return pos, fmt.Errorf("position of version %d, this program knows %d: %w", pos.Version, positionVersion, connectors.ErrPosition)
	}
	return pos, nil
}

// checkPosition refuses what the store cannot go on from. The store must be locked.
func (src *Source) checkPosition() error {
	s, p := src.store, &src.pos
	switch {
	case p.Store != s.id:
		return fmt.Errorf("position of another store: %w", connectors.ErrPosition)
	case p.Mark > s.head() || p.Log > s.head() || p.Table < 0 || p.Table > len(s.tables):
		return fmt.Errorf("position beyond the end of the log: %w", connectors.ErrPosition)
	case max(p.Mark, p.Log) < s.freed:
		return fmt.Errorf("changes after this position have been acknowledged and freed: %w", connectors.ErrPosition)
	}
	return nil
}

// Read returns the next rows of a scan, or of the log, or waits for a change.
func (src *Source) Read(ctx context.Context) (*connectors.Batch, error) {
	if err := src.store.fault("read"); err != nil {
		return nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, changed, err := src.next()
		if b != nil || err != nil {
			return b, err
		}
		select {
		case <-ctx.Done():
		case <-src.closed:
		case <-changed:
		}
	}
}

var errClosed = errors.New("read from the memory source: it is closed")

// next returns a batch, or what to wait for when there is nothing to tell.
func (src *Source) next() (*connectors.Batch, <-chan struct{}, error) {
	select {
	case <-src.closed:
		return nil, nil, errClosed
	default:
	}
	s := src.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if src.pos.Log == 0 && src.pos.Table < len(s.tables) {
		return src.finish(src.scan()), nil, nil
	}
	src.pos.Log = max(src.pos.Log, src.pos.Mark)
	if src.pos.Log == s.head() && src.told {
		return nil, s.changed, nil
	}
	b := src.tail()
	src.told = src.pos.Log == s.head()
	b.CaughtUp = src.told
	return src.finish(b), nil, nil
}

func (src *Source) finish(b *connectors.Batch) *connectors.Batch {
	b.Position, _ = json.Marshal(src.pos) // cannot fail: numbers and a string
	return b
}

// scan makes a batch of the table being scanned, announced as one scan.
func (src *Source) scan() *connectors.Batch {
	t, p := src.store.tables[src.pos.Table], &src.pos
	b := connectors.NewBatch()
	b.Origin = t.Name
	scan := &connectors.Scan{Set: t.Name, ID: uint64(p.Table) + 1, Complete: true, Resumable: true, Rows: int64(len(t.byKey))}
	if !p.Begun {
		b.Begin, p.Begun = scan, true
	}
	for p.Row < uint64(len(t.rows)) && len(b.Rows) < src.rows {
		e := t.rows[p.Row]
		p.Row++
		if e.values != nil || e.poison != nil {
			add(b, change{connectors.OpSnapshot, t, e, 0}, p.Mark, int64(p.Row))
		}
	}
	if p.Row == uint64(len(t.rows)) {
		b.End = scan
		p.Table, p.Row, p.Begun = p.Table+1, 0, false
	}
	return b
}

// tail makes a batch of the log's next changes.
func (src *Source) tail() *connectors.Batch {
	s, p := src.store, &src.pos
	b := connectors.NewBatch()
	b.Origin = "log"
	for p.Log < s.head() && len(b.Rows) < src.rows {
		c := s.log[p.Log-s.freed]
		p.Log++
		add(b, c, p.Log, 0)
	}
	return b
}

// add copies a change into a batch.
func add(b *connectors.Batch, c change, sequence uint64, line int64) {
	row := b.Add(c.table.Table, c.op)
	row.Time, row.Order.Sequence, row.Line = c.micros, sequence, line
	for i := range min(len(row.Values), len(c.values)) {
		row.Values[i] = copyValue(b, c.values[i])
	}
	if c.poison != nil {
		row.Raw = b.Copy(c.poison)
		row.Err = &connectors.Problem{
			Where: c.table.Name,
			What:  connectors.Text{Zh: "该行无法拆分为字段", En: "the row cannot be split into values"},
		}
	}
}

// Ack frees the log up to the position.
func (src *Source) Ack(_ context.Context, at connectors.Position) error {
	if err := src.store.fault("ack"); err != nil {
		return err
	}
	pos, err := parse(at)
	if err != nil {
		return err
	}
	src.store.mu.Lock()
	defer src.store.mu.Unlock()
	return src.store.free(max(pos.Mark, pos.Log))
}

// Close makes a blocked Read return.
func (src *Source) Close() error {
	src.once.Do(func() { close(src.closed) })
	return nil
}
