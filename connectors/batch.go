package connectors

import "sync"

// Op is what happened to a row.
type Op uint8

// Operations. Upsert is for sources that cannot tell an insert from an update (polling); it is treated as an update.
const (
	OpSnapshot Op = iota + 1 // the row is there: read by a scan
	OpInsert
	OpUpdate
	OpUpsert
	OpDelete
)

var opNames = [...]string{OpSnapshot: "snapshot", OpInsert: "insert", OpUpdate: "update", OpUpsert: "upsert", OpDelete: "delete"}

// String returns the operation's name as it stands in events and logs.
func (op Op) String() string {
	if int(op) < len(opNames) && op > 0 {
		return opNames[op]
	}
	return "unknown"
}

// Table describes the rows of one set. One *Table is shared by all rows read in one shape; a new shape is a new *Table.
type Table struct {
	// Name of the set: the table, or what the file connector's `set:` captures from a file's name. It stands in
	// ce_source and never changes for the same data.
	Name string
	// Columns in the order of [Row.Values].
	Columns []Column
	// Key holds the indexes of the columns that identify a row in the source, empty when nothing does.
	Key []int
	// Unique says that the source itself guarantees that Key is unique (primary key, unique index).
	Unique bool
	// Open says that rows may lack columns, and that a column that is not among Columns is one that no row has had yet:
	// JSON, where a field without a value is often left out. A mapping that reads it finds null.
	Open bool
	// Comment is the source's own description, for discovery and for created tables.
	Comment Text
}

// Column describes one column.
type Column struct {
	Name      string
	Kind      Kind   // KindNull when the source does not say: files
	DBType    string // the source's own type name, upper case, empty for files
	Length    int    // characters; 0 unknown or unlimited
	Precision int    // decimal digits; 0 unknown
	Scale     int    // digits after the point
	NotNull   bool
	Comment   Text
}

// Index returns the index of the named column, or -1.
func (t *Table) Index(name string) int {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return i
		}
	}
	return -1
}

// Row is one row with what happened to it.
type Row struct {
	Table *Table
	Op    Op
	// Values in the order of Table.Columns. A delete may have only its key columns set, the others being absent.
	Values []Value
	// Old holds the row's former key, in the order of Table.Key, when an update changed it and the source tells; else nil.
	Old []Value
	// Time of the change in Unix microseconds; for a scan the time of reading, or a time the row itself carries.
	Time int64
	// Order in the life of the source.
	Order Order
	// Ordinal of the row inside its source transaction, 0 where the source has none.
	Ordinal uint32
	// Line is the 1-based line or record number in the batch's Origin, 0 where there is none.
	Line int64
	// Doubtful says that the row may have been read before with the same content, by a source that could not keep
	// count: the pipeline compares it with the topic before it publishes.
	Doubtful bool
	// Err is set when the row was read but could not be split into values (a ragged line, an unreadable character, a
	// value too large). Raw then holds what was read, cut at 64 KiB. The row goes to quarantine, the rest goes on.
	Err *Problem
	Raw []byte
}

// Scan announces one full reading of a set, so that the pipeline can compare it with what was published before.
type Scan struct {
	Set string
	// ID of this scan. A scan that is begun again after a crash at the same position has the same id.
	ID uint64
	// Complete says that the scan reads every row of the set: keys that it does not show are gone from the source. While
	// a complete scan runs, no rows of other sets are read.
	Complete bool
	// Resumable says that the source can be opened at a position inside this scan. When it is false, or the scan is
	// compared, positions inside the scan are not stored and a crash begins the scan again.
	Resumable bool
	// Rows is an estimate of how many rows the scan will show, 0 when unknown.
	Rows int64
}

