// Package delivery fills the platform from the standard topics: the last stage of the main job.
//
//	standard topics ──▶ collect: fetch, fold per key, decode ──▶ write: sink transaction ──▶ platform
//	                        one batch being filled                one batch being written
//	                                                                  │ refused rows
//	                                                                  ▼
//	                                                        the site's quarantine topic
//
// The sink keeps the offsets in the transaction of the rows, so a kill at any point neither loses nor repeats: whatever
// was in flight is read again from where the sink stands. The consumer group only divides the partitions; the offsets
// committed to it are for lag tools. A topic is in order per key, so offsets decide what is newer and nothing else does.
package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// Options say what is delivered where. Client, Dictionary, Connector and Name are required.
type Options struct {
	Name   string // of the delivery, unique in its site
	Prefix string // of all topics
	Site   string // whose quarantine takes what the sink refuses
	Dir    string // the exchange directory

	Client     *broker.Client
	Dictionary *dictionary.Dictionary
	Connector  *connectors.Connector
	Settings   connectors.Settings

	// Entities and Departments to deliver, empty for all, those that come later included.
	Entities, Departments []string

	// A batch is written when the topics have nothing more waiting, and at the latest after BatchRows records (10,000
	// when zero), 8 MiB, or BatchInterval (500 ms when zero).
	BatchRows     int
	BatchInterval time.Duration

	// Topics and Producer apply to the quarantine topic.
	Topics   broker.TopicOptions
	Producer broker.ProducerOptions

	// Refresh is how often new topics are looked for: 30 s when zero.
	Refresh time.Duration
	// RetryInterval is how soon refused rows are tried again; the time doubles up to an hour while nothing is accepted.
	// One minute when zero.
	RetryInterval time.Duration
	// Heartbeat and SessionTimeout of the consumer group; the broker package's defaults when zero.
	Heartbeat, SessionTimeout time.Duration

	// Observe is told, after each write, how long ago in the source n records changed that are now visible.
	Observe func(latency time.Duration, n int)
	Log     *slog.Logger
}

const (
	defaultBatchRows     = 10_000
	defaultBatchInterval = 500 * time.Millisecond
	defaultRefresh       = 30 * time.Second
	defaultRetryInterval = time.Minute
	longestRetryInterval = time.Hour
	batchBytes           = 8 << 20

	// A breaker opens after so many attempts in a row that wrote nothing, and lets one through again after breakerPause.
	breakerFailures = 5
	breakerPause    = 15 * time.Second
	firstBackoff    = 200 * time.Millisecond
	lastBackoff     = 15 * time.Second
)

// Delivery writes the records of the standard topics to one sink.
type Delivery struct {
	opt     Options
	log     *slog.Logger
	tables  map[string]*entityTable // by entity
	breaker *gobreaker.TwoStepCircuitBreaker[any]

	wake     chan struct{} // someone has cured what halted the delivery
	refresh  chan struct{} // look for topics now
	requests chan *request

	mu     sync.Mutex
	status Status
	err    error
	// reached is, for each partition that this process holds, the offset up to which everything is in the sink.
	reached map[broker.TopicPartition]int64
	joined  map[string]bool         // topics of the group, nil while it is not joined
	serving bool                    // reached is complete
	again   context.CancelCauseFunc // ends the attempt that runs
}

// New returns a delivery that has done nothing yet. Its error is a [connectors.Problem].
func New(opt Options) (*Delivery, error) {
	opt.BatchRows = cmp.Or(opt.BatchRows, defaultBatchRows)
	opt.BatchInterval = cmp.Or(opt.BatchInterval, defaultBatchInterval)
	opt.Refresh = cmp.Or(opt.Refresh, defaultRefresh)
	opt.RetryInterval = cmp.Or(opt.RetryInterval, defaultRetryInterval)
	d := &Delivery{
		opt: opt, log: opt.Log, wake: make(chan struct{}, 1), refresh: make(chan struct{}, 1),
		requests: make(chan *request), reached: map[broker.TopicPartition]int64{},
		status: Status{Name: opt.Name, State: Starting, Pipelines: map[string]Counts{}},
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	d.log = d.log.With("delivery", opt.Name)
	var err error
	if d.tables, err = entityTables(opt.Dictionary, opt.Entities); err != nil {
		return nil, err
	}
	d.breaker = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Name: opt.Name, Timeout: breakerPause,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakerFailures },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			d.log.Warn("circuit breaker of the sink", "from", from.String(), "to", to.String())
		},
	})
	return d, nil
}

// errTopics ends a membership whose topics have changed.
var errTopics = errors.New("the topics have changed")

// Run delivers until ctx is done, then ends what is being written and returns nil. Trouble that may pass is retried for
// ever. What needs a person is shown in the status, and Run waits for [Delivery.Resume] or [Delivery.Rebuild].
func (d *Delivery) Run(ctx context.Context) error {
	backoff := firstBackoff
	for ctx.Err() == nil {
		d.setState(Starting, nil)
		began := time.Now()
		err := d.member(ctx)
		d.forget()
		switch {
		case ctx.Err() != nil:
		case err == nil, errors.Is(err, errTopics):
			backoff = firstBackoff
		case halts(err):
			d.setState(Halted, err)
			d.log.Error("delivery stopped", "error", err)
			select {
			case <-d.wake:
			case <-ctx.Done():
			}
		default:
			if time.Since(began) > lastBackoff {
				backoff = firstBackoff
			}
			d.setState(Retrying, err)
			d.log.Warn("delivery interrupted, trying again", "error", err, "in", backoff.String())
			sleep(ctx, backoff/2+rand.N(backoff/2))
			backoff = min(2*backoff, lastBackoff)
		}
	}
	d.setState(Stopped, nil)
	return nil
}

// sinkError marks an error that the sink returned.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }
func (e *sinkError) Unwrap() error { return e.err }

func fromSink(doing string, err error) error {
	if err == nil {
		return nil
	}
	return &sinkError{fmt.Errorf("%s: %w", doing, err)}
}

// halts says that trying again cannot help.
func halts(err error) bool {
	return errors.Is(err, connectors.ErrStop) || errors.Is(err, broker.ErrAuthorization) || errors.Is(err, broker.ErrTopicDiffers)
}

// Resume lets a halted delivery try again, after its cause was cured.
func (d *Delivery) Resume() { signal(d.wake) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// sleep waits for the time, or reports false when ctx is done first.
func sleep(ctx context.Context, t time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(t):
		return true
	}
}
