package pipeline

import (
	"context"
	"fmt"
	"testing"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/memory"
	"github.com/datong-dx/datong/mapping"
)

const benchRows = 50_000

// BenchmarkPipeline takes rows from a source in memory to an embedded broker: everything but a real source and a real
// broker. Its allocations are the embedded broker's too.
func BenchmarkPipeline(b *testing.B) {
	w := newWorld(b)
	for i := range benchRows {
		w.put(fmt.Sprintf("%08d", i), "北京", "enterprise")
	}
	w.opt.Plans = []*mapping.Plan{plan(b, "entity: thing\nfields:\n  id: id\n  name: name\n  note: kind\n")}
	w.opt.Connector = &connectors.Connector{Name: "memory", OpenSource: func(_ context.Context, r connectors.SourceRequest) (connectors.Source, error) {
		return memory.NewSource(w.store, r.Position, 1000)
	}}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		w.opt.Name = fmt.Sprintf("things%d", n) // a new task: it begins at the start
		w.opt.Prefix = fmt.Sprintf("bench%d", n)
		if s := w.run(); s.Published != benchRows {
			b.Fatalf("published %d rows, want %d", s.Published, benchRows)
		}
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkMapJob is what the pipeline itself adds to mapping: rows become results with encoded records.
func BenchmarkMapJob(b *testing.B) {
	w := newWorld(b)
	w.opt.Plans = []*mapping.Plan{plan(b, "entity: thing\nfields:\n  id: id\n  name: name\n  note: kind\n")}
	p := New(w.opt)
	m := &mapper{a: &attempt{Pipeline: p, feeds: newFeeds(p)}, tables: map[*connectors.Table][]target{}, largest: p.opt.largestRecord()}
	t := &connectors.Table{Name: "things", Columns: []connectors.Column{{Name: "id"}, {Name: "name"}, {Name: "kind"}}, Key: []int{0}, Unique: true}
	batch := connectors.NewBatch()
	for i := range 1000 {
		row := batch.Add(t, connectors.OpSnapshot)
		row.Values[0], row.Values[1], row.Values[2] = text(fmt.Sprintf("%08d", i)), text("北京"), text("enterprise")
	}
	j := newJob(batch)
	b.ReportAllocs()
	for b.Loop() {
		j.results, j.bodies = j.results[:0], j.bodies[:0]
		if err := m.mapJob(j); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "rows/s")
}