// Batch carries rows in source order. Begin, the rows, then End: a batch may begin one scan and end it, or another.
type Batch struct {
	Rows []Row
	// Position after the last row.
	Position Position
	// CanCommit says that a commit may fall after this batch; false inside a source transaction that is kept whole.
	CanCommit bool
	// CaughtUp says that nothing more was waiting in the source when this batch was made, so that what is in flight is
	// committed at once. A source that waits returns an empty batch with CaughtUp once, then blocks.
	CaughtUp bool
	// Begin and End announce that a scan begins before, or ends after, the rows of this batch.
	Begin, End *Scan
	// Origin is what the rows were read from, for messages: a file's path below the exchange directory, a table.
	Origin string
	// Transaction is the source's own transaction id, for tracing, empty where there is none.
	Transaction string

	text   arena[byte]
	values arena[Value]
}

const (
	arenaBytes  = 256 << 10
	arenaValues = 8 << 10
)

// arena is memory that is handed out piece by piece and taken back all at once. A full chunk is left alone and another
// one begun, so that what was handed out never moves.
type arena[T any] struct {
	chunk  []T   // being filled
	chunks [][]T // of the usual size, reused
	used   int   // chunks in use
}

// take returns n elements. chunkSize is the usual size of a chunk; more than that gets one of its own.
func (a *arena[T]) take(n, chunkSize int) []T {
	if len(a.chunk)+n > cap(a.chunk) {
		if n > chunkSize {
			return make([]T, n) // too large to be kept for reuse
		}
		a.next(chunkSize)
	}
	at := len(a.chunk)
	a.chunk = a.chunk[:at+n]
	return a.chunk[at : at+n : at+n]
}

func (a *arena[T]) next(chunkSize int) {
	if a.used == len(a.chunks) {
		a.chunks = append(a.chunks, make([]T, 0, chunkSize))
	}
	a.chunk = a.chunks[a.used][:0]
	a.used++
}

// clear zeroes what was handed out, but for pieces that have a chunk of their own.
func (a *arena[T]) clear() {
	for _, chunk := range a.chunks[:max(a.used, 1)-1] {
		clear(chunk[:cap(chunk)])
	}
	clear(a.chunk)
}

// reset takes everything back and keeps the chunks that were used: a small batch makes a large one's memory free.
func (a *arena[T]) reset() {
	clear(a.chunks[a.used:])
	*a = arena[T]{chunks: a.chunks[:a.used]}
}

var batches = sync.Pool{New: func() any { return &Batch{CanCommit: true} }}

// NewBatch returns an empty batch, with CanCommit set, whose memory comes from batches released earlier.
func NewBatch() *Batch {
	return batches.Get().(*Batch)
}

// Release gives the batch's memory back. Neither the batch nor anything read from it may be used afterwards.
func (b *Batch) Release() {
	b.Reset()
	batches.Put(b)
}

// Reset empties the batch for its owner to fill again. Nothing read from it may be used afterwards. It keeps as much
// memory as was used this time.
func (b *Batch) Reset() {
	clear(b.Rows)
	b.values.clear() // Values relies on it
	rows, text, values := b.Rows[:0], b.text, b.values
	text.reset()
	values.reset()
	*b = Batch{Rows: rows, CanCommit: true, text: text, values: values}
}

// Add appends a row of the table, whose values are all absent until they are set, and returns it. The pointer is valid
// until the next Add.
func (b *Batch) Add(t *Table, op Op) *Row {
	b.Rows = append(b.Rows, Row{Table: t, Op: op, Values: b.Values(len(t.Columns))})
	return &b.Rows[len(b.Rows)-1]
}

// Values returns n absent values from the batch's memory.
func (b *Batch) Values(n int) []Value { return b.values.take(n, arenaValues) }

// Copy copies p into the batch's memory and returns the copy, which lives as long as the batch.
func (b *Batch) Copy(p []byte) []byte {
	dst := b.Alloc(len(p))
	copy(dst, p)
	return dst
}

// CopyString is Copy for a string.
func (b *Batch) CopyString(s string) []byte {
	dst := b.Alloc(len(s))
	copy(dst, s)
	return dst
}

// Alloc returns n bytes from the batch's memory. They may hold anything.
func (b *Batch) Alloc(n int) []byte {
	if n == 0 {
		return []byte{}
	}
	return b.text.take(n, arenaBytes)
}
