// Package exchange runs one exchange directory: its broker when that is embedded, its pipelines and its deliveries, in one
// process. What a person can ask of it (status, quarantine, held deletes, a rebuild) is answered by the same methods
// whether this process runs the tasks or nobody does: then the topics are read, and a task acts for a moment.
//
//	DIR/.datong/lock      held by the process that runs the directory
//	DIR/.datong/turn      held by who waits for the lock
//	DIR/.datong/run.json  where that process answers (0600: it holds the token)
//	DIR/.datong/broker/   the embedded broker's data
//	DIR/.datong/tmp/      what does not fit into memory; emptied at every start
package exchange

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/embedded"
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/pipeline"
)

// Options say how an exchange runs. The zero value serves until it is told to stop.
type Options struct {
	// UntilIdle ends the run when every source has caught up and everything is on the platform.
	UntilIdle bool
	// Dry reads, maps and counts, and publishes nothing: neither broker nor sink is opened.
	Dry bool
	Log *slog.Logger
}

// Exchange is one exchange directory being worked on by this process.
type Exchange struct {
	cfg     *config.Exchange
	opt     Options
	log     *slog.Logger
	data    *dataDir
	broker  *embedded.Broker
	client  *broker.Client
	tasks   []*task
	outlets []*outlet
	idle    bool // no process runs the exchange: this one reads, and acts for a moment
	latency *latency
	started time.Time

	mu      sync.Mutex
	running bool
}

// task is one pipeline with what keeps it from starting, if anything does.
type task struct {
	cfg     *config.Pipeline
	run     *pipeline.Pipeline
	blocked error
	causes  *causes // of a dry run
}

// outlet is one delivery.
type outlet struct {
	cfg *config.Delivery
	run *delivery.Delivery
}

// Open takes the directory for this process and prepares its tasks. Nothing runs yet. The error is a
// [connectors.Problem] where a person can do something about it.
func Open(ctx context.Context, cfg *config.Exchange, opt Options) (*Exchange, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	x := &Exchange{cfg: cfg, opt: opt, log: opt.Log, started: time.Now()}
	x.latency = newLatency(cfg)
	var err error
	if x.data, err = openDataDir(cfg.Dir); err != nil {
		return nil, err
	}
	if !opt.Dry { // a dry run changes nothing, so it may be made beside the process that runs the directory
		if err := x.data.lock(ctx); err != nil {
			return nil, err
		}
		if err := x.connect(ctx); err != nil {
			return nil, x.abandon(err)
		}
	}
	for _, p := range cfg.Pipelines {
		x.tasks = append(x.tasks, x.newTask(p))
	}
	if opt.Dry {
		return x, nil
	}
	for _, d := range cfg.Deliveries {
		o, err := x.newOutlet(d)
		if err != nil {
			return nil, x.abandon(err)
		}
		x.outlets = append(x.outlets, o)
	}
	return x, nil
}

// OpenIdle opens an exchange that no process runs, to read its state and to act on its quarantine. A directory with an
// embedded broker is taken for as long, because only one process can hold the broker's data.
func OpenIdle(ctx context.Context, cfg *config.Exchange, log *slog.Logger) (*Exchange, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	x := &Exchange{cfg: cfg, log: log, opt: Options{Log: log}, idle: true, started: time.Now()}
	var err error
	if x.data, err = openDataDir(cfg.Dir); err != nil {
		return nil, err
	}
	if cfg.Embedded {
		if err := x.data.lock(ctx); err != nil {
			return nil, err
		}
	}
	if err := x.connect(ctx); err != nil {
		return nil, x.abandon(err)
	}
	return x, nil
}

// connect starts the embedded broker, or makes a client for the real one.
func (x *Exchange) connect(ctx context.Context) error {
	cfg := x.cfg.Broker
	if x.cfg.Embedded {
		b, err := embedded.Start(ctx, embedded.Options{Dir: x.data.path("broker")})
		if err != nil {
			return fmt.Errorf("start the embedded broker: %w", err)
		}
		x.broker = b
		cfg.Brokers = []string{b.Addr()}
	}
	var err error
	x.client, err = broker.Connect(cfg)
	return err
}

func (x *Exchange) abandon(err error) error {
	x.Close()
	return err
}

// Client returns the connection to the broker; nil on a dry run.
func (x *Exchange) Client() *broker.Client { return x.client }

// Close gives the directory back. Run must have returned.
func (x *Exchange) Close() {
	if x.client != nil {
		x.client.Close()
	}
	if x.broker != nil {
		x.broker.Close()
	}
	x.data.close()
}
