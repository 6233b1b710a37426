package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/files"
	"github.com/datong-dx/datong/connectors/sqltable"
	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/exchange"
	"github.com/datong-dx/datong/internal/pipeline"
	"github.com/datong-dx/datong/mapping"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// childArgument makes this program do one job and end, so that the job's memory is a process's own.
const childArgument = "child"

// job is what a child does: a pipeline, a delivery, or both at once.
type job struct {
	Kafka, Prefix string
	Connector     string // of the source, empty: no pipeline
	Settings      map[string]string
	Dir           string
	RefuseAll     bool          // let every row be refused
	Platform      string        // address, empty: no delivery
	Schema        string        // of the platform's tables
	Standing      time.Duration // how long to measure latencies, 0: until everything is delivered
	Profile       string        // path of the profiles to write, without their endings; empty: none
}

// done is what a child reports.
type done struct {
	Status    pipeline.Status
	Delivered int64
	Pipeline  time.Duration // from its start to its end
	All       time.Duration // until everything was delivered
	PeakBytes int64         // of resident memory
	CPU       time.Duration
	P50, P99  time.Duration // from read to visible
	Changes   int           // that the latencies are of
}

// spawn does a job in a process of its own.
func (s *session) spawn(ctx context.Context, j job) (*done, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	j.Kafka = s.kafka
	if s.opt.profiles != "" {
		j.Profile = filepath.Join(s.opt.profiles, j.Prefix)
	}
	in, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, childArgument)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	before := serverTimes(ctx)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("child with %s: %w", j.Connector, err)
	}
	d := new(done)
	if err := json.Unmarshal(out, d); err != nil {
		return nil, fmt.Errorf("read what the child reports: %w", err)
	}
	if d.Status.Unaccounted != 0 {
		return nil, fmt.Errorf("%d of %d rows are unaccounted", d.Status.Unaccounted, d.Status.Read)
	}
	d.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	processor := fmt.Sprintf("program %.2f s", d.CPU.Seconds())
	for name, after := range serverTimes(ctx) {
		processor += fmt.Sprintf(", %s %.2f s", name, (after - before[name]).Seconds())
	}
	s.say("    %s: read %d, published %d, quarantined %d, delivered %d in %.2f s (of the processors: %s); peak %.0f MiB", j.name(),
		d.Status.Read, d.Status.Published, d.Status.Quarantined, d.Delivered, d.All.Seconds(), processor, mebibytes(d.PeakBytes))
	return d, nil
}

func (j *job) name() string {
	switch {
	case j.Connector == "":
		return "delivery"
	case j.Platform == "":
		return "pipeline"
	}
	return "pipeline and delivery"
}

// child reads a job, does it and reports.
func child(ctx context.Context, in io.Reader, out io.Writer) error {
	exchange.LimitMemory()
	var j job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	client, err := broker.Connect(broker.Config{Brokers: []string{j.Kafka}})
	if err != nil {
		return err
	}
	defer client.Close()
	w := &worker{job: j, client: client, log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if err := profiled(j.Profile, func() error { return w.work(ctx) }); err != nil {
		return err
	}
	if w.result.PeakBytes, err = peakMemory(); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(&w.result)
}

// worker does a job.
type worker struct {
	job
	client *broker.Client
	log    *slog.Logger
	result done

	mu        sync.Mutex
	latencies []time.Duration
}

func (w *worker) work(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	start := time.Now()
	var d *delivery.Delivery
	if w.Platform != "" {
		var err error
		if d, err = w.delivery(); err != nil {
			return err
		}
		running.Go(func() { _ = d.Run(ctx) })
	}
	if w.Standing > 0 {
		return w.stand(ctx)
	}
	if w.Connector != "" {
		if err := w.pipeline(ctx, true, func(c *connectors.Connector) *connectors.Connector { return c }); err != nil {
			return err
		}
		w.result.Pipeline = time.Since(start)
	}
	if d != nil {
		if err := d.WaitIdle(ctx); err != nil {
			return err
		}
		w.result.Delivered = d.Status().Delivered
	}
	w.result.All = time.Since(start)
	return nil
}

// pipeline runs the pipeline until the source is idle, or until ctx is done.
func (w *worker) pipeline(ctx context.Context, untilIdle bool, wrap func(*connectors.Connector) *connectors.Connector) error {
	connector := map[string]*connectors.Connector{"files": files.Connector(), "sqltable": sqltable.Connector()}[w.Connector]
	set, err := settings(connector.SourceOptions, w.Settings)
	if err != nil {
		return err
	}
	registers, err := plan()
	if err != nil {
		return err
	}
	opt := pipeline.Options{
		Department: department, Name: "enterprises", Connector: wrap(connector), Settings: set, Plans: []*mapping.Plan{registers},
		Dictionary: dictionary.Builtin().Version, Dir: w.Dir, Prefix: w.Prefix, Client: w.client, Log: w.log, UntilIdle: untilIdle,
	}
	if w.RefuseAll {
		opt.MaxRefused = pipeline.Limit{Percent: 100, Rows: 1000}
	}
	p := pipeline.New(opt)
	if err := p.Run(ctx); err != nil {
		return err
	}
	w.result.Status = p.Status()
	return nil
}

func (w *worker) delivery() (*delivery.Delivery, error) {
	connector := sqltable.Connector()
	set, err := settings(connector.SinkOptions, map[string]string{"url": w.Platform, "schema": w.Schema, "transaction_timeout": "2m"})
	if err != nil {
		return nil, err
	}
	return delivery.New(delivery.Options{
		Name: "platform", Prefix: w.Prefix, Site: "main", Client: w.client, Dictionary: dictionary.Builtin(),
		Connector: connector, Settings: set, Entities: []string{entity}, Refresh: 500 * time.Millisecond,
		Observe: w.observe, Log: w.log,
	})
}

func (w *worker) observe(latency time.Duration, n int) {
	if w.Standing == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.latencies = append(w.latencies, slices.Repeat([]time.Duration{latency}, n)...)
}

// peakMemory returns the largest resident size of this process so far.
func peakMemory() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("read the peak of memory on %s: %w", runtime.GOOS, err)
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("the system does not tell the peak of memory")
}
