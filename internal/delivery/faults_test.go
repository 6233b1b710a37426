package delivery

import (
	"fmt"
	"testing"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
	"github.com/datong-dx/datong/internal/quarantine"
)

// requests are those that a delivery makes while it runs.
var requests = map[string]brokertest.Kind{
	"fetch": brokertest.Fetch, "list offsets": brokertest.ListOffsets, "metadata": brokertest.Metadata,
	"offset commit": brokertest.OffsetCommit, "offset fetch": brokertest.OffsetFetch, "find coordinator": brokertest.FindCoordinator,
	"init producer id": brokertest.InitProducerID, "add partitions to txn": brokertest.AddPartitionsToTxn,
	"produce": brokertest.Produce, "end txn": brokertest.EndTxn,
}

// A connection is lost at any request, before or after the broker has acted on it: everything arrives, and is counted
// once.
func TestGoesOnWhenABrokerConnectionIsLost(t *testing.T) {
	for name, kind := range requests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := brokertest.StartWith(t, broker.Config{})
			w := newWorldOn(t, client)
			w.refuse("坏")
			hits := 0
			for n := 1; n <= 3; n++ {
				for _, lose := range []func(*brokertest.Faults, brokertest.Kind, int) *brokertest.Fault{
					(*brokertest.Faults).LoseRequest, (*brokertest.Faults).LoseAnswer,
				} {
					faults := brokertest.NewFaults()
					fault := lose(faults, kind, n)
					w.round(server.Addr(), faults, n == 2)
					if isHit(fault) {
						hits++
					}
				}
			}
			if hits == 0 {
				t.Error("no connection was lost")
			}
			d, _ := w.start(w.options())
			w.settle(d)
			w.wantConsistent(d)
			w.wantAccounted(d.Status(), 4, 2)
		})
	}
}

// round is a life of a delivery on connections with faults. It publishes, among others, one record that is refused, and
// may discard it.
func (w *world) round(address string, faults *brokertest.Faults, discard bool) {
	w.t.Helper()
	opt := w.options()
	opt.Client = brokertest.Connect(w.t, broker.Config{Brokers: []string{address}, Dial: faults.Dial, Timeout: 3 * time.Second})
	defer opt.Client.Close()
	d, stop := w.start(opt)
	defer stop()
	w.bad++
	bad, name := fmt.Sprint(1000+w.bad), fmt.Sprint("名", w.bad)
	w.publish("scjg", "1", name, bad, "坏", "2", "坏", "2", "")
	w.eventually(func() bool {
		s := d.Status()
		return s.State == Idle && s.Delivered+s.Refused == w.published["scjg/pipe"]
	})
	w.want("scjg:1=" + name)
	if discard {
		w.eventually(func() bool { // one that was interrupted is asked for once more
			_, err := d.Quarantine(w.t.Context(), quarantine.Discard, quarantine.Filter{RowKey: bad + "\x1f2024"})
			return err == nil
		})
	}
}

func isHit(f *brokertest.Fault) bool {
	select {
	case <-f.Hit():
		return true
	default:
		return false
	}
}
