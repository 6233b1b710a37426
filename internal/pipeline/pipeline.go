// Package pipeline joins a department's source to the standard topics: read, map, publish, and only then let the source
// go on. One pipeline is one task: one transactional id, one goroutine that decides, in source order, what each row
// ends as.
//
//	         ┌─────────┐ batches ┌────────────┐ jobs   ┌─────────────┐
//	source ─▶│ reader  │────────▶│ dispatcher │───────▶│  mappers    │ map, validate, encode: in parallel
//	         │ (limits)│         │            │─┐      └─────────────┘
//	         └─────────┘  retry ▶└────────────┘ │ the same jobs, in order
//	                                            ▼
//	         ┌───────────┐ full transactions ┌──────────┐
//	source ◀─│ publisher │◀──────────────────│  judge   │ compare, quarantine, count: in source order
//	  Ack    └───────────┘                   └──────────┘
//	           one Kafka transaction: standard records, the quarantine's changes, the new position
//
// A row ends as exactly one of published, unchanged, filtered, quarantined, superseded. Everything a transaction holds is
// encoded before it begins; the source is told (Ack) only after it has been committed. Whatever goes wrong ends the
// attempt: all goroutines are waited for, the position is read again from the topic, and the source is opened there.
package pipeline

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/quarantine"
	"github.com/datong-dx/datong/mapping"
)

// Options of a pipeline. Fields without a remark are required.
type Options struct {
	Department, Name string
	Connector        *connectors.Connector
	Settings         connectors.Settings
	Plans            []*mapping.Plan // a plan whose spec names no table takes every table
	Dictionary       string          // version
	Dir              string          // exchange directory
	Prefix           string          // of topics and transactional ids
	Client           *broker.Client  // nil only for a dry run
	Log              *slog.Logger

	Topics         broker.TopicOptions // of the standard topics; partitions default 8
	Producer       broker.ProducerOptions
	CommitInterval time.Duration // default 250 ms: how long a busy source's rows may wait for their commit
	CommitRows     int           // default 65,536
	CommitBytes    int           // default 16 MiB
	MaxRefused     Limit         // default half of at least 1,000 rows
	MaxDeletes     Limit         // default 10 % and more than 100 keys
	RowsPerSecond  int           // 0: unlimited
	Windows        []Window      // when the source may be read; none: always
	TempDir        string        // for what does not fit into memory; default the system's
	Shared         []string      // entities that other sets of the department feed as well
	Masked         func(entity, column string) bool
	Refused        func(*quarantine.Item) // is told of every row put into quarantine; for a dry run, whose quarantine is kept nowhere
	UntilIdle      bool                   // end when the source has caught up and everything is committed
}

// Limit is a share of rows, above a number of rows, that stops a pipeline.
type Limit struct {
	Percent float64
	Rows    int64
}

// exceeds says whether n of total is above the limit.
func (l Limit) exceeds(n, total int64) bool {
	return n > 0 && float64(n)*100 > l.Percent*float64(total)
}

const (
	defaultCommitInterval = 250 * time.Millisecond
	defaultCommitRows     = 64 << 10
	defaultCommitBytes    = 16 << 20
	defaultPartitions     = 8

	firstBackoff = 200 * time.Millisecond
	lastBackoff  = 30 * time.Second
	// A breaker opens after so many attempts in a row that did not commit anything, and lets one through again after
	// breakerPause: a department's system that is down for the night is asked twice a minute, not five times a second.
	breakerFailures = 5
	// With UntilIdle, how long trouble that may pass is waited for when nothing gets on.
	patience     = 30 * time.Second
	breakerPause = 30 * time.Second
)

// Pipeline is one task. Create it with New and call Run once.
type Pipeline struct {
	opt      Options
	log      *slog.Logger
	producer *broker.Producer
	breaker  *gobreaker.TwoStepCircuitBreaker[any]
	requests chan *request
	approved atomic.Uint64 // id+1 of the scan whose deletes were approved
	wake     chan struct{} // an approval or a resume for a stopped pipeline
	forget   atomic.Bool   // the next attempt begins at the source's start

	claimed bool  // this process holds the transactional id
	blocked error // why Run must not begin

	mu     sync.Mutex
	status Status
	asked  []*request // by the running attempt
}

// New returns a pipeline that is not running yet.
func New(opt Options) *Pipeline {
	setDefault(&opt.CommitInterval, defaultCommitInterval)
	setDefault(&opt.CommitRows, defaultCommitRows)
	setDefault(&opt.CommitBytes, defaultCommitBytes)
	setDefault(&opt.Topics.Partitions, defaultPartitions)
	setDefault(&opt.MaxRefused, Limit{Percent: 50, Rows: 1000})
	setDefault(&opt.MaxDeletes, Limit{Percent: 10, Rows: 100})
	if opt.Masked == nil {
		opt.Masked = func(string, string) bool { return true }
	}
	p := &Pipeline{
		opt:      opt,
		log:      opt.Log.With("pipeline", opt.Department+"/"+opt.Name),
		requests: make(chan *request),
		wake:     make(chan struct{}, 1),
	}
	if opt.Client != nil {
		p.producer = opt.Client.NewProducer(p.taskID(), opt.Producer)
	}
	p.status = Status{Department: opt.Department, Name: opt.Name, State: Starting}
	p.breaker = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Name:        p.ID(),
		Timeout:     breakerPause,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakerFailures },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			p.log.Warn("circuit breaker of the source", "from", from.String(), "to", to.String())
		},
	})
	return p
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// ID returns department/name.
func (p *Pipeline) ID() string { return p.opt.Department + "/" + p.opt.Name }

// taskID is the transactional id and the key of the task's position. A pipeline has one share, 0.
func (p *Pipeline) taskID() string {
	return p.opt.Prefix + "." + p.opt.Department + "." + p.opt.Name + ".0"
}

func (p *Pipeline) topic(name string) string { return topicOf(p.opt.Prefix, p.opt.Department, name) }
