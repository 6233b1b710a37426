package broker_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/datong-dx/datong/broker"
)

// However many partitions have much to tell, one answer stays within the limit, and all of them are read to their end.
func TestPartitionsTakeTurnsWithinTheLimit(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		const partitions, each, size = 12, 6, 40 << 10
		c := connect(t, addr, nil)
		to := topic(t, c, partitions)
		p := producer(t, c, broker.ProducerOptions{Compression: "none"})
		for i := range each { // a batch each
			x := new(broker.Txn)
			for p := range int32(partitions) {
				x.Add(to, p, broker.AppendPlainBody(nil, nil, bytes.Repeat([]byte{byte(i)}, size)))
			}
			commit(t, p, x)
		}
		r := reader(t, c, broker.ReaderOptions{PartitionBytes: 64 << 10, MaxBytes: 192 << 10})
		for p := range int32(partitions) {
			r.Assign(to, p, 0)
		}
		read := map[int32]int{}
		for total, deadline := 0, time.Now().Add(20*time.Second); total < partitions*each; {
			if time.Now().After(deadline) {
				t.Fatalf("read %v", read)
			}
			fetched, err := r.Poll(t.Context(), time.Second)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, f := range fetched {
				n += len(f.Records) * size
				read[f.Partition] += len(f.Records)
				total += len(f.Records)
			}
			if n > 256<<10 { // a batch may be the last that fits
				t.Errorf("one answer brought %d bytes", n)
			}
		}
	})
}
