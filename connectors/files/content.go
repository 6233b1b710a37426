package files

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"

	"github.com/datong-dx/datong/connectors"
)

// reader splits one file into rows.
type reader interface {
	// next adds the next row to the batch; more is false at the end of the file, and then nothing was added.
	next(b *connectors.Batch) (more bool, err error)
	// mark tells where in the file the next row begins.
	mark() mark
}

// content is one open file with its reader.
type content struct {
	file   *os.File
	reader reader // nil for a file without a header
	notes  []connectors.Problem
}

func (in *content) close() error { return in.file.Close() }

// openContent opens a file at its first row.
func openContent(s *settings, c *candidate, allUTF8 bool) (*content, error) {
	file, err := os.Open(c.path)
	if err != nil {
		return nil, cannotOpen(c.name, err)
	}
	in := &content{file: file}
	if err := in.begin(s, c, allUTF8); err != nil {
		file.Close()
		return nil, err
	}
	return in, nil
}

func (in *content) begin(s *settings, c *candidate, allUTF8 bool) error {
	head, err := headOf(in.file)
	if err != nil {
		return fmt.Errorf("read %s: %w", c.name, err)
	}
	if p := sniff(s, c.name, head); p != nil {
		return p
	}
	text := textOf(s.encoding, head, allUTF8)
	format := s.formatOf(c.name)
	stream, err := text.at(in.file, text.start())
	if err != nil {
		return fmt.Errorf("read %s: %w", c.name, err)
	}
	switch format {
	case "json":
		if text.name == "gb18030" {
			stream = transform.NewReader(stream, simplifiedchinese.GB18030.NewDecoder())
		}
		in.reader = &jsonDocument{
			bytes: newByteReader(stream, s.maxRow), path: s.recordPath, strict: s.full,
			records: jsonRecords{shape: newShape(s, c.set, c.name)},
		}
	case "jsonl":
		l := newLines(stream, s.maxRow)
		l.at = text.start()
		in.reader = &jsonLines{lines: l, text: text, records: jsonRecords{shape: newShape(s, c.set, c.name)}}
	default:
		l := newLines(stream, s.maxRow)
		l.at = text.start()
		r := &csvReader{lines: l, text: text}
		if in.notes, err = r.readHeader(s, c.set, c.name, format); err != nil {
			return err
		}
		if r.table != nil {
			in.reader = r
		} else {
			in.notes = append(in.notes, connectors.Problem{Where: c.name, Warning: true,
				What: connectors.Text{Zh: "文件没有内容", En: "the file holds nothing"}})
		}
	}
	return nil
}

// resume goes on at a place met before: by its offset, or where the way there matters (JSON documents, whose records
// take fields from what contains them) by reading the rows before it once more.
func (in *content) resume(live alive, p *place) error {
	if p.Row == 0 || in.reader == nil {
		return nil
	}
	var l *lines
	switch r := in.reader.(type) {
	case *csvReader:
		l = r.lines
		return in.seek(l, r.text, p)
	case *jsonLines:
		l = r.lines
		return in.seek(l, r.text, p)
	}
	return in.skipRows(live, p.Row)
}

func (in *content) seek(l *lines, t text, p *place) error {
	stream, err := t.at(in.file, p.Offset)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the position lies past the end of %s: %w", p.Name, connectors.ErrPosition)
	}
	if err != nil {
		return fmt.Errorf("read %s from byte %d: %w", p.Name, p.Offset, err)
	}
	*l = lines{src: stream, buf: l.buf, at: p.Offset, line: p.Line, max: l.max}
	return nil
}

func (in *content) skipRows(live alive, rows int64) error {
	for rows > 0 {
		if err := live(); err != nil {
			return err
		}
		b := connectors.NewBatch()
		for range min(rows, batchRows) {
			if more, err := in.reader.next(b); err != nil || !more {
				b.Release()
				return err
			}
			rows--
		}
		b.Release()
	}
	return nil
}
