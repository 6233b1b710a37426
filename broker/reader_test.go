package broker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
)

func reader(t testing.TB, c *broker.Client, opts broker.ReaderOptions) *broker.Reader {
	t.Helper()
	r := c.NewReader(opts)
	t.Cleanup(r.Close)
	return r
}

// poll reads until n records have come, or fails.
func poll(t testing.TB, r *broker.Reader, n int) (got []string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); len(got) < n; {
		if time.Now().After(deadline) {
			t.Fatalf("read %d records, want %d", len(got), n)
		}
		fetched, err := r.Poll(t.Context(), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fetched {
			for i := range f.Records {
				got = append(got, string(f.Records[i].Value))
			}
		}
	}
	return got
}

// Records are read from any offset on, inside a batch too, and an assignment can be moved while a fetch is under way.
func TestReadingFromAnyOffset(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		c := connect(t, addr, nil)
		to := topic(t, c, 1)
		p := producer(t, c, broker.ProducerOptions{})
		commit(t, p, txn(to, 1, 5, "a")) // offsets 0–4, marker 5
		commit(t, p, txn(to, 1, 5, "b")) // 6–10, marker 11
		r := reader(t, c, broker.ReaderOptions{})
		all := want(1, run{"a", 5}, run{"b", 5})
		for offset, from := range map[int64]int{0: 0, 3: 3, 4: 4, 5: 5, 6: 5, 9: 8} {
			r.Assign(to, 0, offset)
			if diff := cmp.Diff(all[from:], poll(t, r, len(all)-from)); diff != "" {
				t.Errorf("from offset %d: %s", offset, diff)
			}
		}
		r.Assign(to, 0, 12) // the end
		if fetched, err := r.Poll(t.Context(), 50*time.Millisecond); err != nil || len(fetched) != 0 {
			t.Errorf("at the end: %v, %v", fetched, err)
		}
		r.Unassign(to, 0)
		commit(t, p, txn(to, 1, 1, "c"))
		if fetched, err := r.Poll(t.Context(), 300*time.Millisecond); err != nil || len(fetched) != 0 {
			t.Errorf("of an unassigned partition: %v, %v", fetched, err)
		}
	})
}

func TestALongPollWakesWhenRecordsCome(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		c := connect(t, addr, nil)
		to := topic(t, c, 2)
		p := producer(t, c, broker.ProducerOptions{})
		r := reader(t, c, broker.ReaderOptions{})
		r.Assign(to, 0, 0)
		r.Assign(to, 1, 0)
		if _, err := r.Poll(t.Context(), 10*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		errs := make(chan error, 1)
		go func() { errs <- p.Commit(context.Background(), txn(to, 2, 2, "x")) }()
		for got := 0; got < 2; {
			fetched, err := r.Poll(t.Context(), 20*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range fetched {
				got += len(f.Records)
			}
		}
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begin); d > 10*time.Second {
			t.Errorf("woke after %s", d)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		if _, err := r.Poll(ctx, time.Minute); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled Poll: %v", err)
		}
	})
}

func TestAnOffsetOutOfRangeIsTold(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		c := connect(t, addr, nil)
		to := topic(t, c, 2)
		commit(t, producer(t, c, broker.ProducerOptions{}), txn(to, 2, 4, "x"))
		r := reader(t, c, broker.ReaderOptions{})
		r.Assign(to, 0, 1000)
		r.Assign(to, 1, 0)
		var out *broker.OffsetError
		seen := 0
		for deadline := time.Now().Add(10 * time.Second); (out == nil || seen < 2) && time.Now().Before(deadline); {
			fetched, err := r.Poll(t.Context(), time.Second)
			if err != nil && !errors.As(err, &out) {
				t.Fatal(err)
			}
			for _, f := range fetched {
				seen += len(f.Records)
			}
		}
		if out == nil || out.Topic != to || out.Partition != 0 || out.Offset != 1000 {
			t.Errorf("got %v", out)
		}
		if seen != 2 {
			t.Errorf("the other partition gave %d records, want 2", seen)
		}
		r.Assign(to, 0, 0)
		poll(t, r, 2)
	})
}

// Records larger than what is asked for of a partition still come, beside partitions that are always full.
func TestRecordsLargerThanTheFetchStillCome(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		c := connect(t, addr, nil)
		to := topic(t, c, 3)
		p := producer(t, c, broker.ProducerOptions{Compression: "none"})
		x := new(broker.Txn)
		for i := range 3 {
			for p := range int32(3) {
				x.Add(to, p, broker.AppendPlainBody(nil, nil, []byte(strings.Repeat(fmt.Sprint(i), 900_000))))
			}
		}
		commit(t, p, x)
		r := reader(t, c, broker.ReaderOptions{PartitionBytes: 1000, MaxBytes: 1000})
		for p := range int32(3) {
			r.Assign(to, p, 0)
		}
		if got := poll(t, r, 9); len(got) != 9 || len(got[8]) != 900_000 {
			t.Errorf("read %d records", len(got))
		}
	})
}

