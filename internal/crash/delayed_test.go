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
	aborts := map[string]func(f *brokertest.Faults) (cure func()){
		// The batch is sent again and refused for good, so the pipeline gives the transaction up.
		"by the pipeline": func(f *brokertest.Faults) func() {
			f.Change(brokertest.Produce, 1, func(answer []byte) []byte {
				if at := codeAt(answer); at > 0 {
					binary.BigEndian.PutUint16(answer[at:], unknownServerError)
				}
				return answer
			})
			return func() {}
		},
		// No batch gets through until the broker has aborted the transaction for its timeout.
		"by the broker": func(f *brokertest.Faults) func() { return f.Block(brokertest.Produce) },
	}
	for by, abort := range aborts {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			postgres := need(t, "DATONG_TEST_POSTGRES")
			w := newWorld(t, need(t, "DATONG_TEST_KAFKA"), postgres, newSilo(t, postgres, "permits", watermark))
			w.timeout = 10 * time.Second // longer than a request, so that one may be sent again in the same transaction
			w.writeAll("delivery")
			w.begin(300)
			w.silos[0].churn(t, round)
			faults := brokertest.NewFaults()
			late := faults.Hold(brokertest.Produce, 1)
			cure := abort(faults)
			released, code := false, uint16(0)
			// The second time that partitions are added, the next transaction is open once the broker has answered.
			faults.Change(brokertest.AddPartitionsToTxn, 2, func(added []byte) []byte {
				cure()
				answer := late.Release()
				if at := codeAt(answer); at > 0 {
					code = binary.BigEndian.Uint16(answer[at:])
				}
				released = true
				return added
			})
			w.inProcess(faults)
			if !released || code == 0 {
				t.Errorf("the late batch was answered with code %d (sent: %v), want it refused", code, released)
			}
			w.check(w.settle())
		})
	}
}

const unknownServerError = 0xffff // −1, which is not tried again

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
	cfg.Broker.Timeout = 4 * time.Second
	run, err := exchange.Open(w.t.Context(), cfg, exchange.Options{UntilIdle: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatal(err)
	}
	defer run.Close()
	if err := run.Run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// codeAt returns where the first error code stands in a Produce answer, version 8: one topic's name and one partition come
// before. It returns 0 when there is none.
func codeAt(answer []byte) int {
	const arrayLength, partitionID = 4, 4
	if len(answer) < arrayLength+2 {
		return 0
	}
	at := arrayLength + 2 + int(binary.BigEndian.Uint16(answer[arrayLength:])) + arrayLength + partitionID
	if len(answer) < at+2 {
		return 0
	}
	return at
}
