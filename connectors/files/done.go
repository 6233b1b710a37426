package files

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// finished moves deliveries into the done folder once they are durable. A crash between the commit and the move leaves a
// file that the position knows: it is moved when it is seen again, without being read.
type finished struct {
	folder string // empty: files stay
	log    *slog.Logger

	mu      sync.Mutex
	pending []delivered // read to their end, not yet acknowledged
	failed  map[string]bool
}

// delivered is a delivery that was read to its end.
type delivered struct {
	candidate
	digest  []byte
	ordinal uint64
}

func (f *finished) add(d delivered) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.folder != "" {
		f.pending = append(f.pending, d)
	}
}

// move moves the pending deliveries up to an ordinal.
func (f *finished) move(upTo uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending = slices.DeleteFunc(f.pending, func(d delivered) bool {
		if d.ordinal > upTo {
			return false
		}
		f.tryMove(&d.candidate, d.digest)
		return true
	})
}

// heal moves a delivery that is known to be durable, unless it waits for its acknowledgement.
func (f *finished) heal(c *candidate, digest []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	waits := slices.ContainsFunc(f.pending, func(d delivered) bool { return string(d.digest) == string(digest) })
	if f.folder != "" && !waits {
		f.tryMove(c, digest)
	}
}

// tryMove only logs what goes wrong: the rows are durable, and the file is known and never read again wherever it lies.
func (f *finished) tryMove(c *candidate, digest []byte) {
	err := f.moveFile(c, digest)
	if err == nil || f.failed[c.path] {
		return
	}
	if f.failed == nil {
		f.failed = map[string]bool{}
	}
	f.failed[c.path] = true
	f.log.Warn("a finished file stays where it is", slog.String("file", c.name), slog.Any("error", err))
}

func (f *finished) moveFile(c *candidate, digest []byte) error {
	if !c.unchanged() {
		return nil // replaced by a new delivery, or moved by someone else
	}
	to := f.target(c.path)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if _, err := os.Lstat(to); err == nil { // a former delivery of this name
		to += "." + hex.EncodeToString(digest[:4])
	}
	if err := os.Rename(c.path, to); err != nil {
		return fmt.Errorf("move to %s: %w", f.folder, err)
	}
	if err := os.Rename(c.path+markerSuffix, to+markerSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("move the marker to %s: %w", f.folder, err)
	}
	return nil
}

// target returns where a file is moved to.
func (f *finished) target(path string) string {
	if filepath.IsAbs(f.folder) {
		return filepath.Join(f.folder, filepath.Base(path))
	}
	return filepath.Join(filepath.Dir(path), f.folder, filepath.Base(path))
}
