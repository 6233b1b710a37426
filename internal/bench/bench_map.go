package main

import (
	"context"
	"fmt"
	"testing"

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
		alone := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				mapper.Map(&rows.Rows[i%len(rows.Rows)])
			}
		})
		enveloped := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			en := newEncoder(mapper)
			for i := 0; b.Loop(); i++ {
				en.body(&rows.Rows[i%len(rows.Rows)])
			}
		})
		return []figure{
			{"map12_ns_per_record", perOp(alone), mapLimit, withinLimit, "1.5 µs"},
			{"map12_allocs_per_record", float64(alone.AllocsPerOp()), 0, withinLimit, "none in steady state"},
			{"map12_with_headers_ns_per_record", perOp(enveloped), mapLimit, withinLimit, "1.5 µs; key, value and CloudEvents headers encoded"},
			{"map12_with_headers_allocs_per_record", float64(enveloped.AllocsPerOp()), 0, withinLimit, "none in steady state"},
		}, nil
	})
}

func perOp(r testing.BenchmarkResult) float64 { return float64(r.T.Nanoseconds()) / float64(r.N) }

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
