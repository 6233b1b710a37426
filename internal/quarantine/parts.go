package quarantine

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
)

// Part is one record of an item: an item above [PartBytes] lies in several.
type Part struct{ Key, Value []byte }

const partMark = Separator + "#"

// Split returns the records of an item. The first lies under the item's own key and, when there are more, begins with
// their number on a line of its own; the rest lie under the key with a part number.
func Split(key, value []byte) []Part {
	if len(value) <= PartBytes {
		return []Part{{key, value}}
	}
	n := (len(value) + PartBytes - 1) / PartBytes
	parts := make([]Part, n)
	for i, k := range Keys(key, n) {
		parts[i] = Part{k, value[i*PartBytes : min((i+1)*PartBytes, len(value))]}
	}
	head := append(strconv.AppendInt(nil, int64(n), 10), '\n')
	parts[0].Value = append(head, parts[0].Value...)
	return parts
}

// Keys returns the keys of all records of an item of n parts.
func Keys(key []byte, n int) [][]byte {
	keys := make([][]byte, n)
	keys[0] = key
	for i := 1; i < n; i++ {
		keys[i] = strconv.AppendInt(append(bytes.Clone(key), partMark...), int64(i), 10)
	}
	return keys
}

// PartOf tells which part of which item a record's key names; part 0 is the item's own.
func PartOf(key string) (item string, part int) {
	at := strings.LastIndex(key, partMark)
	if at < 0 {
		return key, 0
	}
	n, err := strconv.Atoi(key[at+len(partMark):])
	if err != nil {
		return key, 0
	}
	return key[:at], n
}

var errParts = errors.New("decode quarantine item: unreadable number of parts")

// CountParts reads the number of parts from the first record's value and returns the value without it.
func CountParts(value []byte) (n int, first []byte, err error) {
	if len(value) == 0 || value[0] == '{' {
		return 1, value, nil
	}
	head, rest, ok := bytes.Cut(value, []byte{'\n'})
	if !ok || len(head) > 10 {
		return 0, nil, errParts
	}
	if n, err = strconv.Atoi(string(head)); err != nil || n < 2 {
		return 0, nil, errParts
	}
	return n, rest, nil
}
