package broker_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
	"github.com/datong-dx/datong/connectors"
)

// quick is a client whose requests count as unanswered soon, through faults.
func quick(t testing.TB, addr string, faults *brokertest.Faults) *broker.Client {
	t.Helper()
	return brokertest.Connect(t, broker.Config{Brokers: []string{addr}, Timeout: 1500 * time.Millisecond, Dial: faults.Dial})
}

// A lost request or answer of any kind is repeated; the records are there once, and the next transaction begins in a
// higher epoch, because what was lost may only be late.
func TestALostAnswerIsRepeatedAndTheEpochRaised(t *testing.T) {
	type loss struct {
		name string
		do   func(*brokertest.Faults, brokertest.Kind)
	}
	losses := []loss{
		{"request lost", func(f *brokertest.Faults, k brokertest.Kind) { f.LoseRequest(k, 1) }},
		{"answer lost", func(f *brokertest.Faults, k brokertest.Kind) { f.LoseAnswer(k, 1) }},
		{"broker frozen", func(f *brokertest.Faults, k brokertest.Kind) { f.Stall(k, 1) }},
	}
	kinds := map[string]brokertest.Kind{
		"AddPartitionsToTxn": brokertest.AddPartitionsToTxn, "Produce": brokertest.Produce, "EndTxn": brokertest.EndTxn,
	}
	everywhere(t, func(t *testing.T, addr string) {
		for _, l := range losses {
			for kind, k := range kinds {
				t.Run(kind+" "+l.name, func(t *testing.T) {
					faults := brokertest.NewFaults()
					c := quick(t, addr, faults)
					to := topic(t, connect(t, addr, nil), 2)
					p := producer(t, c, broker.ProducerOptions{})
					commit(t, p, txn(to, 2, 4, "before"))
					epochs := faults.Seen(brokertest.InitProducerID)
					l.do(faults, k)
					commit(t, p, txn(to, 2, 10, "hit"))
					if got := faults.Seen(brokertest.InitProducerID); got != epochs {
						t.Errorf("the epoch was raised inside Commit: %d requests, want %d", got, epochs)
					}
					commit(t, p, txn(to, 2, 6, "after"))
					if got := faults.Seen(brokertest.InitProducerID); got <= epochs {
						t.Error("the next transaction went on in the same epoch")
					}
					if diff := cmp.Diff(want(2, run{"before", 4}, run{"hit", 10}, run{"after", 6}), values(t, c, to)); diff != "" {
						t.Error(diff)
					}
				})
			}
		}
	})
}

// A network that delivers a batch twice does not make it two batches.
func TestARepeatedBatchIsDeduplicated(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		faults := brokertest.NewFaults()
		c := connect(t, addr, faults)
		to := topic(t, c, 1)
		p := producer(t, c, broker.ProducerOptions{})
		faults.Repeat(brokertest.Produce, 1)
		commit(t, p, txn(to, 1, 5, "x"))
		if diff := cmp.Diff(want(1, run{"x", 5}), values(t, c, to)); diff != "" {
			t.Error(diff)
		}
	})
}

// A transaction that cannot be ended is lost; Recover aborts it and its records are never seen.
func TestAnAbortedTransactionIsInvisible(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		faults := brokertest.NewFaults()
		c := quick(t, addr, faults)
		to := topic(t, connect(t, addr, nil), 3)
		p := producer(t, c, broker.ProducerOptions{})
		unblock := faults.Block(brokertest.EndTxn)
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		err := p.Commit(ctx, txn(to, 3, 30, "aborted"))
		if !errors.Is(err, broker.ErrTransactionLost) || !errors.Is(err, broker.ErrUnreachable) {
			t.Fatalf("got %v, want a lost transaction because of an unreachable broker", err)
		}
		if err := p.Commit(t.Context(), txn(to, 3, 3, "too early")); !errors.Is(err, broker.ErrTransactionLost) {
			t.Errorf("got %v for a commit before Recover", err)
		}
		unblock()
		if err := p.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		commit(t, p, txn(to, 3, 9, "good"))
		if diff := cmp.Diff(want(3, run{"good", 9}), values(t, c, to)); diff != "" {
			t.Error(diff)
		}
	})
}

// When the answer to the commit stays away, only the log tells what happened: here the transaction was committed.
func TestACommitWhoseAnswerStaysAwayMayHaveHappened(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		faults := brokertest.NewFaults()
		c := quick(t, addr, faults)
		to := topic(t, connect(t, addr, nil), 1)
		p := producer(t, c, broker.ProducerOptions{})
		faults.LoseAnswer(brokertest.EndTxn, 1)
		unblock := faults.Block(brokertest.EndTxn)
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		if err := p.Commit(ctx, txn(to, 1, 3, "x")); !errors.Is(err, broker.ErrTransactionLost) {
			t.Fatalf("got %v, want a lost transaction", err)
		}
		unblock()
		if err := p.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want(1, run{"x", 3}), values(t, c, to)); diff != "" {
			t.Error(diff)
		}
	})
}

