package broker_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/broker"
)

func TestCommittedTransactionsAreReadInOrder(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		c := connect(t, addr, nil)
		for _, compression := range broker.Compressions {
			to := topic(t, c, 3)
			p := producer(t, c, broker.ProducerOptions{Compression: compression})
			commit(t, p, txn(to, 3, 1000, "first"))
			commit(t, p, txn(to, 3, 10, "second"))
			commit(t, p, new(broker.Txn))
			if diff := cmp.Diff(want(3, run{"first", 1000}, run{"second", 10}), values(t, c, to)); diff != "" {
				t.Errorf("%s: %s", compression, diff)
			}
		}
	})
}
