package delivery

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
)

// attempt is one life of an open sink: it ends with the generation or with an error, after which the sink is asked anew
// where it stands.
type attempt struct {
	d      *Delivery
	gen    *broker.Generation
	sink   connectors.Sink
	parts  []*part
	byName map[broker.TopicPartition]*part
	shelf  *shelf

	full chan *batch // sealed, to the writer; unbuffered: one batch is written while the next is filled
	free chan *batch // written, back to the collector

	// The writer's:
	retryAt    time.Time
	retryPause time.Duration
	retryTurn  int
	unsaved    map[broker.TopicPartition]int64 // reached, but not yet told to the group
	savedAt    time.Time
	wrote      bool
}

// readAhead bounds what a fetch brings, which may be ten times as much once it is decompressed. A sink is slower than a
// broker by far, so larger fetches would only lie in memory.
var readAhead = broker.ReaderOptions{PartitionBytes: 256 << 10, MaxBytes: 1 << 20}

// grace is how long a write that is under way may go on when the generation has ended.
const grace = 5 * time.Second

// attempt opens the sink, takes up where it stands, and works until ctx is done or something fails.
func (d *Delivery) attempt(ctx context.Context, gen *broker.Generation, work func(a *attempt, ctx, lasting context.Context) error) (wrote bool, err error) {
	d.setState(Starting, d.lastError())
	parts, err := d.parts(ctx, gen.Assigned)
	if err != nil {
		return false, err
	}
	lasting, cancel := outlive(ctx, grace)
	defer cancel()
	a := &attempt{d: d, gen: gen, parts: parts, byName: map[broker.TopicPartition]*part{},
		full: make(chan *batch), free: make(chan *batch, 2), unsaved: map[broker.TopicPartition]int64{},
		retryPause: d.opt.RetryInterval}
	for _, p := range parts {
		a.byName[p.TopicPartition] = p
	}
	if a.sink, err = d.open(lasting); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, fromSink("close the sink", a.sink.Close())) }()
	if err := d.ask(lasting, a.sink, parts); err != nil {
		return false, err
	}
	if err := d.place(ctx, parts); err != nil {
		return false, err
	}
	if a.shelf, err = d.openShelf(ctx, parts); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, a.shelf.index.Close()) }()
	a.begin()
	err = work(a, ctx, lasting)
	return a.wrote, err
}

// open opens the sink with the tables of every entity that is delivered.
func (d *Delivery) open(ctx context.Context) (connectors.Sink, error) {
	sink, err := d.openSink(ctx)
	if err != nil {
		return nil, err
	}
	if err := sink.Ensure(ctx, d.allTables()); err != nil {
		return nil, errors.Join(fromSink("make the tables", err), sink.Close())
	}
	return sink, nil
}

func (d *Delivery) openSink(ctx context.Context) (connectors.Sink, error) {
	sink, err := d.opt.Connector.OpenSink(ctx, connectors.SinkRequest{Settings: d.opt.Settings, Dir: d.opt.Dir, Log: d.log})
	return sink, fromSink("open the sink", err)
}

// ask asks the sink where it stands.
func (d *Delivery) ask(ctx context.Context, sink connectors.Sink, parts []*part) error {
	names := make([]connectors.Partition, len(parts))
	for i, p := range parts {
		names[i] = p.sink
	}
	offsets, err := sink.Offsets(ctx, names)
	if err != nil {
		return fromSink("read offsets", err)
	}
	for i, p := range parts {
		p.applied = offsets[i].Next
		if p.progress, err = readProgress(p, offsets[i].State); err != nil {
			return err
		}
	}
	return nil
}

// deliver delivers until ctx is done or something fails.
func (a *attempt) deliver(ctx, lasting context.Context) error {
	// The collector ends the writer by closing full, and the writer the collector by its error.
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error {
		defer close(a.full)
		return a.collect(ctx)
	})
	work.Go(func() error { return a.writeAll(ctx, lasting) })
	err := work.Wait()
	a.saveOffsets()
	return err
}

