package delivery

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/datong-dx/datong/connectors"
)

// Rebuild empties the sink's tables and fills them anew from the topics' start. It returns when they are empty; a
// delivery that runs, here or elsewhere, then goes on from the start.
func (d *Delivery) Rebuild(ctx context.Context) error {
	parts, err := d.allParts(ctx)
	if err != nil {
		return err
	}
	partitions := make([]connectors.Partition, len(parts))
	for i, p := range parts {
		partitions[i] = p.sink
	}
	sink, err := d.open(ctx)
	if err != nil {
		return err
	}
	err = errors.Join(sink.Rewind(ctx, d.allTables(), partitions), sink.Close())
	if err == nil {
		d.restart()
	}
	return err
}

// restart makes a delivery that runs ask its sink anew where it stands. What it has shown until now is not so any more.
func (d *Delivery) restart() {
	d.mu.Lock()
	cancel := d.again
	d.status.State, d.status.Counts, d.status.Pipelines = Starting, Counts{}, map[string]Counts{}
	clear(d.reached)
	d.mu.Unlock()
	if cancel != nil {
		cancel(errAgain)
	}
	signal(d.wake)
}

// errAgain ends an attempt because the sink was changed under it.
var errAgain = errors.New("the sink was rewound")

func (d *Delivery) allTables() []*connectors.Table {
	var tables []*connectors.Table
	for _, t := range d.tables {
		tables = append(tables, t.Table)
	}
	slices.SortFunc(tables, func(a, b *connectors.Table) int { return strings.Compare(a.Name, b.Name) })
	return tables
}
