package files

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/datong-dx/datong/connectors"
)

// jsonDocument finds the records of a JSON document by a path, as a stream: no more of the file is in memory than a buffer
// and one record. Arrays on the way are walked; `*` is each entry of an object. The plain fields of the objects that contain
// a record, as far as they stand before it, become its fields parent.NAME, parent.parent.NAME, … and an entry's key `key`.
type jsonDocument struct {
	bytes   *byteReader
	path    []string
	records jsonRecords
	strict  bool // a file that breaks off is an error: mode full must not take missing rows for deleted ones

	stack   []frame
	found   bool // the path led somewhere
	ended   bool
	record  []byte
	lost    int      // the deepest step of the path that was looked for
	keys    []string // of objects in which that step was missing
	outside []outer
}

// frame is an array or object that has been entered and not left.
type frame struct {
	array  bool
	step   int // of the path: which one an object's members are compared with
	some   bool
	fields []outer // plain fields seen so far, by their own names
}

// outer is a field of what contains a record.
type outer struct {
	name string
	raw  []byte
}

const (
	depthMax = 64
	outerMax = 4 << 10 // a longer field of a containing object is left out
)

func (j *jsonDocument) mark() mark { return mark{j.bytes.at(), j.bytes.line} }

// errSyntax is JSON that cannot be followed any further.
var errSyntax = errors.New("not JSON from here on")

// next adds the next record; more is false at the end of the file.
func (j *jsonDocument) next(b *connectors.Batch) (more bool, err error) {
	if j.ended {
		return false, nil
	}
	more, err = j.step(b)
	switch {
	case errors.Is(err, errSyntax), errors.Is(err, io.ErrUnexpectedEOF):
		j.ended = true
		return j.breakOff(b, err)
	case err == nil && !more:
		j.ended = true
		return false, j.checkFound()
	}
	return more, err
}

// breakOff tells that the rest of the file cannot be read: as a refused row, or as an error where a file must be whole.
func (j *jsonDocument) breakOff(b *connectors.Batch, err error) (bool, error) {
	why := rowProblem(fmt.Sprintf("第 %d 行起不是有效的 JSON，其余未读", j.bytes.line+1), fmt.Sprintf("from line %d on this is not valid JSON; the rest was not read", j.bytes.line+1),
		connectors.Text{Zh: "文件可能不完整：请重新投递", En: "the file may be cut off: deliver it again"})
	why.Where = j.records.where
	if j.strict {
		why.Err = connectors.ErrStop
		return false, why
	}
	raw := j.record
	if len(raw) == 0 {
		raw = j.bytes.rest()
	}
	if len(raw) == 0 {
		raw = []byte("…")
	}
	refuse(b, j.records.table, j.bytes.line+1, raw, why)
	return true, nil
}

// checkFound refuses a file in which the path leads nowhere: it has another structure than was expected.
func (j *jsonDocument) checkFound() error {
	if j.found || len(j.path) == 0 {
		return nil
	}
	slices.Sort(j.keys)
	keys := strings.Join(j.keys, ", ")
	try := connectors.Text{Zh: "顶层的键有：" + keys, En: "the first level has the keys " + keys}
	switch found := strings.Join(j.path[:j.lost], "."); {
	case len(j.keys) == 0:
		try = connectors.Text{Zh: "文件中没有对象", En: "the file holds no object"}
	case found != "":
		try = connectors.Text{Zh: found + " 下的键有：" + keys, En: found + " has the keys " + keys}
	}
	return stop(j.records.where, "record_path "+strings.Join(j.path, ".")+" 在文件中不存在", "record_path "+strings.Join(j.path, ".")+" is not in the file", try)
}

// step walks on to the next record.
func (j *jsonDocument) step(b *connectors.Batch) (bool, error) {
	for {
		c, err := j.bytes.peekToken()
		if errors.Is(err, io.EOF) && len(j.stack) == 0 {
			return false, nil
		}
		if err != nil {
			return false, unexpected(err)
		}
		if len(j.stack) == 0 {
			if c == 'n' { // null: some programs write it for no records
				if err := j.passNull(); err != nil {
					return false, err
				}
				continue
			}
			if c != '[' && c != '{' {
				return false, errSyntax
			}
			if emitted, err := j.value(b, 0, ""); emitted || err != nil {
				return emitted, err
			}
			continue
		}
		top := &j.stack[len(j.stack)-1]
		if c == closing(top.array) {
			j.bytes.skip()
			j.stack = j.stack[:len(j.stack)-1]
			continue
		}
		if err := j.separator(top, c); err != nil {
			return false, err
		}
		emitted, err := j.inside(b, len(j.stack)-1)
		if emitted || err != nil {
			return emitted, unexpected(err)
		}
	}
}

