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
	topics, err := d.topics(ctx)
	if err != nil {
		return err
	}
	sizes, err := d.opt.Client.Topics(ctx)
	if err != nil {
		return err
	}
	cluster, err := d.opt.Client.ClusterID(ctx)
	if err != nil {
		return err
	}
	var partitions []connectors.Partition
	for _, topic := range topics {
		for id := range sizes[topic] {
			partitions = append(partitions, connectors.Partition{Cluster: cluster, Topic: topic, ID: int32(id)})
		}
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

// restart makes a delivery that runs ask its sink anew where it stands.
func (d *Delivery) restart() {
	d.mu.Lock()
	cancel := d.again
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
