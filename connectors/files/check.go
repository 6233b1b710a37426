package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/datong-dx/datong/connectors"
)

// Check looks at the folder and at the newest file of each set: whether they can be read, their headers and encoding,
// whether finished files can be moved, and files that wait in vain.
func (s *Source) Check(ctx context.Context) []connectors.Problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, err := s.folder.list(time.Now())
	if err != nil {
		return []connectors.Problem{asProblem(s.settings.path, err)}
	}
	found := s.checkDone(list)
	if len(list) == 0 {
		return append(found, s.checkFolder()...)
	}
	for _, c := range newestOfSets(list) {
		found = append(found, s.checkFile(&c)...)
	}
	live := ctx.Err
	for i := range list {
		found = append(found, s.checkWaiting(live, &list[i], list[i+1:])...)
	}
	return found
}

// checkFolder says what is wrong when no file matches.
func (s *Source) checkFolder() []connectors.Problem {
	dir := filepath.Dir(s.folder.pattern())
	if _, err := os.Stat(dir); err != nil && !s.folder.globbedFolder() {
		return []connectors.Problem{{
			Where: s.settings.path, Err: err,
			What: connectors.Text{Zh: "目录无法读取", En: "the folder cannot be read"},
			Try:  connectors.Text{Zh: "建立该目录或改正 path", En: "create the folder, or correct path"},
		}}
	}
	return []connectors.Problem{{
		Where: s.settings.path, Warning: true,
		What: connectors.Text{Zh: "尚无匹配的文件", En: "no file matches yet"},
	}}
}

// checkFile opens a file and looks at its beginning.
func (s *Source) checkFile(c *candidate) []connectors.Problem {
	in, err := openContent(&s.settings, c, declaredUTF8(c))
	if err != nil {
		return []connectors.Problem{asProblem(c.name, err)}
	}
	defer in.close()
	return in.notes
}

// checkWaiting reports files that are held or stand in each other's way.
func (s *Source) checkWaiting(live alive, c *candidate, later []candidate) []connectors.Problem {
	d, err := s.folder.digest(live, c)
	if err != nil {
		return []connectors.Problem{asProblem(c.name, err)}
	}
	if s.pos.knows(d.sum) || s.pos.resumesIn(d.sum) {
		return nil
	}
	if s.late(c) {
		return []connectors.Problem{{
			Where: c.name, Warning: true,
			What: connectors.Text{Zh: "文件被搁置：其顺序在已读取的 " + s.pos.Last[c.set].Name + " 之前", En: "the file is held: it sorts before " + s.pos.Last[c.set].Name + ", which was taken"},
			Try:  connectors.Text{Zh: "移走该文件，或改名（按修改时间排序时则 touch）以便最后读取", En: "move it away, or rename it (or touch it, where modification time orders files) so that it sorts last"},
		}}
	}
	if err := s.checkAlone(live, c, later); err != nil {
		return []connectors.Problem{asProblem(c.name, err)}
	}
	return nil
}

const headBytes = 64 << 10

// headOf returns the beginning of a file, without a character cut at its end.
func headOf(file io.ReaderAt) ([]byte, error) {
	head := make([]byte, headBytes)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return wholeLines(head[:n], n < headBytes), nil
}

// wholeLines cuts a text behind its last line feed, unless it is the whole text or has none.
func wholeLines(head []byte, all bool) []byte {
	for i := len(head); i > 0 && !all; i-- {
		if head[i-1] == '\n' {
			return head[:i]
		}
	}
	return head
}

// declaredUTF8 says that the beginning of a file is UTF-8. One that cannot be read is told when it is opened.
func declaredUTF8(c *candidate) bool {
	file, err := os.Open(c.path)
	if err != nil {
		return false
	}
	defer file.Close()
	head, err := headOf(file)
	return err == nil && utf8.Valid(head)
}

// newestOfSets returns the last file of each set.
func newestOfSets(list []candidate) []candidate {
	var newest []candidate
	seen := map[string]bool{}
	for i := len(list) - 1; i >= 0; i-- {
		if !seen[list[i].set] {
			seen[list[i].set] = true
			newest = append(newest, list[i])
		}
	}
	return newest
}

func asProblem(where string, err error) connectors.Problem {
	var p *connectors.Problem
	if errors.As(err, &p) {
		return *p
	}
	return connectors.Problem{Where: where, Err: err, What: connectors.Text{Zh: "无法读取", En: "cannot be read"}}
}

// sampleRows of a file without a header are read to learn its columns.
const sampleRows = 100

// Discover returns the columns of each set, from its newest file.
func (s *Source) Discover(ctx context.Context) ([]*connectors.Table, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, err := s.folder.list(time.Now())
	if err != nil {
		return nil, err
	}
	var tables []*connectors.Table
	for _, c := range newestOfSets(list) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t, err := s.discover(&c)
		if err != nil {
			return nil, fmt.Errorf("discover the columns of %s: %w", c.name, err)
		}
		if t != nil {
			tables = append(tables, t)
		}
	}
	return tables, nil
}

func (s *Source) discover(c *candidate) (*connectors.Table, error) {
	in, err := openContent(&s.settings, c, declaredUTF8(c))
	if err != nil {
		return nil, err
	}
	defer in.close()
	if csv, ok := in.reader.(*csvReader); ok {
		return csv.table, nil
	}
	if in.reader == nil {
		return nil, nil
	}
	b := connectors.NewBatch()
	defer b.Release()
	var last *connectors.Table
	for range sampleRows {
		more, err := in.reader.next(b)
		if err != nil || !more {
			return last, err
		}
		last = b.Rows[len(b.Rows)-1].Table
	}
	return last, nil
}