// An EndTxn that was repeated because its answer was late arrives in the middle of the next transaction. It must not
// commit half of it: the epoch was raised in between.
func TestALateCommitDoesNotEndTheNextTransaction(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		faults := brokertest.NewFaults()
		c := quick(t, addr, faults)
		to := topic(t, connect(t, addr, nil), 1)
		p := producer(t, c, broker.ProducerOptions{})
		late := faults.Hold(brokertest.EndTxn, 1)
		commit(t, p, txn(to, 1, 3, "first"))

		// The late EndTxn arrives when the second transaction's batch is written; then the second is aborted.
		faults.Change(brokertest.Produce, 1, func(answer []byte) []byte {
			if got := late.Release(); len(got) < 7 || got[5] == 0 && got[6] == 0 { // tags, throttle, code
				t.Errorf("the late commit was answered % x, want an error", got)
			}
			return answer
		})
		unblock := faults.Block(brokertest.EndTxn)
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		if err := p.Commit(ctx, txn(to, 1, 3, "second")); !errors.Is(err, broker.ErrTransactionLost) {
			t.Fatalf("got %v, want a lost transaction", err)
		}
		unblock()
		if err := p.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want(1, run{"first", 3}), values(t, c, to)); diff != "" {
			t.Error(diff)
		}
	})
}

// A batch that the network kept until its transaction was aborted arrives inside the next one: the broker must refuse
// it, and the right batch, which has the same sequence number, must be taken.
func TestABatchDelayedPastItsOwnAbortIsRefused(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		faults := brokertest.NewFaults()
		c := quick(t, addr, faults)
		to := topic(t, connect(t, addr, nil), 1)
		p := producer(t, c, broker.ProducerOptions{TransactionTimeout: 2 * time.Second})
		late := faults.Hold(brokertest.Produce, 1)
		unblock := faults.Block(brokertest.Produce)
		if err := p.Commit(t.Context(), txn(to, 1, 3, "late")); !errors.Is(err, broker.ErrTransactionLost) {
			t.Fatalf("got %v, want a lost transaction", err)
		}
		unblock()
		if err := p.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		faults.Change(brokertest.AddPartitionsToTxn, 1, func(answer []byte) []byte {
			if got := late.Release(); accepted(got, to) {
				t.Errorf("the late batch was accepted: % x", got)
			}
			return answer
		})
		commit(t, p, txn(to, 1, 3, "right"))
		if diff := cmp.Diff(want(1, run{"right", 3}), values(t, c, to)); diff != "" {
			t.Error(diff)
		}
	})
}

// accepted reads the code of the only partition in a Produce answer of version 8.
func accepted(answer []byte, topic string) bool {
	at := 4 + 2 + len(topic) + 4 + 4
	return len(answer) >= at+2 && answer[at] == 0 && answer[at+1] == 0
}

// A partition that was not added must not be produced to: Kafka would put the batch into the transaction before.
func TestNothingIsProducedBeforeEveryPartitionIsAdded(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		faults := brokertest.NewFaults()
		c := connect(t, addr, faults)
		to := topic(t, c, 2)
		p := producer(t, c, broker.ProducerOptions{})
		setLast := func(code byte) func([]byte) []byte {
			return func(answer []byte) []byte { // the last code stands before the tags of partition, topic and answer
				answer[len(answer)-5], answer[len(answer)-4] = 0, code
				return answer
			}
		}
		faults.Change(brokertest.AddPartitionsToTxn, 1, setLast(51)) // tried again
		commit(t, p, txn(to, 2, 4, "a"))

		produced := faults.Seen(brokertest.Produce)
		faults.Change(brokertest.AddPartitionsToTxn, 1, setLast(29))
		err := p.Commit(t.Context(), txn(to, 2, 4, "b"))
		var problem *connectors.Problem
		if !errors.Is(err, broker.ErrAuthorization) || !errors.As(err, &problem) || problem.Where != "topic "+to {
			t.Errorf("got %v, want a missing right on topic %s", err, to)
		}
		if n := faults.Seen(brokertest.Produce) - produced; n != 0 {
			t.Errorf("%d batches were produced after a partition was refused", n)
		}
		if err := p.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		faults.Change(brokertest.AddPartitionsToTxn, 1, func(answer []byte) []byte { return answer[:len(answer)-6] }) // cut short
		commit(t, p, txn(to, 2, 4, "c"))
		if diff := cmp.Diff(want(2, run{"a", 4}, run{"c", 4}), values(t, c, to)); diff != "" {
			t.Error(diff)
		}
	})
}

