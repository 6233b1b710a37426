package main

import (
	"context"
	"fmt"
)

// memoryBudget is what a process may hold at its peak, in MiB.
const memoryBudget = 200

// benchMemory measures the peak of memory of a process that runs a pipeline and a delivery at once: over a table, over
// one four times as large, and over one of which every row is refused.
func benchMemory(ctx context.Context, s *session) ([]figure, error) {
	n := s.size(1_000_000, 100_000)
	for _, t := range []struct {
		name string
		rows int
	}{{"once", n}, {"fourfold", 4 * n}, {"wrong", n / 2}} {
		if err := s.fillTable(ctx, t.name, 0, t.rows); err != nil {
			return nil, err
		}
	}
	if err := s.exec(ctx, "UPDATE wrong SET bz = 'RMB', tyshxydm = left(tyshxydm, 17) || '*'"); err != nil {
		return nil, err
	}
	if err := s.fillNumbered(ctx, "fourfold_numbered", "fourfold"); err != nil {
		return nil, err
	}
	// Once: a peak hardly differs from run to run, and four million rows take minutes.
	var peaks [4]float64
	for i, measure := range []func() (float64, error){
		func() (float64, error) { return s.peak(ctx, "once") },
		func() (float64, error) { return s.peak(ctx, "fourfold") },
		func() (float64, error) { return s.peak(ctx, "fourfold_numbered") },
		func() (float64, error) { return s.peakOfQuarantine(ctx, "wrong") },
	} {
		var err error
		if peaks[i], err = measure(); err != nil {
			return nil, err
		}
	}
	return []figure{
		{"peak_memory_table_mib", peaks[0], memoryBudget, withinLimit, "200 MiB; pipeline and delivery in one process"},
		{"peak_memory_table_fourfold_mib", peaks[1], memoryBudget, withinLimit, "200 MiB; the same with four times the rows"},
		{"peak_memory_fourfold_beside_once_mib", peaks[1], peaks[0], target{ratio: 1.1, most: true}, "the table that is not four times as large"},
		{"peak_memory_numbered_table_fourfold_mib", peaks[2], memoryBudget, withinLimit, "200 MiB; the same, every key compared with those before"},
		{"peak_memory_quarantine_mib", peaks[3], memoryBudget, withinLimit, "200 MiB; every row refused, then begun again with all of them waiting"},
	}, nil
}

func (s *session) peak(ctx context.Context, table string) (float64, error) {
	prefix, schema := s.name+"-"+table, s.name+"_"+table
	d, err := s.spawn(ctx, job{
		Prefix: prefix, Connector: "sqltable", Settings: map[string]string{"url": s.url, "tables": table},
		Platform: s.url, Schema: schema,
	})
	if err != nil {
		return 0, err
	}
	if d.Delivered != d.Status.Read {
		return 0, fmt.Errorf("delivered %d of %d rows of %s", d.Delivered, d.Status.Read, table)
	}
	if err := s.exec(ctx, "DROP SCHEMA "+schema+" CASCADE"); err != nil {
		return 0, err
	}
	return mebibytes(d.PeakBytes), s.deleteTopics(ctx, prefix)
}

// peakOfQuarantine refuses all rows, then begins again, when the waiting rows are read from the topic. The second time
// the table is read as a comparison, so that every refused row is met again.
func (s *session) peakOfQuarantine(ctx context.Context, table string) (float64, error) {
	prefix := s.name + "-" + table
	peak := 0.0
	for range 2 {
		d, err := s.spawn(ctx, job{Prefix: prefix, Connector: "sqltable", RefuseAll: true, Settings: map[string]string{"url": s.url, "tables": table, "mode": "difference"}})
		if err != nil {
			return 0, err
		}
		if d.Status.Waiting == 0 {
			return 0, fmt.Errorf("no row of %s was refused", table)
		}
		peak = max(peak, mebibytes(d.PeakBytes))
	}
	return peak, s.deleteTopics(ctx, prefix)
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
