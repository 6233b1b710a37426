//go:build services

package broker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
)

const (
	benchPartitions = 8
	benchRecords    = 64 << 10
)

// benchTxn is a transaction of 64k standard records of some 500 bytes, with their headers.
func benchTxn(to string) (*broker.Txn, int) {
	env := broker.NewEnvelope("market-regulation", "enterprises", "qyjbxx", "legal_entity", "1.0.0")
	x := new(broker.Txn)
	var body, key, value []byte
	cities := []string{"成都市武侯区", "成都市锦江区", "绵阳市涪城区", "德阳市旌阳区", "宜宾市翠屏区"}
	for i := range benchRecords {
		key = fmt.Appendf(key[:0], "91510100MA%08d", i*7919%100_000_000)
		value = fmt.Appendf(value[:0], `{"uscc":"%s","org_name":"%s第%d贸易有限公司","ent_type":"1100","legal_rep":"王%d","est_date":"20%02d-%02d-%02d","reg_capital":"%d","reg_status":"1"}`,
			key, cities[i%5], i, i%977, i%24, i%12+1, i%28+1, i*31%10_000_000)
		cause := broker.Cause{Order: connectors.Order{Generation: 1, Sequence: uint64(i)}, Op: connectors.OpInsert}
		ev := broker.Event{ID: env.EventID(&cause, key), Time: 1_700_000_000_000_000 + int64(i), Order: cause.Order, Digest: uint64(i)*0x9e3779b97f4a7c15 | 1}
		body = env.AppendBody(body[:0], key, value, &ev)
		x.Add(to, broker.Partition(key, benchPartitions), body)
	}
	return x, x.Bytes()
}

// BenchmarkCommit commits transactions of 64k records into 8 partitions of a real broker.
func BenchmarkCommit(b *testing.B) {
	for _, compression := range broker.Compressions {
		b.Run(compression, func(b *testing.B) {
			c := connect(b, env(b, "DATONG_TEST_KAFKA"), nil)
			to := topic(b, c, benchPartitions)
			p := producer(b, c, broker.ProducerOptions{Compression: compression})
			x, size := benchTxn(to)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				commit(b, p, x)
			}
			b.ReportMetric(float64(b.N)*benchRecords/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkPoll reads standard records from a real broker.
func BenchmarkPoll(b *testing.B) {
	for _, compression := range broker.Compressions {
		b.Run(compression, func(b *testing.B) {
			c := connect(b, env(b, "DATONG_TEST_KAFKA"), nil)
			to := topic(b, c, benchPartitions)
			p := producer(b, c, broker.ProducerOptions{Compression: compression})
			x, _ := benchTxn(to)
			const rounds = 8
			for range rounds {
				commit(b, p, x)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				r := c.NewReader(broker.ReaderOptions{})
				for p := range int32(benchPartitions) {
					r.Assign(to, p, 0)
				}
				for n := 0; n < rounds*benchRecords; {
					fetched, err := r.Poll(b.Context(), time.Second)
					if err != nil {
						b.Fatal(err)
					}
					for i := range fetched {
						n += len(fetched[i].Records)
					}
				}
				r.Close()
			}
			b.ReportMetric(float64(b.N)*rounds*benchRecords/b.Elapsed().Seconds(), "records/s")
		})
	}
}
