//go:build services

package broker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
)

// A task that slept while a twin took over publishes nothing, stays fenced, and does the twin no harm. Only a real broker
// fences the old epoch's InitProducerID.
func TestAWokenZombieIsFencedAndStaysSo(t *testing.T) {
	t.Parallel()
	addr := env(t, "DATONG_TEST_KAFKA")
	c := connect(t, addr, nil)
	to, id := topic(t, c, 2), name(t)
	zombie := started(t, c, id, broker.ProducerOptions{})
	commit(t, zombie, txn(to, 2, 4, "before"))
	twin := started(t, c, id, broker.ProducerOptions{})
	commit(t, twin, txn(to, 2, 4, "twin"))

	if err := zombie.Commit(t.Context(), txn(to, 2, 4, "zombie")); !errors.Is(err, broker.ErrTransactionLost) {
		t.Errorf("the zombie's commit: %v, want a lost transaction", err)
	}
	if err := zombie.Recover(t.Context()); !errors.Is(err, broker.ErrFenced) {
		t.Errorf("the zombie's recovery: %v, want fenced", err)
	}
	if err := zombie.Recover(t.Context()); !errors.Is(err, broker.ErrFenced) {
		t.Errorf("the zombie's second recovery: %v, want fenced", err)
	}
	commit(t, twin, txn(to, 2, 4, "after"))
	if diff := cmp.Diff(want(2, run{"before", 4}, run{"twin", 4}, run{"after", 4}), values(t, c, to)); diff != "" {
		t.Error(diff)
	}
}

// The broker aborts a transaction that stays open past its timeout; the producer, alone, recovers and is not taken for a
// zombie. When its commit comes too late every request is answered, so nothing but the refusal says what has happened.
func TestAProducerWhoseTransactionTimedOutRecovers(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		const aborted = 4500 * time.Millisecond // the broker's sweep comes once a second
		for late, how := range map[string]struct {
			connect func(testing.TB, string, *brokertest.Faults) *broker.Client
			delay   func(*brokertest.Faults)
		}{
			"batches without answer": {quick, func(f *brokertest.Faults) { time.AfterFunc(aborted, f.Block(brokertest.Produce)) }},
			"commit refused": {connect, func(f *brokertest.Faults) {
				f.Change(brokertest.Produce, 1, func(answer []byte) []byte { time.Sleep(aborted); return answer })
			}},
		} {
			t.Run(late, func(t *testing.T) {
				t.Parallel()
				faults := brokertest.NewFaults()
				c := how.connect(t, addr, faults)
				to := topic(t, connect(t, addr, nil), 1)
				p := producer(t, c, broker.ProducerOptions{TransactionTimeout: 2 * time.Second})
				commit(t, p, txn(to, 1, 2, "before"))
				how.delay(faults)
				if err := p.Commit(t.Context(), txn(to, 1, 2, "slow")); !errors.Is(err, broker.ErrTransactionLost) {
					t.Fatalf("got %v, want a lost transaction", err)
				}
				if err := p.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				commit(t, p, txn(to, 1, 2, "good"))
				if diff := cmp.Diff(want(1, run{"before", 2}, run{"good", 2}), values(t, c, to)); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

// A zombie whose transaction was open when the twin came, or when the broker aborted it before the twin came, is told apart
// from a producer that was merely too slow.
func TestAZombieWithAnOpenTransactionIsFenced(t *testing.T) {
	t.Parallel()
	for how, timedOut := range map[string]bool{"aborted by the twin": false, "aborted for its timeout": true} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			addr := env(t, "DATONG_TEST_KAFKA")
			faults := brokertest.NewFaults()
			c, healthy := quick(t, addr, faults), connect(t, addr, nil)
			to, id := topic(t, healthy, 1), name(t)
			zombie := started(t, c, id, broker.ProducerOptions{TransactionTimeout: 2 * time.Second})
			commit(t, zombie, txn(to, 1, 2, "before"))
			faults.Block(brokertest.Produce)
			limit := 1500 * time.Millisecond
			if timedOut {
				limit = 7 * time.Second // the broker's sweep comes once a second
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			if err := zombie.Commit(ctx, txn(to, 1, 2, "zombie")); !errors.Is(err, broker.ErrTransactionLost) {
				t.Fatalf("got %v, want a lost transaction", err)
			}
			twin := started(t, healthy, id, broker.ProducerOptions{})
			if err := zombie.Recover(t.Context()); !errors.Is(err, broker.ErrFenced) {
				t.Errorf("the zombie's recovery: %v, want fenced", err)
			}
			commit(t, twin, txn(to, 1, 2, "twin"))
			if diff := cmp.Diff(want(1, run{"before", 2}, run{"twin", 2}), values(t, healthy, to)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A zombie that never learnt that its transaction was committed does not take the twin's epoch for the one that a broker's
// own abort would have left.
func TestAZombieThatWaitsForItsCommitIsFenced(t *testing.T) {
	t.Parallel()
	addr := env(t, "DATONG_TEST_KAFKA")
	faults := brokertest.NewFaults()
	c, healthy := quick(t, addr, faults), connect(t, addr, nil)
	to, id := topic(t, c, 1), name(t)
	zombie := started(t, c, id, broker.ProducerOptions{})
	faults.LoseAnswer(brokertest.EndTxn, 1)
	unblock := faults.Block(brokertest.EndTxn)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := zombie.Commit(ctx, txn(to, 1, 2, "committed")); !errors.Is(err, broker.ErrTransactionLost) {
		t.Fatalf("the zombie's commit: %v, want a lost transaction", err)
	}
	twin := started(t, healthy, id, broker.ProducerOptions{})
	unblock()
	if err := zombie.Recover(t.Context()); !errors.Is(err, broker.ErrFenced) {
		t.Errorf("the zombie's recovery: %v, want fenced", err)
	}
	commit(t, twin, txn(to, 1, 2, "twin"))
	if diff := cmp.Diff(want(1, run{"committed", 2}, run{"twin", 2}), values(t, healthy, to)); diff != "" {
		t.Error(diff)
	}
}
