//go:build services

package broker_test

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
)

// testbed runs the testbed's script on a private instance in dir.
func testbed(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("../deploy/testbed/testbed", append(args, "--dir", dir)...)
	cmd.Env = append(cmd.Environ(), "DATONG_TEST_KAFKA=", "DATONG_TESTBED_DIR=", "KAFKA_SESSION_MS=3000")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("testbed %s: %v\n%s", args, err, out)
	}
	return string(out)
}

// privateKafka starts a broker of the test's own, so that it can be killed.
func privateKafka(t testing.TB) (addr, dir string) {
	t.Helper()
	dir = t.TempDir()
	t.Cleanup(func() { testbed(t, dir, "kill", "kafka") })
	testbed(t, dir, "up", "--only", "kafka")
	for line := range strings.Lines(testbed(t, dir, "env")) {
		if _, value, ok := strings.Cut(strings.TrimSpace(line), "export DATONG_TEST_KAFKA="); ok {
			return strings.Trim(value, "'"), dir
		}
	}
	t.Fatal("the testbed names no DATONG_TEST_KAFKA")
	return "", ""
}

// The broker is killed while a transaction is open and comes back before its timeout: the same transaction goes on to its
// end, and everything is there once.
func TestABrokerRestartedInTheMiddleOfATransaction(t *testing.T) {
	t.Parallel()
	addr, dir := privateKafka(t)
	faults := brokertest.NewFaults()
	c := brokertest.Connect(t, broker.Config{Brokers: []string{addr}, Timeout: 2 * time.Second, Dial: faults.Dial})
	to := topic(t, c, 4)
	p := producer(t, c, broker.ProducerOptions{TransactionTimeout: 2 * time.Minute})
	commit(t, p, txn(to, 4, 8, "before"))
	after := map[string]brokertest.Kind{"partitions added": brokertest.AddPartitionsToTxn, "batches produced": brokertest.Produce}
	for tag, kind := range after {
		var back sync.WaitGroup
		faults.Change(kind, 1, func(answer []byte) []byte {
			testbed(t, dir, "kill", "kafka")
			back.Go(func() { testbed(t, dir, "start", "kafka") })
			return answer
		})
		commit(t, p, txn(to, 4, 400, tag))
		back.Wait()
		got := 0
		for _, v := range values(t, c, to) {
			if strings.HasPrefix(v, tag) {
				got++
			}
		}
		if got != 400 {
			t.Errorf("killed after %s: %d records, want 400", tag, got)
		}
	}
	commit(t, p, txn(to, 4, 4, "after"))
	if got := len(values(t, c, to)); got != 812 {
		t.Errorf("%d records in all, want 812", got)
	}
	r := reader(t, c, broker.ReaderOptions{})
	r.Assign(to, 0, 0)
	poll(t, r, 100)
	testbed(t, dir, "kill", "kafka")
	testbed(t, dir, "start", "kafka")
	commit(t, p, txn(to, 4, 4, "again"))
	if diff := cmp.Diff(1, len(poll(t, r, 1))); diff != "" {
		t.Error(diff)
	}
}

// The broker is away for longer than the transaction's timeout, once while batches are produced and once while the commit
// is under way. When it is back it has aborted the transaction, and the producer, alone, is not taken for a zombie.
func TestABrokerAwayForLongerThanATransaction(t *testing.T) {
	t.Parallel()
	addr, dir := privateKafka(t)
	faults := brokertest.NewFaults()
	c := brokertest.Connect(t, broker.Config{Brokers: []string{addr}, Timeout: time.Second, Dial: faults.Dial})
	to := topic(t, c, 2)
	p := producer(t, c, broker.ProducerOptions{TransactionTimeout: time.Second})
	wanted := []run{{"before", 4}}
	commit(t, p, txn(to, 2, 4, "before"))
	// What of the lost transaction lies in the log before the two markers of its abort.
	for kind, lying := range map[brokertest.Kind]int64{brokertest.AddPartitionsToTxn: 0, brokertest.Produce: 4} {
		tag := fmt.Sprint("after ", kind)
		aborted := length(t, c, to) + lying + 2
		faults.Change(kind, 1, func(answer []byte) []byte {
			testbed(t, dir, "kill", "kafka")
			return answer
		})
		if err := p.Commit(t.Context(), txn(to, 2, 4, "lost "+tag)); !errors.Is(err, broker.ErrTransactionLost) {
			t.Fatalf("%s: got %v, want a lost transaction", tag, err)
		}
		testbed(t, dir, "start", "kafka")
		for deadline := time.Now().Add(30 * time.Second); length(t, c, to) < aborted; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: the broker has not aborted the transaction", tag)
			}
		}
		if err := p.Recover(t.Context()); err != nil {
			t.Fatalf("%s: %v", tag, err)
		}
		commit(t, p, txn(to, 2, 4, tag))
		wanted = append(wanted, run{tag, 4})
	}
	if diff := cmp.Diff(want(2, wanted...), values(t, c, to)); diff != "" {
		t.Error(diff)
	}
}

// length returns how many offsets a topic's partitions have taken together, markers included.
func length(t testing.TB, c *broker.Client, topic string) (sum int64) {
	t.Helper()
	ends, err := c.EndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range ends {
		sum += end
	}
	return sum
}
