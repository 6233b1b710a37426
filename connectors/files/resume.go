package files

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/datong-dx/datong/connectors"
)

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
