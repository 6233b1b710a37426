package broker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
	"github.com/datong-dx/datong/broker/embedded"
)

// Partitions live on several brokers and move between them while they are written and read.
func TestLeadersThatAreManyAndMove(t *testing.T) {
	t.Parallel()
	b, err := embedded.Start(t.Context(), embedded.Options{More: []kfake.Opt{kfake.Ports(0, 0, 0)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	c := brokertest.Connect(t, broker.Config{Brokers: []string{b.Addr()}, Timeout: 5 * time.Second})
	const partitions = 12
	to := topic(t, c, partitions)
	p := producer(t, c, broker.ProducerOptions{})
	r := reader(t, c, broker.ReaderOptions{})
	for i := range int32(partitions) {
		r.Assign(to, i, 0)
	}
	var runs []run
	for i := range 4 {
		tag := fmt.Sprintf("round%d", i)
		commit(t, p, txn(to, partitions, 240, tag))
		runs = append(runs, run{tag, 240})
		b.Cluster().ShufflePartitionLeaders()
		poll(t, r, 240)
	}
	if diff := cmp.Diff(want(partitions, runs...), values(t, c, to)); diff != "" {
		t.Error(diff)
	}
}
