package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// mapLimit is what a record of twelve elements may take to be mapped, validated and encoded.
const mapLimit = 1500 // ns

// benchMap measures one record of twelve columns without anything around it, and with its envelope.
func benchMap(_ context.Context, s *session) ([]figure, error) {
	return s.repeat(func(int) ([]figure, error) {
		mapper, rows, err := newMapper()
		if err != nil {
			return nil, err
		}
		defer rows.Release()
		alone, aloneAllocs := perRow(rows, func(row *connectors.Row) { mapper.Map(row) })
		en := newEncoder(mapper)
		enveloped, envelopedAllocs := perRow(rows, func(row *connectors.Row) { en.body(row) })
		return []figure{
			{"map12_ns_per_record", alone, mapLimit, withinLimit, "1.5 µs"},
			{"map12_allocs_per_record", aloneAllocs, 0, withinLimit, "none in steady state"},
			{"map12_with_headers_ns_per_record", enveloped, mapLimit, withinLimit, "1.5 µs; key, value and CloudEvents headers encoded"},
			{"map12_with_headers_allocs_per_record", envelopedAllocs, 0, withinLimit, "none in steady state"},
		}, nil
	})
}

// perRow returns the nanoseconds and allocations that work costs for one row, of the quickest of many passes over the
// rows: whatever else the machine does can only add to them.
func perRow(rows *connectors.Batch, work func(*connectors.Row)) (ns, allocs float64) {
	pass := func() {
		for i := range rows.Rows {
			work(&rows.Rows[i])
		}
	}
	allocs = testing.AllocsPerRun(10, pass) / float64(len(rows.Rows))
	const passes = 500
	quickest := time.Hour
	for range passes {
		start := time.Now()
		pass()
		quickest = min(quickest, time.Since(start))
	}
	return float64(quickest.Nanoseconds()) / float64(len(rows.Rows)), allocs
}

// newMapper returns a mapper of the register and some rows that it accepts.
func newMapper() (*mapping.Mapper, *connectors.Batch, error) {
	p, err := plan()
	if err != nil {
		return nil, nil, err
	}
	t := registerTable()
	bound, err := p.Bind(t)
	if err != nil {
		return nil, nil, err
	}
	mapper, rows := bound.NewMapper(), newEnterprises().batch(t, 0, 1000)
	for i := range rows.Rows {
		if out := mapper.Map(&rows.Rows[i]); out.Outcome != mapping.Accepted {
			return nil, nil, fmt.Errorf("a row of the register is not accepted: %v", out.Violations)
		}
	}
	return mapper, rows, nil
}

// encoder makes record bodies of rows as the pipeline does.
type encoder struct {
	mapper   *mapping.Mapper
	envelope *broker.Envelope
	scratch  []byte
}

func newEncoder(m *mapping.Mapper) *encoder {
	return &encoder{mapper: m, envelope: broker.NewEnvelope(department, "enterprises", "register", entity, dictionary.Builtin().Version)}
}

// body returns a row's record, and its key; both are valid until the next call.
func (e *encoder) body(row *connectors.Row) (body, key []byte) {
	out := e.mapper.Map(row)
	cause := broker.Cause{Order: row.Order, Op: row.Op, Digest: out.Digest}
	ev := broker.Event{ID: e.envelope.EventID(&cause, out.Key), Time: row.Time, Order: row.Order, Digest: out.Digest}
	e.scratch = e.envelope.AppendBody(e.scratch[:0], out.Key, out.Value, &ev)
	return e.scratch, out.Key
}
