package files

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/datong-dx/datong/connectors"
)

// csvReader splits CSV (RFC 4180, any delimiter) into rows.
//
// encoding/csv is not used, for three reasons: it gives up a file at the first bare quote, where only that row is to be
// refused; it decodes nothing, so that a reader below it would have to decode the whole file as a stream, which loses the
// offset at which a row begins; and it allocates for each record. FuzzCSV checks that both split good files alike.
type csvReader struct {
	lines *lines
	text  text
	table *connectors.Table
	delim byte

	scratch []byte // the record being put together, decoded
}

// rawMax is how much of a refused row is kept, as [connectors.Row] says.
const rawMax = 64 << 10

// mark tells where in a file the next row begins.
type mark struct{ offset, line int64 }

func (c *csvReader) mark() mark { return mark{c.lines.at, c.lines.line} }

// next adds the next row; more is false at the end of the file.
func (c *csvReader) next(b *connectors.Batch) (more bool, err error) {
	for {
		line, err := c.lines.peek(0)
		if errors.Is(err, errRowTooLong) {
			return true, c.refuseLong(b)
		}
		if err != nil || len(line) == 0 {
			return false, err
		}
		if body := withoutBreak(line); len(bytes.TrimSpace(body)) > 0 {
			return true, c.record(b, line, body)
		}
		c.lines.advance(len(line), 1)
	}
}

// record adds the row that begins with the line.
func (c *csvReader) record(b *connectors.Batch, line, body []byte) error {
	var ok bool
	c.scratch, ok = c.text.decode(c.scratch[:0], body)
	if bytes.IndexByte(c.scratch, '"') < 0 {
		if !ok {
			c.refuse(b, body, undecodable(c.text.name))
		} else {
			c.plain(b, b.Copy(c.scratch), body)
		}
		c.lines.advance(len(line), 1)
		return nil
	}
	size, feeds, ok, err := c.assemble(len(line), ok)
	switch {
	case errors.Is(err, errQuote):
		// Only the first line is refused and splitting goes on behind it: a stray quote must not swallow what follows.
		line, err := c.lines.peek(0)
		if err != nil {
			return err
		}
		c.refuse(b, withoutBreak(line), quoteProblem())
		c.lines.advance(len(line), 1)
		return nil
	case err != nil:
		return err
	case !ok:
		c.refuse(b, c.lines.head(size), undecodable(c.text.name))
	default:
		c.quoted(b, b.Copy(c.scratch), c.lines.head(size))
	}
	c.lines.advance(size, feeds)
	return nil
}

// errQuote is a quote where none may stand, or one that is never closed.
var errQuote = errors.New("misplaced quote")

// assemble adds lines to the scratch until its quotes are closed. size and feeds are the record's bytes and lines.
func (c *csvReader) assemble(size int, ok bool) (int, int, bool, error) {
	at, open, err := walk(c.scratch, 0, false, c.delim)
	feeds := 1
	for err == nil && open {
		line, peekErr := c.lines.peek(size)
		if errors.Is(peekErr, errRowTooLong) || peekErr == nil && len(line) == 0 {
			return 0, 0, false, errQuote
		}
		if peekErr != nil {
			return 0, 0, false, peekErr
		}
		var good bool
		c.scratch, good = c.text.decode(append(c.scratch, '\n'), withoutBreak(line))
		ok = ok && good
		size, feeds = size+len(line), feeds+1
		at, open, err = walk(c.scratch, at, true, c.delim)
	}
	return size, feeds, ok, err
}

// walk checks the quotes of a record from text[i] on, where inside says that i is within a quoted field and otherwise that
// a field begins there. It returns how far it came, and whether a quoted field is still open at the end.
func walk(text []byte, i int, inside bool, delim byte) (at int, open bool, err error) {
	for {
		if !inside {
			if i < len(text) && text[i] == '"' {
				i, inside = i+1, true
				continue
			}
			field := text[i:]
			j := bytes.IndexByte(field, delim)
			if j >= 0 {
				field = field[:j]
			}
			if bytes.IndexByte(field, '"') >= 0 {
				return i, false, errQuote
			}
			if j < 0 {
				return len(text), false, nil
			}
			i += j + 1
			continue
		}
		j := bytes.IndexByte(text[i:], '"')
		if j < 0 {
			return len(text), true, nil
		}
		i += j + 1
		switch {
		case i == len(text):
			return i, false, nil
		case text[i] == '"':
			i++
		case text[i] == delim:
			i, inside = i+1, false
		default:
			return i, false, errQuote
		}
	}
}

