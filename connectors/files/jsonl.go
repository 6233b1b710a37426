package files

import (
	"bytes"
	"errors"

	"github.com/datong-dx/datong/connectors"
)

// jsonLines reads JSON Lines: one record on each line.
type jsonLines struct {
	lines   *lines
	text    text
	records jsonRecords
	scratch []byte
}

func (j *jsonLines) mark() mark { return mark{j.lines.at, j.lines.line} }

func (j *jsonLines) next(b *connectors.Batch) (more bool, err error) {
	for {
		line, err := j.lines.peek(0)
		if errors.Is(err, errRowTooLong) {
			refuse(b, j.records.table, j.lines.line+1, j.lines.head(rawMax), tooLong(j.lines.max))
			return true, j.lines.skipLine()
		}
		if err != nil || len(line) == 0 {
			return false, err
		}
		body := bytes.TrimSpace(line)
		if len(body) > 0 {
			j.record(b, body)
		}
		j.lines.advance(len(line), 1)
		if len(body) > 0 {
			return true, nil
		}
	}
}

func (j *jsonLines) record(b *connectors.Batch, body []byte) {
	var ok bool
	j.scratch, ok = j.text.decode(j.scratch[:0], body)
	if !ok {
		refuse(b, j.records.table, j.lines.line+1, body, undecodable(j.text.name))
		return
	}
	j.records.add(b, j.scratch, nil).Line = j.lines.line + 1
}

// refuse adds a row that could not be split.
func refuse(b *connectors.Batch, t *connectors.Table, line int64, raw []byte, why *connectors.Problem) {
	row := b.Add(t, connectors.OpUpsert)
	row.Line = line
	row.Err = why
	row.Raw = b.Copy(raw[:min(len(raw), rawMax)])
}