// A reader stands before an open transaction, and a scan waits for its end.
func TestAScanWaitsForOpenTransactions(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		faults := brokertest.NewFaults()
		c := quick(t, addr, faults)
		to := topic(t, connect(t, addr, nil), 1)
		good, hung := producer(t, c, broker.ProducerOptions{}), producer(t, c, broker.ProducerOptions{})
		unblock := faults.Block(brokertest.EndTxn)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := hung.Commit(ctx, txn(to, 1, 2, "hung")); !errors.Is(err, broker.ErrTransactionLost) {
			t.Fatal(err)
		}
		unblock()
		commit(t, good, txn(to, 1, 2, "good"))

		r := reader(t, c, broker.ReaderOptions{})
		r.Assign(to, 0, 0)
		if fetched, err := r.Poll(t.Context(), 200*time.Millisecond); err != nil || len(fetched) > 0 {
			t.Errorf("read past an open transaction: %v, %v", fetched, err)
		}
		loose := reader(t, c, broker.ReaderOptions{ReadUncommitted: true})
		loose.Assign(to, 0, 0)
		if diff := cmp.Diff(want(1, run{"hung", 2}, run{"good", 2}), poll(t, loose, 4)); diff != "" {
			t.Errorf("read uncommitted: %s", diff)
		}
		short, cancelShort := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancelShort()
		if _, err := c.Scan(short, to, nil, func(int32, *broker.Record) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("scan of an open transaction: %v", err)
		}
		recovered := make(chan error, 1)
		go func() { recovered <- hung.Recover(context.Background()) }()
		if diff := cmp.Diff(want(1, run{"good", 2}), values(t, c, to)); diff != "" {
			t.Error(diff)
		}
		if err := <-recovered; err != nil {
			t.Fatal(err)
		}
	})
}

func TestAScanOfNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		c := connect(t, addr, nil)
		to := topic(t, c, 2)
		ends, err := c.Scan(t.Context(), to, nil, func(int32, *broker.Record) error { return errors.New("called") })
		if diff := cmp.Diff([]int64{0, 0}, ends); diff != "" || err != nil {
			t.Error(diff, err)
		}
		stop := errors.New("stop")
		commit(t, producer(t, c, broker.ProducerOptions{}), txn(to, 2, 4, "x"))
		if _, err := c.Scan(t.Context(), to, []int32{1}, func(int32, *broker.Record) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("got %v, want the callback's error", err)
		}
		if _, err := c.Scan(t.Context(), to, []int32{7}, nil); err == nil {
			t.Error("a partition that does not exist was scanned")
		}
	})
}

func TestATopicThatDoesNotExistIsTold(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		c := brokertest.Connect(t, broker.Config{Brokers: []string{addr}, Timeout: 3 * time.Second})
		if _, err := c.EndOffsets(t.Context(), name(t)); !errors.Is(err, broker.ErrNoTopic) {
			t.Errorf("got %v", err)
		}
		p := producer(t, c, broker.ProducerOptions{TransactionTimeout: time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := p.Commit(ctx, txn(name(t), 1, 1, "x")); !errors.Is(err, broker.ErrTransactionLost) {
			t.Errorf("got %v", err)
		}
	})
}

func TestABrokerThatIsNotThereIsUnreachable(t *testing.T) {
	c := brokertest.Connect(t, broker.Config{Brokers: []string{"127.0.0.1:1"}, Timeout: 300 * time.Millisecond})
	if _, err := c.ClusterID(t.Context()); !errors.Is(err, broker.ErrUnreachable) {
		t.Errorf("ClusterID: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := c.NewProducer("x", broker.ProducerOptions{}).Start(ctx); !errors.Is(err, broker.ErrUnreachable) {
		t.Errorf("Start: %v", err)
	}
	r := reader(t, c, broker.ReaderOptions{})
	r.Assign("x", 0, 0)
	if _, err := r.Poll(t.Context(), 2*time.Second); !errors.Is(err, broker.ErrUnreachable) {
		t.Errorf("Poll: %v", err)
	}
	c.Close()
	if _, err := c.Topics(t.Context()); !errors.Is(err, broker.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// What compaction leaves is read as it is: with gaps, and from a log whose start has moved.
func TestACompactedTopicIsReadWithItsGaps(t *testing.T) {
	c, b := brokertest.StartWith(t, broker.Config{})
	to := name(t)
	if err := c.EnsureTopic(t.Context(), broker.StandardTopic(to, broker.TopicOptions{Partitions: 1})); err != nil {
		t.Fatal(err)
	}
	p := producer(t, c, broker.ProducerOptions{})
	for round := range 5 {
		x := new(broker.Txn)
		for k := range 10 {
			x.Add(to, 0, broker.AppendPlainBody(nil, fmt.Append(nil, k), fmt.Appendf(nil, "%d-%d", k, round)))
		}
		commit(t, p, x)
	}
	b.Cluster().Compact()
	state := map[string]string{}
	records := 0
	if _, err := c.Scan(t.Context(), to, nil, func(_ int32, r *broker.Record) error {
		state[string(r.Key)] = string(r.Value)
		records++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if records >= 50 {
		t.Errorf("nothing was compacted: %d records", records)
	}
	for k := range 10 {
		if got := state[fmt.Sprint(k)]; got != fmt.Sprintf("%d-4", k) {
			t.Errorf("key %d is %q", k, got)
		}
	}
}
