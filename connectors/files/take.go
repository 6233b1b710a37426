package files

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
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

// checkPresent refuses to begin on a single file that is not there; one that was taken may have been moved away since.
func (s *Source) checkPresent() error {
	if s.folder.glob() || s.pos.Taken > 0 || s.settings.watch > 0 {
		return nil
	}
	return fmt.Errorf("read %s: %w", s.settings.path, fs.ErrNotExist)
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
	case s.pos.knows(d.sum):
		s.done.heal(c, d.sum)
		return true
	case s.late(c):
		s.warnOnce(c.name, "a file is held: it sorts before one already taken", slog.String("file", c.name), slog.String("after", s.pos.Last[c.set].Name))
		return true
	}
	return false
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
		s.warnOnce(in.notes[i].Error(), in.notes[i].Error())
	}
}

// resume goes on with the delivery that the position stands in.
func (s *Source) resume(live alive, list []candidate) (waiting bool, err error) {
	p := s.pos.File
	c, d, err := s.find(live, p, list)
	if err != nil {
		return false, err
	}
	if c == nil {
		return s.missing(live, p, list)
	}
	p.Name = c.name
	return false, s.reopen(live, p, c, d)
}

func (s *Source) reopen(live alive, p *place, c *candidate, d digested) error {
	in, err := openContent(&s.settings, c, d.utf8)
	if err != nil {
		return err
	}
	if err := in.resume(live, p); err != nil {
		in.close()
		return err
	}
	s.enter(in, c)
	return nil
}

// find returns the file with the delivery's content: under its name, under another, or in the done folder.
func (s *Source) find(live alive, p *place, list []candidate) (*candidate, digested, error) {
	places := append([]candidate{}, list...)
	for i := range list {
		if list[i].name == p.Name {
			places[0], places[i] = places[i], places[0] // most likely there
		}
	}
	if c, ok := s.inDone(p); ok {
		places = append(places, c)
	}
	for i := range places {
		if places[i].size != p.Size {
			continue
		}
		d, err := s.folder.digest(live, &places[i])
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, d, err
		}
		if bytes.Equal(d.sum, p.SHA256) {
			places[i].set, places[i].order = p.Set, p.Order
			return &places[i], d, nil
		}
	}
	return nil, digested{}, nil
}

func (s *Source) inDone(p *place) (candidate, bool) {
	if s.settings.done == "" {
		return candidate{}, false
	}
	path := s.done.target(s.folder.path(p.Name))
	info, err := os.Stat(path)
	if err != nil {
		return candidate{}, false
	}
	return candidate{path: path, name: p.Name, size: info.Size(), mtime: info.ModTime()}, true
}

// missing decides what to do when the delivery that was being read is no longer there with that content.
func (s *Source) missing(live alive, p *place, list []candidate) (waiting bool, err error) {
	if s.settings.full {
		// Superseded: what is there now is the whole set.
		s.log.Warn("a full file was replaced before it was read to its end", slog.String("file", p.Name))
		s.pos.File = nil
		return false, nil
	}
	for i := range list {
		if c := &list[i]; c.name == p.Name && c.size > p.Size && p.Offset < p.Size {
			if !c.complete {
				return true, nil
			}
			d, err := digestFile(live, c, p.Size)
			if err != nil {
				return false, err
			}
			if bytes.Equal(d.prefix, p.SHA256) && d.size == c.size { // only longer: it had not been complete
				p.Size, p.SHA256 = c.size, d.sum
				return false, s.reopen(live, p, c, d)
			}
		}
	}
	path := s.folder.path(p.Name)
	if _, err := os.Stat(path + lostSuffix); err == nil {
		s.log.Warn("the rest of a file is given up", slog.String("file", p.Name), slog.Int64("row", p.Row))
		s.pos.finish()
		s.unsaid = true
		return false, nil
	}
	return false, &connectors.Problem{
		Where: p.Name, Err: connectors.ErrPosition,
		What: connectors.Text{
			Zh: fmt.Sprintf("文件读到第 %d 行后被替换或移走", p.Row), En: fmt.Sprintf("the file was replaced or removed after row %d had been read", p.Row)},
		Try: connectors.Text{
			Zh: "放回原内容的文件，或在旁边建立空文件 " + filepath.Base(p.Name) + lostSuffix + " 以放弃其余的行",
			En: "put the file back with its former content, or make an empty file " + filepath.Base(p.Name) + lostSuffix + " beside it to give the remaining rows up"},
	}
}

// warnOnce logs a warning the first time only: folders are looked at again and again.
func (s *Source) warnOnce(key, message string, attrs ...any) {
	if !s.warned[key] {
		s.warned[key] = true
		s.log.Warn(message, attrs...)
	}
}
