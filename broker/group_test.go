package broker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/broker"
)

// join joins a group with short times.
func join(t testing.TB, c *broker.Client, id, to string) *broker.Group {
	t.Helper()
	g, err := c.JoinGroup(broker.GroupConfig{ID: id, Topics: []string{to}, Heartbeat: 300 * time.Millisecond,
		SessionTimeout: 6 * time.Second, RebalanceTimeout: 6 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func next(t testing.TB, g *broker.Group) *broker.Generation {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		gen, err := g.Next(ctx)
		if err == nil {
			return gen
		}
		if ctx.Err() != nil || errors.Is(err, broker.ErrClosed) {
			t.Fatal(err)
		}
	}
}

func TestAGroupSharesPartitionsAndKeepsThem(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		c, other := connect(t, addr, nil), connect(t, addr, nil)
		to, id := topic(t, c, 4), name(t)
		at := broker.TopicPartition{Topic: to, Partition: 2}

		a := join(t, c, id, to)
		defer a.Close()
		alone := next(t, a)
		if diff := cmp.Diff(map[string][]int32{to: {0, 1, 2, 3}}, alone.Assigned); diff != "" {
			t.Error(diff)
		}
		if alone.Offsets[at] != -1 {
			t.Errorf("an offset of nothing: %d", alone.Offsets[at])
		}
		committed := make(chan error, 1)
		alone.Run(func(ctx context.Context) {
			<-ctx.Done() // the rebalance
			committed <- alone.Commit(map[broker.TopicPartition]int64{at: 7})
		})
		b := join(t, other, id, to)
		first := next(t, a)
		second := next(t, b)
		if err := <-committed; err != nil {
			t.Errorf("a commit while the generation ends: %v", err)
		}
		for len(first.Assigned[to]) == 4 { // the other member came a generation later
			first = next(t, a)
		}
		if len(first.Assigned[to]) != 2 || len(second.Assigned[to]) != 2 {
			t.Fatalf("shares %v and %v", first.Assigned, second.Assigned)
		}
		offset, ok := first.Offsets[at]
		if !ok {
			offset, ok = second.Offsets[at]
		}
		if !ok || offset != 7 {
			t.Errorf("the committed offset came back as %d", offset)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		again := next(t, a)
		if diff := cmp.Diff(map[string][]int32{to: {0, 1, 2, 3}}, again.Assigned); diff != "" {
			t.Errorf("after the other left: %s", diff)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if _, err := a.Next(t.Context()); !errors.Is(err, broker.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestOffsetsOfAGroupWithoutMembers(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		c := connect(t, addr, nil)
		to, id := topic(t, c, 2), name(t)
		at := broker.TopicPartition{Topic: to, Partition: 1}
		got, err := c.FetchOffsets(t.Context(), id, map[string][]int32{to: {0, 1}})
		if diff := cmp.Diff(map[broker.TopicPartition]int64{{Topic: to}: -1, at: -1}, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if err := c.CommitOffsets(t.Context(), id, map[broker.TopicPartition]int64{at: 42}); err != nil {
			t.Fatal(err)
		}
		got, err = c.FetchOffsets(t.Context(), id, map[string][]int32{to: {0, 1}})
		if diff := cmp.Diff(map[broker.TopicPartition]int64{{Topic: to}: -1, at: 42}, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}
