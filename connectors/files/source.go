package files

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/datong-dx/datong/connectors"
)

const (
	// batchRows and batchBytes bound a batch: large enough that what a batch costs is nothing beside its rows, small
	// enough that some of them fit in memory.
	batchRows  = 512
	batchBytes = 256 << 10
)

// Source reads the files of a path, one after the other. See [connectors.Source].
//
// An order is the file's ordinal among those taken times 2³² plus the row's number in it; a row's time is the file's time
// of modification.
type Source struct {
	settings settings
	log      *slog.Logger
	folder   *folder
	rows     int // at most, in a batch
	done     finished

	closing chan struct{}
	once    sync.Once

	mu      sync.Mutex // held by Read; Close waits for it
	pos     position
	current *content // the delivery being read, nil between two
	at      candidate
	unsaid  bool // pos has moved since the last batch
	told    bool // an idle batch was given since the last row
	warned  map[string]bool
}

func open(r connectors.SourceRequest, rows int) (*Source, error) {
	s, bad := parse(r.Settings)
	if len(bad) > 0 {
		return nil, &bad[0]
	}
	pos, err := parsePosition(r.Position, s.path)
	if err != nil {
		return nil, err
	}
	log := r.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	src := &Source{settings: s, log: log, rows: rows, pos: pos, closing: make(chan struct{}), warned: map[string]bool{}}
	src.folder = newFolder(&src.settings, r.Dir)
	src.done = finished{folder: s.done, log: log}
	return src, nil
}

var errClosed = errors.New("read files: the source is closed")

// Read returns the next rows of the current delivery or takes the next one.
func (s *Source) Read(ctx context.Context) (*connectors.Batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	live := func() error { return s.alive(ctx) }
	for {
		if err := live(); err != nil {
			return nil, err
		}
		if s.current == nil {
			again := s.pos.File != nil
			waiting, err := s.takeNext(live)
			if err != nil {
				return nil, err
			}
			if s.current == nil {
				if again && s.pos.File == nil {
					continue // the position's delivery is settled: look for the next
				}
				if b, err := s.idle(ctx, waiting); b != nil || err != nil {
					return b, err
				}
				continue
			}
		}
		if b, err := s.fill(); b != nil || err != nil {
			return b, err
		}
	}
}

// alive says whether Read may go on.
func (s *Source) alive(ctx context.Context) error {
	select {
	case <-s.closing:
		return errClosed
	default:
		return ctx.Err()
	}
}

// fill makes a batch of the current delivery's next rows. It returns none when the delivery ended without any.
func (s *Source) fill() (*connectors.Batch, error) {
	b := connectors.NewBatch()
	b.Origin = s.pos.File.Name
	f := s.pos.File
	if s.settings.full && !f.Started {
		b.Begin = s.scan(f)
	}
	f.Started = true
	ended, err := s.addRows(b, f)
	if err == nil && ended {
		err = s.checkUnchanged()
	}
	if err != nil {
		b.Release()
		return nil, err
	}
	if ended {
		if s.settings.full {
			b.End = s.scan(f)
		}
		s.finish()
	}
	if len(b.Rows) == 0 && b.Begin == nil && b.End == nil {
		b.Release()
		s.unsaid = true
		return nil, nil
	}
	b.Position = s.pos.encode()
	s.unsaid, s.told = false, false
	return b, nil
}

// addRows adds rows until the batch is full or the file ends.
func (s *Source) addRows(b *connectors.Batch, f *place) (ended bool, err error) {
	if s.current.reader == nil {
		return true, nil
	}
	begin := s.current.reader.mark().offset
	for len(b.Rows) < s.rows && s.current.reader.mark().offset-begin < batchBytes {
		more, err := s.current.reader.next(b)
		if err != nil {
			return false, fmt.Errorf("read %s: %w", f.Name, err)
		}
		if !more {
			ended = true
			break
		}
		f.Row++
		s.stamp(b, f)
	}
	m := s.current.reader.mark()
	f.Offset, f.Line = m.offset, m.line
	return ended, nil
}

