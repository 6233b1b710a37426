// Package connectors is where data enters and leaves Datong: the contract between an outside system and the exchange.
//
// A connector adapts one kind of outside system (a drop folder of files, a SQL table, …). It opens a [Source], which
// reads a department's system, or a [Sink], which fills the platform's. Connectors are thin: they never retry, batch
// against a clock, throttle, log rates or count. They return raw errors; retry with backoff, the circuit breaker, rate
// limits, metrics and quarantine exist once, in internal/pipeline and internal/delivery.
//
// Read on in memory/memory.go, the reference connector, and check a new one with connectortest.Run.
package connectors

import (
	"context"
	"errors"
)

// Errors a connector wraps to tell the pipeline what an error means. Every other error is taken to be transient: the
// source or sink is closed, opened again at the last durable position after a backoff, and its circuit breaker counts it.
var (
	// ErrPosition says that a position cannot be used with what it was opened on: another server or an unknown
	// version of the position. The pipeline stops; the message names the cure.
	ErrPosition error = Mark("position does not belong to this source")
	// ErrStop says that trying again cannot help until a person has changed something: a missing column, a
	// wrong password, a query that does not parse. The pipeline stops; the message names the cure.
	ErrStop error = Mark("stopped until someone acts")
	// ErrFenced is returned by [Sink.Write] when another delivery has moved one of the partitions' offsets on: the
	// caller is a zombie, nothing was written, and it gives its partitions up.
	ErrFenced = errors.New("fenced by a newer delivery")
)

// Source reads one department system. Its methods are called by one goroutine, except that Ack, Close and [Getter.Get] may
// be called by another while Read blocks.
type Source interface {
	// Read blocks until there are rows, or the source has caught up, or ctx is done, and returns the next batch. A
	// finite source returns io.EOF after its last batch. The batch belongs to the caller until it calls
	// [Batch.Release]. Rows come in source order; rows of one key never change places. After an error the source
	// is only closed. When ctx is done Read returns ctx.Err() within a second.
	Read(ctx context.Context) (*Batch, error)
	// Ack tells that everything up to and including pos is durable in Kafka, so that the source may let go of it (free
	// the log, move the file to done/). Positions come in the order in which Read returned them; some are left out.
	// Only positions of batches with CanCommit are acknowledged. The same position may come twice.
	Ack(ctx context.Context, pos Position) error
	// Close releases everything the source holds and makes a blocked Read return. Nothing is read after it.
	Close() error
}

// Position tells where a source stands, in bytes that only the connector understands. It names its own version, the
// identity of what it speaks of (server, path) and the sets it covers, so that a position met elsewhere is refused with
// [ErrPosition] and a set added later is read from its start. nil is the start. Opening a source at the position of a
// batch returns exactly the rows that follow that batch.
type Position []byte

// Order is where a row stands in the life of its source: Sequence is the log position, watermark, or file order and
// row; Generation rises when the source's identity changes (restored from a backup, another server, another kind of
// connector). It is provenance for consumers and part of a record's deterministic id; it never decides what a sink keeps.
type Order struct {
	Generation uint64
	Sequence   uint64
}

// Checker is implemented by a [Source] or [Sink] that can tell, before any work, what is missing: reach, permissions,
// settings. It changes nothing. Each [Problem] carries its cure; Warning problems do not prevent a start.
type Checker interface {
	Check(ctx context.Context) []Problem
}

// Discoverer is implemented by a [Source] that can list the tables it could read, with columns, types and comments.
type Discoverer interface {
	Discover(ctx context.Context) ([]*Table, error)
}

// Describer is implemented by a [Source] that knows the shape of the tables that it reads before it reads them. What
// cannot be described now is left out: Check says why.
type Describer interface {
	Describe(ctx context.Context) ([]*Table, error)
}

// Getter is implemented by a [Source] that can look rows up by column values, to be sure that a row is gone before its
// tombstone is published.
type Getter interface {
	// Get returns the rows of a set in which the named columns hold one of the given tuples of values. Rows that do
	// not exist are simply not in the answer. keys holds at most 1000 tuples, each as long as columns. It may be called
	// while Read blocks.
	Get(ctx context.Context, set string, columns []string, keys [][]Value) (*Batch, error)
}

// Sink fills an outside system with standard records. Its methods are called by one goroutine. A sink keeps the
// consumed offsets itself, in the same transaction as the rows, so that a kill at any point neither loses nor repeats.
type Sink interface {
	// Ensure creates the given tables where they are missing and adds missing columns, widening a type where it must;
	// it never drops or narrows anything. Rows of other tables are refused by Write.
	Ensure(ctx context.Context, tables []*Table) error
	// Offsets returns, for each partition, how far the sink has taken it in. It changes nothing, and works before
	// Ensure too.
	Offsets(ctx context.Context, partitions []Partition) ([]Offset, error)
	// Write applies one change set atomically: first it locks the offset of every partition and compares it with
	// From ([ErrFenced] when another delivery has moved it), then it applies the rows in order, then it stores Next
	// and State.
	// A row that the system refuses for its content is left out and handed to refused, which is called at most once
	// and before the commit; when refused returns an error nothing is committed.
	Write(ctx context.Context, changes *Changes, refused func(context.Context, []Refusal) error) error
	// Rewind prepares the given partitions to be read again from their start and empties the tables, for a rebuild.
	Rewind(ctx context.Context, tables []*Table, partitions []Partition) error
	// Close releases everything the sink holds.
	Close() error
}

// Partition names one partition of one topic of one Kafka cluster.
type Partition struct {
	Cluster string // cluster id, as the brokers give it
	Topic   string
	ID      int32
}

// Offset is how far a sink has taken a partition in.
type Offset struct {
	Next  int64  // the next offset to read; -1: the sink has never seen the partition
	State []byte // what was stored with it
}

// Changes is what a [Sink] applies in one transaction.
type Changes struct {
	// Rows to apply, folded: at most one per table and key. Values are in the order of the table's columns; a
	// delete has only its key columns set.
	Rows []Row
	// Offsets that the rows move, sorted by topic and partition so that two deliveries lock in one order.
	Offsets []Advance
}

// Advance moves one partition from the offset From (-1: never seen) to Next, which may be the same.
type Advance struct {
	Partition
	From, Next int64
	// State is what the delivery wants to be told again with the offset. It means nothing to the sink and is small:
	// a few KiB at most.
	State []byte
}

// Refusal is a row that a sink's system refused for its content (SQLSTATE class 22 or 23 and their like).
type Refusal struct {
	Row    int   // index into Changes.Rows
	Reason error // what the system said, without the row's content
}
