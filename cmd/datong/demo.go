package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/demo"
	"github.com/datong-dx/datong/internal/exchange"
	"github.com/datong-dx/datong/internal/pipeline"
)

// demoFlags are how `datong demo` is asked to run.
type demoFlags struct {
	period time.Duration
	asJSON bool
	dir    string
	seed   uint64
}

func newDemoCommand(a *app) *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: a.say("演示：三个部门，一个平台，只需本程序", "See it work: three departments, one platform, nothing but this program"),
		Long: a.say(`造一座虚构的城市：市场监管局投 GB 18030 的 CSV，行政审批局和税务局各有一个 SQLite 库，列名、格式、代码互不相同。
约两万行进入交换，此后各部门继续新增、变更、删除；约百分之一的行按真实的方式写错。
最后给出平台对一家企业的了解、被拒的原因，并逐项核对是否全部到达。企业、人名、代码均为虚构。`,
			`An invented city: market regulation drops GB 18030 CSV files, the approval bureau and tax keep an SQLite database
each, and no two agree on columns, formats or codes. About twenty thousand rows come in, then the departments go on
inserting, updating and deleting; about one row in a hundred is wrong the way real rows are. At the end: what the
platform knows of one enterprise, why rows were refused, and whether everything arrived. All of it is invented.`),
		Example: "  datong demo\n  datong demo --for 1m --dir my-demo\n  datong demo --for 5s --json",
		Args:    a.args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.period <= 0 {
				return a.usage(cmd, a.text("--for 应大于 0，实为 %s", "--for must be more than 0, found %s", f.period))
			}
			return a.demo(cmd.Context(), f)
		},
	}
	cmd.Flags().DurationVar(&f.period, "for", 20*time.Second, a.say("首批数据到达后，各部门继续工作多久", "how long the departments go on working after the first rows have arrived"))
	cmd.Flags().StringVar(&f.dir, "dir", "", a.say("写在这个新目录中并保留；默认用临时目录，结束时删除", "write into this new directory and keep it; else a temporary one, removed at the end"))
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, a.say("虚构城市的种子：相同的种子，相同的城市", "of the invented city: the same seed gives the same city"))
	a.jsonFlag(cmd, &f.asJSON)
	return cmd
}

// demonstration is one run of `datong demo`.
type demonstration struct {
	*app
	demoFlags

	town *demo.Town
	cfg  *config.Exchange
	kept bool // the directory stays

	began          time.Time
	first, initial time.Duration // until the first record, and all that there was at first, was on the platform
}

// demo makes the city, lets it live, and tells what the platform knows then.
func (a *app) demo(ctx context.Context, f demoFlags) error {
	exchange.LimitMemory()
	d := &demonstration{app: a, demoFlags: f, kept: f.dir != ""}
	if !d.kept {
		dir, err := os.MkdirTemp("", "datong-demo-")
		if err != nil {
			return fmt.Errorf("make a temporary directory: %w", err)
		}
		d.dir = filepath.Join(dir, "exchange")
		defer os.RemoveAll(dir) // what is left lies in the system's temporary directory
	}
	var err error
	if d.town, err = demo.Found(ctx, d.dir, f.seed); err != nil {
		return withCode(exitUsage, err)
	}
	defer d.town.Close() // nothing is being written any more
	if d.cfg, err = config.Load(d.dir, a.registry); err != nil {
		return withCode(exitUsage, err)
	}
	d.introduce()
	if err = d.play(ctx); ctx.Err() != nil {
		fmt.Fprintln(a.stderr, a.say("演示已中止", "the demonstration was stopped"))
		return nil
	}
	return err
}

// play runs the exchange, and tells at the end what the platform knows.
func (d *demonstration) play(ctx context.Context) error {
	if err := d.live(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	out, err := d.settle(ctx)
	if err != nil {
		return err
	}
	return d.report(ctx, out)
}

// live runs the exchange beside the city: first until all that there was at first is on the platform, then for the time
// asked for.
func (d *demonstration) live(ctx context.Context) error {
	x, err := exchange.Open(ctx, d.cfg, exchange.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer x.Close()
	d.began = time.Now()
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		err := x.Run(running)
		stop()
		ended <- err
	}()
	screen := d.newScreen(x)
	err = d.arrive(running, x, screen)
	if err == nil && running.Err() == nil {
		screen.begin(d.sayf("首批 %s 行已在平台上，用时 %.1f 秒。各部门继续工作……", "the first %s rows are on the platform after %.1f s. The departments go on …", thousands(d.standing()), d.initial.Seconds()))
		err = d.work(running, screen)
	}
	stop()
	err = errors.Join(err, <-ended)
	screen.end()
	return err
}

// patience is how long the first rows may take before something must be wrong.
const patience = 2 * time.Minute

// arrive waits until what the departments had at first is on the platform.
func (d *demonstration) arrive(ctx context.Context, x *exchange.Exchange, screen *screen) error {
	want := int64(d.standing())
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		s, err := x.Status(ctx)
		if err != nil {
			return err
		}
		screen.draw(&s)
		if d.first == 0 && s.Total.Delivered > 0 {
			d.first = time.Since(d.began)
		}
		if s.Total.Delivered >= want {
			d.initial = time.Since(d.began)
			return nil
		}
		if stuck(&s) || time.Since(d.began) > patience {
			d.printTroubles(&s)
			return d.late()
		}
	}
}

// stuck says that something waits for a person.
func stuck(s *exchange.Status) bool {
	halted := func(p exchange.PipelineStatus) bool { return p.State == pipeline.Halted }
	refused := func(v delivery.Status) bool { return v.State == delivery.Halted }
	return slices.ContainsFunc(s.Pipelines, halted) || slices.ContainsFunc(s.Deliveries, refused)
}

func (d *demonstration) late() error {
	return &connectors.Problem{
		What: d.text("首批数据没有全部到达", "the first rows did not all arrive"),
		Try:  d.text("用 --dir 保留目录，再运行 datong run 查看日志", "keep the directory with --dir and look at the log of datong run"),
	}
}

// work lets the departments work for the time asked for.
func (d *demonstration) work(ctx context.Context, screen *screen) error {
	screen.until = time.Now().Add(d.period)
	ctx, cancel := context.WithDeadline(ctx, screen.until)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- d.town.Live(ctx) }()
	tick := time.NewTicker(screen.every)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
			if err := screen.refresh(ctx); err != nil && ctx.Err() == nil {
				return errors.Join(err, <-done)
			}
		}
	}
}

// settle opens the exchange again, as after any restart, and runs it until nothing is left to do.
func (d *demonstration) settle(ctx context.Context) (*outcome, error) {
	x, err := exchange.Open(ctx, d.cfg, exchange.Options{UntilIdle: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer x.Close()
	if err := x.Run(ctx); err != nil {
		return nil, d.ended(err)
	}
	return d.outcome(ctx, x)
}

// standing is how many rows of the departments are right, and so belong on the platform.
func (d *demonstration) standing() (n int) {
	for _, s := range d.town.Standing() {
		n += s.Rows
	}
	return n
}

// program is how this program was called, for commands that a person is to type next.
func program() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/datong"
	}
	return os.Args[0]
}