// plain adds a row of a record without quotes.
func (c *csvReader) plain(b *connectors.Batch, text, raw []byte) {
	row := c.add(b)
	want := len(row.Values)
	n := 0
	for {
		j := bytes.IndexByte(text, c.delim)
		field := text
		if j >= 0 {
			field = text[:j:j]
		}
		if n < want {
			row.Values[n] = connectors.String(field)
		}
		n++
		if j < 0 {
			break
		}
		text = text[j+1:]
	}
	c.checkCount(b, row, n, raw)
}

// quoted adds a row of a record with quotes that walk has found good. Doubled quotes are closed up in place.
func (c *csvReader) quoted(b *connectors.Batch, text, raw []byte) {
	row := c.add(b)
	n := 0
	for {
		var field []byte
		var more bool
		field, text, more = cutField(text, c.delim)
		if n < len(row.Values) {
			row.Values[n] = connectors.String(field)
		}
		n++
		if !more {
			break
		}
	}
	c.checkCount(b, row, n, raw)
}

// cutField cuts the first field off a well-formed record.
func cutField(text []byte, delim byte) (field, rest []byte, more bool) {
	if len(text) == 0 || text[0] != '"' {
		return bytes.Cut(text, []byte{delim})
	}
	w := 0
	for r := 1; r < len(text); r++ {
		if text[r] == '"' {
			if r+1 == len(text) {
				return text[:w:w], nil, false
			}
			if text[r+1] == delim {
				return text[:w:w], text[r+2:], true
			}
			r++ // a doubled quote
		}
		text[w] = text[r]
		w++
	}
	return text[:w:w], nil, false
}

func (c *csvReader) add(b *connectors.Batch) *connectors.Row {
	row := b.Add(c.table, connectors.OpUpsert)
	row.Line = c.lines.line + 1
	return row
}

// checkCount refuses a row that has not as many fields as the table has columns.
func (c *csvReader) checkCount(b *connectors.Batch, row *connectors.Row, n int, raw []byte) {
	if want := len(row.Values); n != want {
		clear(row.Values)
		row.Err = rowProblem(
			fmt.Sprintf("该行有 %d 个字段，应为 %d 个", n, want), fmt.Sprintf("the row has %s, not %d", counted(n, "field"), want),
			connectors.Text{Zh: "检查分隔符、引号和换行", En: "look for a delimiter, quote or line break inside a value"})
		row.Raw = b.Copy(raw[:min(len(raw), rawMax)])
	}
}

// counted writes a number of things in English.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// refuse adds a row that could not be split.
func (c *csvReader) refuse(b *connectors.Batch, raw []byte, why *connectors.Problem) {
	row := c.add(b)
	row.Err = why
	row.Raw = b.Copy(raw[:min(len(raw), rawMax)])
}

// refuseLong adds the row of a line that is too long, and skips it.
func (c *csvReader) refuseLong(b *connectors.Batch) error {
	c.refuse(b, c.lines.head(rawMax), tooLong(c.lines.max))
	return c.lines.skipLine()
}

func rowProblem(zh, en string, try connectors.Text) *connectors.Problem {
	return &connectors.Problem{What: connectors.Text{Zh: zh, En: en}, Try: try}
}

func undecodable(encoding string) *connectors.Problem {
	return rowProblem("有字符无法按 "+encoding+" 解码", "a character cannot be decoded as "+encoding,
		connectors.Text{Zh: "检查 encoding，或请来源部门改正该行", En: "check encoding, or have the department correct the row"})
}

func quoteProblem() *connectors.Problem {
	return rowProblem("引号位置不对或未闭合", "a quote is misplaced or never closed",
		connectors.Text{Zh: "值中的引号须写成两个，并将整个值放在引号内", En: "a quote inside a value is written twice, and the value put in quotes"})
}

func tooLong(limit int) *connectors.Problem {
	return rowProblem(fmt.Sprintf("该行超过 %d 字节", limit), fmt.Sprintf("the row is longer than %d bytes", limit),
		connectors.Text{Zh: "检查引号和换行，或提高 max_row_bytes", En: "look for a missing line break, or raise max_row_bytes"})
}

// header splits the record that begins with the line, without consuming it. size and feeds are its bytes and lines.
func (c *csvReader) header(line []byte) (names []string, size, feeds int, err error) {
	var ok bool
	c.scratch, ok = c.text.decode(c.scratch[:0], withoutBreak(line))
	size, feeds, ok, err = c.assemble(len(line), ok)
	switch {
	case errors.Is(err, errQuote):
		return nil, 0, 0, quoteProblem()
	case err != nil:
		return nil, 0, 0, err
	case !ok:
		return nil, 0, 0, undecodable(c.text.name)
	}
	rest := c.scratch
	for more := true; more; {
		var field []byte
		field, rest, more = cutField(rest, c.delim)
		names = append(names, strings.Join(strings.Fields(string(field)), " "))
	}
	return names, size, feeds, nil
}
