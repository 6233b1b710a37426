package broker

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zeebo/xxh3"
)

// sent returns the keys and hashes of the values that a transaction sends to each partition, in order.
func sent(t *testing.T, p *Producer, x *Txn) map[int32][]string {
	t.Helper()
	streams, err := p.encode(x)
	if err != nil {
		t.Fatal(err)
	}
	all := map[int32][]string{}
	for _, s := range streams {
		var set []byte
		offset := uint64(0)
		for _, b := range s.batches {
			binary.BigEndian.PutUint64(b, offset)
			offset += uint64(binary.BigEndian.Uint32(b[atCount:]))
			set = append(set, b...)
			if len(b) > DefaultMaxMessageBytes {
				t.Errorf("a batch of %d bytes", len(b))
			}
		}
		f := &fetch{rooms: new(rooms)}
		if _, err := f.decode(&portion{set: set}, 0, true); err != nil {
			t.Fatal(err)
		}
		for i := range f.view {
			all[s.Partition] = append(all[s.Partition], fmt.Sprintf("%s=%x", f.view[i].Key, xxh3.Hash(f.view[i].Value)))
		}
	}
	return all
}

// A transaction that is compressed while it is filled sends what one sends that is compressed at its commit, be its
// records small, larger than what is compressed at once, or such that they cannot be made smaller.
func TestCompactTransactionSendsTheSameRecords(t *testing.T) {
	random := make([]byte, 400<<10)
	for i := range random {
		random[i] = byte(rand.IntN(256))
	}
	sizes := map[string]func(i int) []byte{
		"one":    func(i int) []byte { return nil },
		"small":  func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 5+i%90) },
		"large":  func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 10_000*(i%12)) },
		"random": func(i int) []byte { return random[:i*37_000%len(random)] },
	}
	p := (&Client{}).NewProducer("x", ProducerOptions{})
	for name, value := range sizes {
		t.Run(name, func(t *testing.T) {
			plain, compact := new(Txn), p.NewTxn()
			for round := range 2 {
				n := 400 >> (2 * round)
				if name == "one" {
					n = 1
				}
				for i := range n {
					body := AppendPlainBody(nil, fmt.Append(nil, i), value(i))
					plain.Add("t", int32(i%3), body)
					compact.Add("t", int32(i%3), body)
				}
				want, got := sent(t, p, plain), sent(t, p, compact)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatal(diff)
				}
				if diff := cmp.Diff(want, sent(t, p, compact)); diff != "" {
					t.Errorf("sent again: %s", diff)
				}
				if plain.Records() != compact.Records() {
					t.Errorf("%d records, and compact %d", plain.Records(), compact.Records())
				}
				if round == 1 {
					plain.Reset()
					compact.Reset()
				}
			}
		})
	}
}
