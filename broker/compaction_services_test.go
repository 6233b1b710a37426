//go:build services

package broker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/datong-dx/datong/broker"
)

// On a real broker compaction leaves gaps and the log's start where it was.
func TestATopicCompactedByKafkaIsReadWithItsGaps(t *testing.T) {
	t.Parallel()
	c := connect(t, env(t, "DATONG_TEST_KAFKA"), nil)
	to := name(t)
	spec := broker.StandardTopic(to, broker.TopicOptions{Partitions: 1, Replication: 1, SegmentTime: time.Second})
	spec.Config["min.cleanable.dirty.ratio"] = "0.01"
	spec.Config["max.compaction.lag.ms"] = "1000"
	if err := c.EnsureTopic(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	p := producer(t, c, broker.ProducerOptions{})
	for round, deadline := 0, time.Now().Add(90*time.Second); ; round++ {
		x := new(broker.Txn)
		for k := range 10 {
			x.Add(to, 0, broker.AppendPlainBody(nil, fmt.Append(nil, k), fmt.Appendf(nil, "%d-%d", k, round)))
		}
		commit(t, p, x)
		state := map[string]string{}
		var offsets []int64
		if _, err := c.Scan(t.Context(), to, nil, func(_ int32, r *broker.Record) error {
			state[string(r.Key)] = string(r.Value)
			offsets = append(offsets, r.Offset)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for k := range 10 {
			if got, want := state[fmt.Sprint(k)], fmt.Sprintf("%d-%d", k, round); got != want {
				t.Fatalf("key %d is %q, want %q", k, got, want)
			}
		}
		if offsets[0] > 0 && len(offsets) < 10*(round+1) {
			return // the first records have gone
		}
		if time.Now().After(deadline) {
			t.Fatal("the broker compacted nothing")
		}
		select {
		case <-time.After(500 * time.Millisecond): // segments close by the clock
		case <-t.Context().Done():
		}
	}
}
