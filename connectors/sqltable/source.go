package sqltable

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"

	"github.com/datong-dx/datong/connectors"
)

// errClosed is what Read returns after Close.
var errClosed = errors.New("read from the table source: it is closed")

// source reads tables. A goroutine of its own, begun by the first Read, reads one statement ahead.
type source struct {
	settings
	db    *database
	start *state // nil: the very start
	log   *slog.Logger

	batches chan *connectors.Batch
	ended   error // why batches was closed

	mu     sync.Mutex // guards what follows
	cancel context.CancelFunc
	closed bool
	known  map[string]*set // what Get has asked about
	done   sync.WaitGroup
}

var (
	_ connectors.Source     = (*source)(nil)
	_ connectors.Checker    = (*source)(nil)
	_ connectors.Discoverer = (*source)(nil)
	_ connectors.Getter     = (*source)(nil)
)

// openSource opens a source without reaching for the database, so that Check can tell what is wrong with it.
func openSource(_ context.Context, req connectors.SourceRequest) (connectors.Source, error) {
	c, problems := readSettings(req.Settings, req.Dir)
	if len(problems) > 0 {
		return nil, &problems[0]
	}
	s := &source{settings: c, log: req.Log, batches: make(chan *connectors.Batch, 1)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if req.Position != nil {
		if s.start, err = decodeState(req.Position); err != nil {
			return nil, err
		}
	}
	if s.db, err = openDatabase(&c); err != nil {
		return nil, err
	}
	return s, nil
}

// Read returns the next batch; see [connectors.Source].
func (s *source) Read(ctx context.Context) (*connectors.Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !s.begin() {
		return nil, errClosed
	}
	select {
	case b, ok := <-s.batches:
		if !ok {
			return nil, s.ended
		}
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// begin starts the reading goroutine once. It returns false when the source is closed.
func (s *source) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.cancel != nil {
		return !s.closed
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.done.Go(func() {
		defer close(s.batches)
		r := &reader{settings: &s.settings, db: s.db, state: s.start, out: s.batches, log: s.log}
		if s.ended = r.run(ctx); ctx.Err() != nil {
			s.ended = errClosed
		} else if s.ended == nil {
			s.ended = io.EOF
		}
	})
	return true
}

// Ack has nothing to let go of.
func (s *source) Ack(context.Context, connectors.Position) error { return nil }

// Close ends the statement that runs and the sessions.
func (s *source) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	if s.cancel != nil {
		s.cancel()
	}
	s.mu.Unlock()
	s.done.Wait()
	if !first {
		return nil
	}
	return s.db.Close()
}