// begin publishes where the attempt begins.
func (a *attempt) begin() {
	a.show()
	d := a.d
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.reached)
	for _, p := range a.parts {
		d.reached[p.TopicPartition] = p.start
		a.unsaved[p.TopicPartition] = p.start // a kill may have come before the group was told
	}
	d.serving, d.err = true, nil
	d.status.Error, d.status.ErrorZh = "", ""
	d.showLag(a.parts)
}

// collect fetches, folds and decodes, and hands batches to the writer. A batch is handed over when the topics have
// nothing more at once, when it is full, or when its first record has waited long enough. While the writer is busy the
// next one waits, and the brokers keep the rest.
func (a *attempt) collect(ctx context.Context) error {
	reader := a.d.opt.Client.NewReader(readAhead)
	defer reader.Close()
	for _, p := range a.parts {
		reader.Assign(p.Topic, p.Partition, p.start)
	}
	rd := newReading()
	a.free <- newBatch(len(a.parts))
	a.free <- newBatch(len(a.parts))
	for b := <-a.free; ; {
		wait := time.Second
		if len(b.entries) > 0 {
			wait = max(0, a.d.opt.BatchInterval-time.Since(b.begun))
		}
		fetched, err := reader.Poll(ctx, wait)
		if err != nil {
			return err
		}
		ready := len(b.entries) > 0 && len(fetched) == 0
		for i := range fetched {
			var err error
			if b, err = a.take(ctx, rd, b, &fetched[i]); err != nil {
				return err
			}
		}
		if !ready && !(len(fetched) > 0 && caughtUp(fetched)) && !a.isFull(b) && !a.isOld(b) {
			continue
		}
		if b, err = a.hand(ctx, rd, b); err != nil {
			return err
		}
	}
}

// take puts what was fetched of one partition into the batch, and hands the batch over when it is full in between.
func (a *attempt) take(ctx context.Context, rd *reading, b *batch, f *broker.Fetched) (*batch, error) {
	p := a.byName[broker.TopicPartition{Topic: f.Topic, Partition: f.Partition}]
	for i := range f.Records {
		r := &f.Records[i]
		if a.isFull(b) {
			var err error
			if b, err = a.hand(ctx, rd, b); err != nil {
				return b, err
			}
		}
		b.add(rd, p, r)
		b.next[p.index], b.behind[p.index] = r.Offset+1, f.HighWatermark-r.Offset-1
	}
	b.next[p.index], b.behind[p.index] = f.Next, max(0, f.HighWatermark-f.Next)
	return b, nil
}

func (a *attempt) isFull(b *batch) bool {
	return len(b.entries) >= a.d.opt.BatchRows || b.bytes >= batchBytes
}

func (a *attempt) isOld(b *batch) bool {
	return len(b.entries) > 0 && time.Since(b.begun) >= a.d.opt.BatchInterval
}

// caughtUp says that nothing committed is left behind what was fetched.
func caughtUp(fetched []broker.Fetched) bool {
	for i := range fetched {
		if fetched[i].Next < fetched[i].Stable {
			return false
		}
	}
	return true
}

// hand seals the batch, gives it to the writer and returns the next one.
func (a *attempt) hand(ctx context.Context, rd *reading, b *batch) (*batch, error) {
	b.seal(rd)
	select {
	case a.full <- b:
	case <-ctx.Done():
		return b, ctx.Err()
	}
	select {
	case b = <-a.free:
		return b, nil
	case <-ctx.Done():
		return b, ctx.Err()
	}
}

// outlive returns a context that is done some time after ctx is.
func outlive(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var timer *time.Timer
	var mu sync.Mutex
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		timer = time.AfterFunc(after, cancel)
	})
	return lasting, func() {
		stop()
		mu.Lock()
		defer mu.Unlock()
		if timer != nil {
			timer.Stop()
		}
		cancel()
	}
}
