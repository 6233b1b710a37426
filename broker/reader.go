package broker

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// ReaderOptions tune a reader; the zero value works.
type ReaderOptions struct {
	// ReadUncommitted shows records of open and aborted transactions too. Only for looking into a topic.
	ReadUncommitted bool
	// PartitionBytes is how much of one partition is asked for at once, compressed: 256 KiB when zero. A larger record
	// still comes.
	PartitionBytes int
	// MaxBytes is how much is asked for at once of all partitions of one broker together, compressed: 2 MiB when zero.
	// Partitions that have much to tell take turns; each other one gets its share, at least 64 KiB. Two such answers are
	// held at a time, and what one decompresses to.
	MaxBytes int
}

const (
	defaultPartitionBytes = 256 << 10
	defaultFetchBytes     = 2 << 20
	leastPartitionBytes   = 64 << 10
	mostPartitionBytes    = 1 << 30
)

// Reader reads partitions that its caller chooses, from offsets that its caller keeps. It delivers committed records
// only, in order per partition, at once when they come. Its methods are called by one goroutine, Close included.
type Reader struct {
	client  *Client
	opts    ReaderOptions
	ctx     context.Context // of the requests under way, which outlive a call of Poll
	cancel  context.CancelFunc
	parts   []*assignment
	turn    int // rotates who is served first
	done    chan *fetch
	busy    map[int32]bool // leaders that a request is under way to
	free    []*fetch
	given   *fetch // what the caller looks at
	rooms   rooms  // its memory
	pending []trouble
	failing time.Time // since when no broker has answered
	wait    backoff
}

// trouble is an error about one partition that the caller is still to be told, unless it assigns the partition anew.
type trouble struct {
	about *assignment
	as    int // version of the assignment
	err   error
}

// assignment is one partition that is read.
type assignment struct {
	TopicPartition
	version int // rises when the offset is set anew
	next    int64
	bytes   int  // asked for, when more than the usual share is needed
	behind  bool // there is more than was brought, as far as is known
	gone    bool
}

// Fetched is what one Poll brought of one partition. Records may be empty although Next has moved: over control batches
// and aborted transactions.
type Fetched struct {
	Topic         string
	Partition     int32
	Records       []Record
	Next          int64 // the offset to go on from
	HighWatermark int64
	Stable        int64 // the last stable offset: committed readers get this far while a transaction is open
}

// OffsetError says that a partition no longer has, or does not yet have, the offset it was to be read from.
type OffsetError struct {
	TopicPartition
	Offset     int64 // wanted
	Start, End int64 // what there is; −1 unknown
}

// Error tells topic, partition, the offset and what there is.
func (e *OffsetError) Error() string {
	return fmt.Sprintf("read topic %s partition %d at offset %d: out of range (there is %d to %d)", e.Topic, e.Partition, e.Offset, e.Start, e.End)
}

// NewReader returns a reader of no partitions yet.
func (c *Client) NewReader(opts ReaderOptions) *Reader {
	if opts.PartitionBytes <= 0 {
		opts.PartitionBytes = defaultPartitionBytes
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = defaultFetchBytes
	}
	r := &Reader{client: c, opts: opts, done: make(chan *fetch), busy: make(map[int32]bool)}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// Assign reads a partition from an offset on, or sets the offset of one that is read already.
func (r *Reader) Assign(topic string, partition int32, offset int64) {
	tp := TopicPartition{topic, partition}
	if a := r.find(tp); a != nil {
		a.version++
		a.next = offset
		return
	}
	r.parts = append(r.parts, &assignment{TopicPartition: tp, next: offset, behind: true})
	slices.SortFunc(r.parts, func(a, b *assignment) int { return compareTP(a.TopicPartition, b.TopicPartition) })
}

// Unassign stops reading a partition.
func (r *Reader) Unassign(topic string, partition int32) {
	tp := TopicPartition{topic, partition}
	if a := r.find(tp); a != nil {
		a.gone = true
		a.version++
		r.parts = slices.DeleteFunc(r.parts, func(x *assignment) bool { return x == a })
	}
}

func (r *Reader) find(tp TopicPartition) *assignment {
	for _, a := range r.parts {
		if a.TopicPartition == tp {
			return a
		}
	}
	return nil
}

func compareTP(a, b TopicPartition) int {
	if a.Topic != b.Topic {
		if a.Topic < b.Topic {
			return -1
		}
		return 1
	}
	return int(a.Partition) - int(b.Partition)
}

// Poll waits at most wait for records of any assigned partition and returns what came; nothing is not an error. What it
// returns is valid until the next Poll. Errors concern one partition each ([OffsetError], [ErrCorrupt],
// [ErrAuthorization]): the others go on with the next Poll, and so does this one, with the same error unless it was
// assigned anew. [ErrUnreachable] comes when no broker has answered for the client's timeout; Poll may be called again.
func (r *Reader) Poll(ctx context.Context, wait time.Duration) ([]Fetched, error) {
	r.reclaim()
	if err := r.untold(); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(wait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for first := true; first || time.Now().Before(deadline); first = false {
		if err := r.request(ctx, wait); err != nil {
			if err := r.endure(ctx, err); err != nil {
				return nil, err
			}
			continue
		}
		select {
		case f := <-r.done:
			delete(r.busy, f.leader)
			out, err := r.receive(ctx, f)
			if len(out) > 0 {
				// The next answer travels while the caller works on this one; what is wrong shows in the next Poll.
				_ = r.request(ctx, wait)
			}
			if len(out) > 0 || err != nil {
				return out, err
			}
		case <-timer.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, nil
}

// endure waits a little after an error that may pass. It returns the error when it will not pass, or has lasted long.
func (r *Reader) endure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !retriable(err) {
		return fmt.Errorf("fetch: %w", err)
	}
	now := time.Now()
	if r.failing.IsZero() {
		r.failing = now
	}
	if now.Sub(r.failing) >= r.client.cfg.Timeout {
		r.failing = time.Time{}
		return r.client.gaveUp("fetch", err, nil)
	}
	r.wait.sleep(ctx)
	return ctx.Err()
}

// Close ends the requests under way and waits for them.
func (r *Reader) Close() {
	r.cancel()
	for len(r.busy) > 0 {
		delete(r.busy, (<-r.done).leader)
	}
	r.rooms.release()
	r.parts, r.free, r.given = nil, nil, nil
}