// stamp completes the row that was added last.
func (s *Source) stamp(b *connectors.Batch, f *place) {
	row := &b.Rows[len(b.Rows)-1]
	row.Time = f.Micros
	row.Order.Sequence = s.pos.Taken<<32 | uint64(f.Row)
	if row.Err != nil && row.Err.Where == "" {
		row.Err.Where = fmt.Sprintf("%s:%d", f.Name, row.Line)
	}
	switch {
	case s.settings.full:
		row.Op = connectors.OpSnapshot
	case s.settings.opColumn != "" && row.Err == nil:
		s.setOp(b, row)
	}
}

// setOp takes the row's operation from its column.
func (s *Source) setOp(b *connectors.Batch, row *connectors.Row) {
	i := row.Table.Index(s.settings.opColumn)
	if i >= 0 {
		if op, ok := s.settings.ops[string(row.Values[i].Bytes())]; ok {
			row.Op = op
			return
		}
	}
	row.Raw = rowText(b, row)
	clear(row.Values)
	row.Err = rowProblem("ops 中没有列 "+s.settings.opColumn+" 的值", "ops does not list the value of column "+s.settings.opColumn,
		connectors.Text{Zh: "在 ops 中补上该值", En: "add the value to ops"})
	row.Err.Where = fmt.Sprintf("%s:%d", b.Origin, row.Line)
}

// rowText joins a row's values with tabs.
func rowText(b *connectors.Batch, row *connectors.Row) []byte {
	var text []byte
	for i, v := range row.Values {
		if i > 0 {
			text = append(text, '\t')
		}
		text = v.AppendText(text)
	}
	return b.Copy(text[:min(len(text), rawMax)])
}

// scan describes the reading of a full file. Its id follows from the delivery alone.
func (s *Source) scan(f *place) *connectors.Scan {
	return &connectors.Scan{
		Set: f.Set, Complete: true, Resumable: true,
		ID: binary.BigEndian.Uint64(f.SHA256) ^ s.pos.Taken,
	}
}

// checkUnchanged makes sure that the file that was read is the one whose digest was taken.
func (s *Source) checkUnchanged() error {
	info, err := s.current.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != s.at.size || !info.ModTime().Equal(s.at.mtime) {
		return fmt.Errorf("read %s: the file was changed while it was being read", s.at.name)
	}
	return nil
}

// finish closes the current delivery, which is read to its end.
func (s *Source) finish() {
	s.current.close()
	s.current = nil
	s.done.add(delivered{candidate: s.at, digest: s.pos.File.SHA256, ordinal: s.pos.Taken})
	s.pos.finish()
}

// idle tells that nothing is there to be read, once, and then waits or ends. While a file may soon be complete it only
// waits for that.
func (s *Source) idle(ctx context.Context, waiting bool) (*connectors.Batch, error) {
	finite := s.settings.watch == 0
	switch {
	case waiting:
		return nil, s.wait(ctx, s.glance())
	case finite && !s.unsaid:
		return nil, io.EOF
	case !finite && s.told && !s.unsaid:
		return nil, s.wait(ctx, s.settings.watch)
	}
	b := connectors.NewBatch()
	b.CaughtUp, b.Position, b.Origin = true, s.pos.encode(), s.settings.path
	s.told, s.unsaid = true, false
	return b, nil
}

// glance is how often to look at a file that is not complete yet.
func (s *Source) glance() time.Duration {
	const shortest = 20 * time.Millisecond
	d := s.settings.settle
	if s.settings.watch > 0 {
		d = min(d, s.settings.watch)
	}
	return max(d, shortest)
}

func (s *Source) wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-s.closing:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Ack moves the files that are read to their end and durable, where the settings say so.
func (s *Source) Ack(_ context.Context, at connectors.Position) error {
	pos, err := parsePosition(at, s.settings.path)
	if err != nil {
		return err
	}
	s.done.move(pos.finished())
	return nil
}

// Close makes a blocked Read return and closes the file.
func (s *Source) Close() error {
	s.once.Do(func() { close(s.closing) })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return nil
	}
	err := s.current.close()
	s.current = nil
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