// passNull passes over a null that stands alone.
func (j *jsonDocument) passNull() error {
	word, _, err := j.bytes.value(nil, len("null"))
	if err == nil && string(word) != "null" {
		return errSyntax
	}
	j.found = true
	return err
}

func closing(array bool) byte {
	if array {
		return ']'
	}
	return '}'
}

// separator consumes the comma between two elements.
func (j *jsonDocument) separator(top *frame, c byte) error {
	if !top.some {
		top.some = true
		return nil
	}
	if c != ',' {
		return errSyntax
	}
	j.bytes.skip()
	return nil
}

// inside takes the next element of an array or the next member of an object.
func (j *jsonDocument) inside(b *connectors.Batch, at int) (bool, error) {
	f := &j.stack[at]
	if f.array {
		return j.value(b, f.step, "")
	}
	key, err := j.bytes.key()
	if err != nil {
		return false, err
	}
	switch want := j.path[f.step]; {
	case want == "*":
		return j.value(b, f.step+1, key)
	case want == key:
		return j.value(b, f.step+1, "")
	}
	return false, j.skipField(f, key)
}

// skipField passes over a member that is not on the path, and keeps it when it is short and plain.
func (j *jsonDocument) skipField(f *frame, key string) error {
	if f.step > j.lost {
		j.lost, j.keys = f.step, nil
	}
	if f.step == j.lost && len(j.keys) < 10 && !slices.Contains(j.keys, key) {
		j.keys = append(j.keys, key)
	}
	c, err := j.bytes.peekToken()
	if err != nil {
		return err
	}
	var whole bool
	j.record, whole, err = j.bytes.value(j.record[:0], outerMax)
	if err == nil && whole && c != '{' && c != '[' && len(f.fields) < fieldsMax {
		f.fields = append(f.fields, outer{key, slices.Clone(j.record)})
	}
	j.record = j.record[:0]
	return err
}

// value takes one value: enters it, emits it as a record, or passes over it. step is how much of the path led here.
func (j *jsonDocument) value(b *connectors.Batch, step int, key string) (emitted bool, err error) {
	c, err := j.bytes.peekToken()
	if err != nil {
		return false, err
	}
	done := step == len(j.path)
	j.found = j.found || done
	switch {
	case c == '[' || c == '{' && !done:
		return false, j.enter(c == '[', step, key)
	case done:
		return true, j.emit(b, key)
	}
	_, _, err = j.bytes.value(nil, 0) // a plain value or null where the path goes on: nothing below it
	return false, err
}

func (j *jsonDocument) enter(array bool, step int, key string) error {
	if len(j.stack) == depthMax {
		return errSyntax
	}
	j.bytes.skip()
	f := frame{array: array, step: step}
	if key != "" {
		f.fields = []outer{{"key", quote(key)}}
	}
	j.stack = append(j.stack, f)
	return nil
}

// emit makes a row of the value that comes next.
func (j *jsonDocument) emit(b *connectors.Batch, key string) error {
	line := j.bytes.line + 1
	var whole bool
	var err error
	j.record, whole, err = j.bytes.value(j.record[:0], j.bytes.max)
	if err != nil {
		return err
	}
	if !whole {
		refuse(b, j.records.table, line, j.record, tooLong(j.bytes.max))
	} else {
		j.records.add(b, j.record, j.around(key)).Line = line
	}
	j.record = j.record[:0]
	return nil
}

// around lists the fields of the containing objects, the innermost as parent., and the record's own key.
func (j *jsonDocument) around(key string) []outer {
	j.outside = j.outside[:0]
	if key != "" {
		j.outside = append(j.outside, outer{"key", quote(key)})
	}
	prefix := ""
	for i := len(j.stack) - 1; i >= 0; i-- {
		f := &j.stack[i]
		if !f.array {
			prefix += "parent."
		}
		for _, o := range f.fields {
			j.outside = append(j.outside, outer{prefix + o.name, o.raw}) // an array has only the key of its entry
		}
	}
	return j.outside
}
