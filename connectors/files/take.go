package files

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// alive says whether work may go on: not once the source is closed or its context done.
type alive func() error

// takeNext opens the next delivery, if there is one that is complete. waiting says that a file may soon be.
func (s *Source) takeNext(live alive) (waiting bool, err error) {
	list, err := s.folder.list(time.Now())
	if err != nil {
		return false, err
	}
	if s.pos.File != nil {
		return s.resume(live, list)
	}
	if len(list) == 0 {
		return false, s.checkPresent()
	}
	blocked := map[string]bool{} // sets that wait for a file to become complete: the order counts
	for i := range list {
		c := &list[i]
		if blocked[c.set] {
			continue
		}
		d, ready, err := s.ready(live, c)
		if err != nil {
			return false, err
		}
		if !ready {
			blocked[c.set] = true
			waiting = waiting || !s.settings.marker
			continue
		}
		if s.settled(c, d) {
			continue
		}
		if err := s.checkAlone(live, c, list[i+1:]); err != nil {
			return false, err
		}
		return false, s.take(c, d)
	}
	return waiting, nil
}

// checkPresent tells that there is nothing to read where something must be: a file that is named, or the folder of a
// glob. A file that was taken may have been moved away since, and a watched folder may be empty.
func (s *Source) checkPresent() error {
	if s.pos.Taken > 0 || s.settings.watch > 0 {
		return nil
	}
	if !s.folder.glob() {
		return cannotOpen(s.settings.path, fs.ErrNotExist)
	}
	for _, p := range s.checkFolder() {
		if !p.Warning {
			return &p
		}
		if s.first("nothing matches") {
			s.log.Warn("no file matches", slog.String("path", s.settings.path))
		}
	}
	return nil
}

// cannotOpen is a file that cannot be opened now. It may be there the next time: a file server comes back.
func cannotOpen(where string, err error) error {
	cause := err
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		cause = p.Err // the path is told already
	}
	return &connectors.Problem{Where: where, Err: cause,
		What: connectors.Text{Zh: "无法打开", En: "cannot be opened"},
		Try:  connectors.Text{Zh: "检查 path、文件是否就位和读权限", En: "see whether path is right, the file there, and who may read it"}}
}

// ready says whether a file can be taken, and its digest then. A file that vanishes or changes meanwhile is not ready.
func (s *Source) ready(live alive, c *candidate) (d digested, ok bool, err error) {
	if !c.complete {
		return d, false, nil
	}
	d, err = s.folder.digest(live, c)
	if errors.Is(err, fs.ErrNotExist) {
		return d, false, nil
	}
	return d, err == nil && d.size == c.size && c.unchanged(), err
}

// unchanged says that the file still looks as it did when it was listed.
func (c *candidate) unchanged() bool {
	info, err := os.Stat(c.path)
	return err == nil && info.Size() == c.size && info.ModTime().Equal(c.mtime)
}

// settled says that there is nothing to do for a file: it was read before, or it came too late.
func (s *Source) settled(c *candidate, d digested) bool {
	switch {
	case s.pos.knows(d.sum) && !s.returned(c, d.sum):
		s.done.heal(c, d.sum)
		return true
	case s.late(c):
		if s.first("held " + c.name) {
			s.log.Warn("a file is held: it sorts before one already taken", slog.String("file", c.name), slog.String("after", s.pos.Last[c.set].Name))
		}
		return true
	}
	return false
}

// returned says that content which is known is news all the same: it follows other content of its set, so the set is
// again what it had been before. Without `order:` only the very file that was taken last can tell this; another one may
// be a copy whose modification time is the copying's.
func (s *Source) returned(c *candidate, sum []byte) bool {
	newest, ok := s.pos.Last[c.set]
	return ok && compareOrder(c.order, newest.Order) > 0 && !bytes.Equal(sum[:recentBytes], newest.Sum) &&
		(s.settings.order != nil || c.name == newest.Name)
}

// late says that a file sorts before, or for full files beside, one of its set that was already taken.
func (s *Source) late(c *candidate) bool {
	newest, ok := s.pos.Last[c.set]
	if !ok {
		return false
	}
	switch n := compareOrder(c.order, newest.Order); {
	case n < 0:
		return true
	case n == 0 && s.settings.full && s.settings.order != nil:
		return c.name != newest.Name
	}
	return false
}

// checkAlone refuses to take a full file while another waits that may be part of the same delivery: each would delete
// the other's rows.
func (s *Source) checkAlone(live alive, c *candidate, later []candidate) error {
	if !s.settings.full {
		return nil
	}
	for i := range later {
		other := &later[i]
		if other.set != c.set || !s.together(c, other) {
			continue
		}
		d, err := s.folder.digest(live, other)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && !s.pos.knows(d.sum) {
			return severalFiles(c.name, other.name)
		}
	}
	return nil
}

// together says that nothing tells two files of one set apart as two deliveries.
func (s *Source) together(a, b *candidate) bool {
	if s.settings.order != nil {
		return compareOrder(a.order, b.order) == 0
	}
	return s.settings.set == nil
}

func severalFiles(a, b string) error {
	return stop(a, "mode: full 时一次投递须为一个文件，但 "+b+" 也在等待", "with mode: full a delivery is one file, but "+b+" waits as well", connectors.Text{
		Zh: "用 set 区分不同的数据集，用 order 区分先后的投递，或移走其中之一",
		En: "tell sets apart with set, or deliveries with order, or move one of the files away",
	})
}

// take opens a delivery at its first row.
func (s *Source) take(c *candidate, d digested) error {
	if _, ok := s.pos.Last[c.set]; !ok && len(s.pos.Last) == setsMax {
		return stop(c.name, fmt.Sprintf("set 已取得 %d 个不同的名称", setsMax), fmt.Sprintf("set has captured %d different names", setsMax),
			connectors.Text{Zh: "set 只应取数据集的名称，不含日期", En: "let set capture the name of the set only, without the date"})
	}
	in, err := openContent(&s.settings, c, d.utf8)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // gone since it was listed
	}
	if err != nil {
		return err
	}
	s.enter(in, c)
	s.pos.begin(&place{Name: c.name, Set: c.set, Order: c.order, Size: c.size, SHA256: d.sum, Micros: c.mtime.UnixMicro()})
	s.log.Info("taking a file", slog.String("file", c.name), slog.Int64("bytes", c.size))
	return nil
}

func (s *Source) enter(in *content, c *candidate) {
	s.current, s.at = in, *c
	for i := range in.notes {
		if note := in.notes[i].Error(); s.first(note) {
			s.log.Warn("a file is doubtful", slog.String("problem", note))
		}
	}
}

// first says that nothing was logged about a matter before: folders are looked at again and again.
func (s *Source) first(matter string) bool {
	if s.warned[matter] {
		return false
	}
	s.warned[matter] = true
	return true
}