// An answer that does not speak of every partition counts as missing: the batch is sent again and deduplicated.
func TestAProduceAnswerWithoutAPartitionIsMissing(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		faults := brokertest.NewFaults()
		c := connect(t, addr, faults)
		to := topic(t, c, 1)
		p := producer(t, c, broker.ProducerOptions{})
		faults.Change(brokertest.Produce, 1, func([]byte) []byte { return []byte{0, 0, 0, 0, 0, 0, 0, 0} })
		faults.Change(brokertest.Produce, 2, func(answer []byte) []byte { return answer[:9] })
		commit(t, p, txn(to, 1, 3, "x"))
		if diff := cmp.Diff(want(1, run{"x", 3}), values(t, c, to)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRetriableCodesAreRetried(t *testing.T) {
	cases := map[brokertest.Kind][]int16{
		brokertest.InitProducerID:     {14, 15, 16, 51},
		brokertest.AddPartitionsToTxn: {14, 15, 16, 51, 3},
		brokertest.Produce:            {3, 5, 6, 7, 19, 20},
		brokertest.EndTxn:             {14, 15, 16, 51},
	}
	for kind, codes := range cases {
		for _, code := range codes {
			t.Run(fmt.Sprintf("kind %d code %d", kind, code), func(t *testing.T) {
				c, b := brokertest.StartWith(t, broker.Config{})
				to := topic(t, c, 2)
				hits := brokertest.Refuse(b, kind, code, 3)
				p := producer(t, c, broker.ProducerOptions{})
				commit(t, p, txn(to, 2, 6, "x"))
				if hits() != 3 {
					t.Errorf("%d requests were refused, want 3", hits())
				}
				if diff := cmp.Diff(want(2, run{"x", 6}), values(t, c, to)); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestFatalCodesLoseTheTransactionAndRecoverCures(t *testing.T) {
	cases := map[brokertest.Kind][]int16{
		brokertest.AddPartitionsToTxn: {47, 48, 49, 90},
		brokertest.Produce:            {-1, 10, 45, 47, 48, 90},
		brokertest.EndTxn:             {47, 48, 49, 90},
	}
	for kind, codes := range cases {
		for _, code := range codes {
			t.Run(fmt.Sprintf("kind %d code %d", kind, code), func(t *testing.T) {
				c, b := brokertest.StartWith(t, broker.Config{})
				to := topic(t, c, 2)
				p := producer(t, c, broker.ProducerOptions{})
				hits := brokertest.Refuse(b, kind, code, 1)
				err := p.Commit(t.Context(), txn(to, 2, 6, "x"))
				if !errors.Is(err, broker.ErrTransactionLost) || errors.Is(err, broker.ErrFenced) || hits() != 1 {
					t.Errorf("got %v after %d refusals, want a lost transaction", err, hits())
				}
				var problem *connectors.Problem
				if tooLarge := errors.As(err, &problem); tooLarge != (code == 10) {
					t.Errorf("got %v: is a problem for a person: %v", err, tooLarge)
				}
				if err := p.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				commit(t, p, txn(to, 2, 6, "y"))
				if diff := cmp.Diff(want(2, run{"y", 6}), values(t, c, to)); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestAFencedProducerStaysFenced(t *testing.T) {
	for _, code := range []int16{47, 90} {
		c, b := brokertest.StartWith(t, broker.Config{})
		to := topic(t, c, 1)
		p := producer(t, c, broker.ProducerOptions{})
		brokertest.Refuse(b, brokertest.Produce, 47, 1)
		if err := p.Commit(t.Context(), txn(to, 1, 1, "x")); !errors.Is(err, broker.ErrTransactionLost) {
			t.Fatal(err)
		}
		hits := brokertest.Refuse(b, brokertest.InitProducerID, code, -1)
		if err := p.Recover(t.Context()); !errors.Is(err, broker.ErrFenced) {
			t.Errorf("code %d: got %v from Recover, want fenced", code, err)
		}
		for what, err := range map[string]error{
			"Recover": p.Recover(t.Context()), "Start": p.Start(t.Context()), "Commit": p.Commit(t.Context(), txn(to, 1, 1, "y")),
		} {
			if !errors.Is(err, broker.ErrFenced) {
				t.Errorf("%s after it was fenced: got %v", what, err)
			}
		}
		if hits() != 2 { // with its epoch and with the one that a broker's abort would have left
			t.Errorf("a fenced producer made %d requests, want 2", hits())
		}
	}
}

func TestAProducerWhoseIDTheBrokerForgotStartsAnew(t *testing.T) {
	c, b := brokertest.StartWith(t, broker.Config{})
	to := topic(t, c, 1)
	p := producer(t, c, broker.ProducerOptions{})
	brokertest.Refuse(b, brokertest.AddPartitionsToTxn, 49, 1)
	if err := p.Commit(t.Context(), txn(to, 1, 1, "x")); !errors.Is(err, broker.ErrTransactionLost) {
		t.Fatal(err)
	}
	hits := brokertest.Refuse(b, brokertest.InitProducerID, 49, 1)
	if err := p.Recover(t.Context()); err != nil || hits() != 1 {
		t.Fatal(err, hits())
	}
	commit(t, p, txn(to, 1, 1, "y"))
	if diff := cmp.Diff(want(1, run{"y", 1}), values(t, c, to)); diff != "" {
		t.Error(diff)
	}
}
