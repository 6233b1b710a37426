package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/datong-dx/datong/connectors"
)

const (
	latencyLimit     = 300 // ms, of the 99th percentile
	changesPerSecond = 500
	warmUp           = 3 * time.Second // joining, the first scan, caches
)

// benchLatency changes 500 rows a second in a department's table that is polled, and measures how long it takes from a
// row's being read until it can be seen on the platform.
func benchLatency(ctx context.Context, s *session) ([]figure, error) {
	if err := s.fillTable(ctx, "live", 0, 20_000); err != nil {
		return nil, err
	}
	if err := s.exec(ctx, "ALTER TABLE live ADD changed timestamptz NOT NULL DEFAULT now()"); err != nil {
		return nil, err
	}
	if err := s.exec(ctx, "CREATE INDEX ON live (changed)"); err != nil {
		return nil, err
	}
	standing := time.Duration(s.size(30, 5)) * time.Second
	return s.repeat(func(round int) ([]figure, error) {
		changing, stop := context.WithCancel(ctx)
		var running sync.WaitGroup
		var changeErr error
		running.Go(func() { changeErr = s.change(changing, "live") })
		prefix, schema := fmt.Sprintf("%s-live-%d", s.name, round), fmt.Sprintf("%s_live_%d", s.name, round)
		d, err := s.spawn(ctx, job{
			Prefix: prefix, Connector: "sqltable", Platform: s.url, Schema: schema, Standing: standing,
			Settings: map[string]string{"url": s.url, "tables": "live", "mode": "watermark", "watermark": "changed", "poll": "100ms"},
		})
		stop()
		running.Wait()
		if err := errors.Join(err, changeErr); err != nil {
			return nil, err
		}
		seen := float64(d.Changes) / standing.Seconds()
		s.say("    %d changes in %v", d.Changes, standing)
		if seen < 0.9*changesPerSecond {
			return nil, fmt.Errorf("only %.0f changes a second came through", seen)
		}
		if err := s.exec(ctx, "DROP SCHEMA "+schema+" CASCADE"); err != nil {
			return nil, err
		}
		return []figure{
			{"latency_p50_ms", float64(d.P50.Milliseconds()), latencyLimit, withinLimit, "300 ms, from read to visible, at 500 changes a second"},
			{"latency_p99_ms", float64(d.P99.Milliseconds()), latencyLimit, withinLimit, "300 ms, from read to visible, at 500 changes a second"},
		}, s.deleteTopics(ctx, prefix)
	})
}

// change updates rows of the table, five in each of a hundred transactions a second, until ctx is done.
func (s *session) change(ctx context.Context, table string) error {
	db, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return fmt.Errorf("connect to change %s: %w", table, err)
	}
	defer db.Close(context.WithoutCancel(ctx))
	var keys []string
	rows, err := db.Query(ctx, "SELECT tyshxydm FROM "+table)
	if err != nil {
		return err
	}
	if keys, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return err
	}
	const each = 5
	statement := "UPDATE " + table + " SET zczb = zczb + 1, changed = clock_timestamp() WHERE tyshxydm = ANY($1)"
	due := time.Now() // a transaction that took long is made up for by those after it
	for at := 0; ; at = (at + each) % (len(keys) - each) {
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
			return nil
		}
		due = due.Add(time.Second * each / changesPerSecond)
		if _, err := db.Exec(ctx, statement, keys[at:at+each]); err != nil && ctx.Err() == nil {
			return fmt.Errorf("change %s: %w", table, err)
		}
	}
}

// stand runs pipeline and delivery for a time, and takes the latencies of what is delivered after the warm-up.
func (w *worker) stand(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, warmUp+w.Standing)
	defer cancel()
	time.AfterFunc(warmUp, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.latencies = w.latencies[:0]
	})
	if err := w.pipeline(ctx, false, stampReads); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.latencies) == 0 {
		return errors.New("nothing was delivered")
	}
	slices.Sort(w.latencies)
	w.result.Changes = len(w.latencies)
	w.result.P50, w.result.P99 = w.latencies[len(w.latencies)/2], w.latencies[len(w.latencies)*99/100]
	return nil
}

// stampReads makes the time of a change the time of its being read, so that what the delivery observes is the time from
// there to the platform.
func stampReads(c *connectors.Connector) *connectors.Connector {
	stamped := *c
	stamped.OpenSource = func(ctx context.Context, r connectors.SourceRequest) (connectors.Source, error) {
		source, err := c.OpenSource(ctx, r)
		if err != nil {
			return nil, err
		}
		return &stampedSource{source}, nil
	}
	return &stamped
}

type stampedSource struct{ connectors.Source }

func (s *stampedSource) Read(ctx context.Context) (*connectors.Batch, error) {
	b, err := s.Source.Read(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now().UnixMicro()
	for i := range b.Rows {
		b.Rows[i].Time = now
	}
	return b, nil
}
