//go:build services

package crash

import (
	"encoding/binary"
	"log/slog"
	"testing"
	"time"

	"github.com/datong-dx/datong/broker/brokertest"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/all"
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/internal/exchange"
)

// TestAProduceThatComesAfterItsOwnAbort holds a batch back in the network until its transaction has been aborted and the
// pipeline, recovered, has the next one open in the same partition. The late batch must not become part of it.
func TestAProduceThatComesAfterItsOwnAbort(t *testing.T) {
	t.Parallel()
	postgres := need(t, "DATONG_TEST_POSTGRES")
	w := newWorld(t, need(t, "DATONG_TEST_KAFKA"), postgres, newSilo(t, postgres, "permits", watermark))
	w.begin(300)
	w.silos[0].churn(t, round)
	faults := brokertest.NewFaults()
	late := faults.Hold(brokertest.Produce, 1)
	var answer []byte
	came := false
	// The second time that partitions are added, the next transaction is open once the broker has answered.
	faults.Change(brokertest.AddPartitionsToTxn, 2, func(added []byte) []byte {
		answer, came = late.Release(), true
		return added
	})
	w.inProcess(faults)
	if !came {
		t.Fatal("the batch was never released: no second transaction came")
	}
	t.Logf("the late batch was answered with code %d", produceCode(answer))
	if len(answer) > 0 && produceCode(answer) == 0 {
		t.Error("the late batch was accepted")
	}
	w.check(w.settle())
}

// inProcess runs the exchange in this process, through faulty connections, until everything is delivered.
func (w *world) inProcess(faults *brokertest.Faults) {
	w.t.Helper()
	registry, err := connectors.NewRegistry(all.Connectors()...)
	if err != nil {
		w.t.Fatal(err)
	}
	cfg, err := config.Load(w.dir, registry)
	if err != nil {
		w.t.Fatal(err)
	}
	cfg.Broker.Dial = faults.Dial
	cfg.Broker.Timeout = 2 * time.Second
	run, err := exchange.Open(w.t.Context(), cfg, exchange.Options{UntilIdle: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatal(err)
	}
	defer run.Close()
	if err := run.Run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// produceCode returns the first error code of a Produce answer, version 8: one topic's name and one partition come before.
func produceCode(answer []byte) int16 {
	const arrayLength, partitionID = 4, 4
	if len(answer) < arrayLength+2 {
		return -1
	}
	name := int(binary.BigEndian.Uint16(answer[arrayLength:]))
	at := arrayLength + 2 + name + arrayLength + partitionID
	if len(answer) < at+2 {
		return -1
	}
	return int16(binary.BigEndian.Uint16(answer[at:]))
}
