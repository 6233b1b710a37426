package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	"github.com/segmentio/kafka-go/compress"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/datong-dx/datong/broker/embedded"
)

// testBatch is a batch of n records "value-0" … at a base offset.
func testBatch(t testing.TB, c codec, base int64, n int, attributes uint16) rawBatch {
	t.Helper()
	x := new(Txn)
	for i := range n {
		x.Add("t", 0, AppendPlainBody(nil, fmt.Append(nil, i), fmt.Appendf(nil, "value-%d", i), Header{"n", fmt.Append(nil, i)}))
	}
	chunk := x.order[0].chunks[0]
	data, err := c.compress(make([]byte, batchHeaderBytes), chunk.data[batchHeaderBytes:])
	if err != nil {
		t.Fatal(err)
	}
	sealBatch(data, n, c, stamp{producer: 1, sequence: 0, time: 1000})
	binary.BigEndian.PutUint64(data, uint64(base))
	return reseal(data, binary.BigEndian.Uint16(data[atAttributes:])|attributes)
}

func reseal(b []byte, attributes uint16) rawBatch {
	binary.BigEndian.PutUint16(b[atAttributes:], attributes)
	binary.BigEndian.PutUint32(b[atCRC:], crc32.Checksum(b[atAttributes:], castagnoli))
	return b
}

func marker(t testing.TB, base, producer int64, commit bool) rawBatch {
	t.Helper()
	key := []byte{0, 0, 0, 0}
	if commit {
		key[3] = 1
	}
	data := appendRecord(make([]byte, batchHeaderBytes), 0, AppendPlainBody(nil, key, []byte{0, 0, 0, 0, 0, 0}))
	sealBatch(data, 1, codecNone, stamp{producer: producer, sequence: -1})
	binary.BigEndian.PutUint64(data, uint64(base))
	return reseal(data, attributeTransaction|attributeControl)
}

func by(b rawBatch, producer int64) rawBatch {
	binary.BigEndian.PutUint64(b[atProducerID:], uint64(producer))
	return reseal(b, b.attributes())
}

func TestEveryCompressionIsReadBackHereAndByKafkaGo(t *testing.T) {
	random := make([]byte, 300_000) // does not compress
	for i, s := 0, uint32(1); i < len(random); i++ {
		s = s*1664525 + 1013904223
		random[i] = byte(s >> 24)
	}
	for name, src := range map[string][]byte{
		"text": []byte(strings.Repeat("成都市武侯区 ", 100_000)), "random": random, "one byte": {7}, "empty": {},
	} {
		for _, c := range []codec{codecLZ4, codecZstd, codecGzip} {
			packed, err := c.compress([]byte("before"), src)
			if err != nil {
				t.Fatal(err)
			}
			back, err := c.decompress([]byte("kept"), packed[len("before"):])
			if err != nil || !bytes.Equal(back, append([]byte("kept"), src...)) {
				t.Errorf("%s with codec %d: %v, %d bytes of %d", name, c, err, len(back), len(src))
			}
			r := compress.Compression(c).Codec().NewReader(bytes.NewReader(packed[len("before"):]))
			var other bytes.Buffer
			if _, err := other.ReadFrom(r); err != nil || !bytes.Equal(other.Bytes(), src) {
				t.Errorf("%s with codec %d, read by kafka-go: %v", name, c, err)
			}
		}
		var stream bytes.Buffer
		w := compress.Snappy.Codec().NewWriter(&stream)
		_, _ = w.Write(src)
		_ = w.Close()
		if len(src) == 0 {
			continue // kafka-go writes no frame at all
		}
		for framing, packed := range map[string][]byte{"as Java writes it": stream.Bytes(), "as librdkafka writes it": snappy.Encode(nil, src)} {
			back, err := codecSnappy.decompress([]byte("kept"), packed)
			if err != nil || !bytes.Equal(back, append([]byte("kept"), src...)) {
				t.Errorf("%s with snappy %s: %v, %d bytes of %d", name, framing, err, len(back), len(src))
			}
		}
	}
}

// What a few bytes claim to become is not believed.
func TestSnappyThatLiesTakesNoMemory(t *testing.T) {
	header := snappyMagic + "\x00\x00\x00\x01\x00\x00\x00\x01"
	for name, src := range map[string]string{
		"nothing": "", "four gigabytes": "\xff\xff\xff\xff\x0fa", "a length without end": "\xff\xff\xff\xff\xff\xff",
		"a stream cut in its header": header[:12], "in a length": header + "\x00\x00", "in a block": header + "\x00\x00\x00\x09abc",
		"a block of four gigabytes": header + "\xff\xff\xff\xffabc", "a block that lies": header + "\x00\x00\x00\x06\xff\xff\xff\xff\x0fa",
	} {
		got, err := codecSnappy.decompress(nil, []byte(src))
		if err == nil || cap(got) > 1<<20 {
			t.Errorf("%s: error %v, %d bytes taken", name, err, cap(got))
		}
	}
}

// Nor is the number of records in a batch's header.
func TestABatchThatClaimsRecordsTakesNoMemory(t *testing.T) {
	data, err := codecZstd.compress(make([]byte, batchHeaderBytes), make([]byte, 8<<20))
	if err != nil {
		t.Fatal(err)
	}
	sealBatch(data, 1<<20, codecZstd, stamp{})
	f := &fetch{rooms: new(rooms)}
	if _, err := f.decode(&portion{set: data}, 0, true); err == nil || cap(f.view) > 2*trustedRecords {
		t.Errorf("error %v, room for %d records", err, cap(f.view))
	}
}

// kafka-go's own decoder reads our batches as well.
func TestKafkaGoReadsOurBatches(t *testing.T) {
	for _, c := range []codec{codecNone, codecLZ4, codecZstd, codecGzip} {
		b := testBatch(t, c, 0, 100, 0)
		var set protocol.RecordSet
		framed := binary.BigEndian.AppendUint32(nil, uint32(len(b)))
		if _, err := set.ReadFrom(bytes.NewReader(append(framed, b...))); err != nil {
			t.Fatal(err)
		}
		n := 0
		for {
			r, err := set.Records.ReadRecord()
			if err != nil {
				break
			}
			value, _ := protocol.ReadAll(r.Value)
			if want := fmt.Sprintf("value-%d", n); string(value) != want || len(r.Headers) != 1 {
				t.Fatalf("codec %d: got %q, want %q", c, value, want)
			}
			n++
		}
		if n != 100 {
			t.Errorf("codec %d: %d records, want 100", c, n)
		}
	}
}

func decodeSet(p *portion, from int64) (offsets []int64, next int64, err error) {
	f := &fetch{rooms: new(rooms)}
	next, err = f.decode(p, from, true)
	for i := range f.view {
		offsets = append(offsets, f.view[i].Offset)
	}
	return offsets, next, err
}

func TestDecodeSkipsWhatIsNotCommitted(t *testing.T) {
	set := bytes.Join([][]byte{
		by(testBatch(t, codecLZ4, 0, 2, 0), 1),  // aborted
		by(testBatch(t, codecNone, 2, 2, 0), 2), // committed
		marker(t, 4, 1, false),                  //
		by(testBatch(t, codecNone, 5, 1, 0), 1), // the same producer again, committed
		marker(t, 6, 2, true), marker(t, 7, 1, true),
		by(testBatch(t, codecZstd, 8, 2, 0), 1), // and aborted again
		marker(t, 10, 1, false),
		testBatch(t, codecNone, 20, 2, 0), // after a gap
		testBatch(t, codecNone, 22, 5, 0)[:80],
	}, nil)
	aborted := []abortedTxn{{1, 8}, {1, 0}}
	for from, want := range map[int64][]int64{0: {2, 3, 5, 20, 21}, 3: {3, 5, 20, 21}, 6: {20, 21}, 21: {21}} {
		got, next, err := decodeSet(&portion{set: set, aborted: append([]abortedTxn(nil), aborted...)}, from)
		if err != nil || next != 22 {
			t.Errorf("from %d: next %d, %v", from, next, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("from %d: %s", from, diff)
		}
	}
}

func TestCorruptBatchesAreErrors(t *testing.T) {
	good := func() rawBatch { return testBatch(t, codecNone, 5, 3, 0) }
	patch := func(at int, v byte, seal bool) rawBatch {
		b := good()
		b[at] = v
		if seal {
			b = reseal(b, b.attributes())
		}
		return b
	}
	for name, c := range map[string]struct {
		set  []byte
		want error
	}{
		"a flipped bit":                 {patch(70, 0xff, false), errChecksum},
		"an old message format":         {patch(atMagic, 1, false), errMagic},
		"a length below the header":     {patch(atLength+3, 5, false)[:100], errLength},
		"more records than bytes":       {patch(atCount, 0x7f, true), errLength},
		"a negative number of records":  {patch(atCount, 0xff, true), errLength},
		"fewer records than there are":  {patch(atCount+3, 2, true), errTrailing},
		"more records than there are":   {patch(atCount+3, 4, true), errShort},
		"an offset outside the batch":   {patch(atLastOffsetDelta+3, 1, true), errOffset},
		"a record longer than there is": {patch(batchHeaderBytes, 0x7e, true), errLength},
		"not compressed after all":      {reseal(good(), uint16(codecLZ4)), nil},
		"an unknown compression":        {reseal(good(), 7), nil},
		"a control batch of nothing":    {reseal(func() []byte { b := good(); binary.BigEndian.PutUint32(b[atCount:], 0); return b }(), attributeControl|attributeTransaction), errNotMarker},
	} {
		p := portion{set: c.set}
		if c.want == errNotMarker { //nolint:errorlint // the wanted error itself
			p.aborted = []abortedTxn{{1, 0}}
		}
		_, next, err := decodeSet(&p, 5)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || next != 5 {
			t.Errorf("%s: next %d, got %v, want %v", name, next, err, c.want)
		}
	}
}

// An error of decoding names topic, partition and offset, and does not lose what came before it.
func TestACorruptLogIsToldByTopicPartitionAndOffset(t *testing.T) {
	b, err := embedded.Start(t.Context(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	c, err := Connect(Config{Brokers: []string{b.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	r := c.NewReader(ReaderOptions{})
	t.Cleanup(r.Close)
	r.Assign("t", 3, 10)
	a := r.parts[0]
	f := &fetch{x: new(exchange), asked: []asked{{assignment: a, offset: 10, bytes: 1000}}}
	bad := testBatch(t, codecNone, 12, 2, 0)
	bad[len(bad)-1] ^= 1
	f.x.answer = fetchAnswer("t", 3, append(testBatch(t, codecNone, 10, 2, 0), bad...))
	out, err := r.open(f)
	if err != nil || len(out) != 1 || len(out[0].Records) != 2 || out[0].Next != 12 {
		t.Fatalf("got %+v, %v", out, err)
	}
	_, err = r.Poll(t.Context(), 0)
	if !errors.Is(err, ErrCorrupt) || err.Error() != "read topic t partition 3: corrupt record batch: offset 12: checksum does not match" {
		t.Errorf("got %v", err)
	}
}

func fetchAnswer(topic string, partition int32, set []byte) []byte {
	be := binary.BigEndian
	zeros := make([]byte, 26)
	b := append([]byte(nil), zeros[:10]...) // throttle, code, session
	b = be.AppendUint32(b, 1)
	b = appendString(b, topic)
	b = be.AppendUint32(b, 1)
	b = be.AppendUint32(b, uint32(partition))
	b = append(b, zeros...)   // code, high watermark, stable, start
	b = be.AppendUint32(b, 0) // aborted
	b = be.AppendUint32(b, 0) // replica
	b = be.AppendUint32(b, uint32(len(set)))
	return append(b, set...)
}

func FuzzDecode(f *testing.F) {
	for _, c := range []codec{codecNone, codecLZ4, codecZstd, codecGzip} {
		f.Add([]byte(testBatch(f, c, 3, 3, 0)), int64(3))
	}
	f.Add([]byte(marker(f, 0, 1, false)), int64(0))
	f.Add([]byte(testBatch(f, codecNone, 0, 2, attributeLogAppend)), int64(1))
	f.Fuzz(func(t *testing.T, set []byte, from int64) {
		if len(set) > batchHeaderBytes && len(set) < 1<<20 { // else the checksum hides everything behind it
			set = bytes.Clone(set)
			binary.BigEndian.PutUint32(set[atLength:], uint32(len(set)-atLeaderEpoch))
			set[atMagic] = batchMagic
			set = reseal(set, binary.BigEndian.Uint16(set[atAttributes:]))
		}
		fetch := &fetch{rooms: new(rooms)}
		next, err := fetch.decode(&portion{set: set, aborted: []abortedTxn{{1, 0}}}, max(from, 0), true)
		if next < max(from, 0) {
			t.Errorf("went back from %d to %d", from, next)
		}
		for i := range fetch.view {
			r := &fetch.view[i]
			if err == nil && r.Offset >= next {
				t.Errorf("offset %d at or after next %d", r.Offset, next)
			}
			for range r.Headers() {
				continue
			}
			_ = new(Event).Parse(r)
		}
	})
}

func FuzzAnswers(f *testing.F) {
	f.Add(fetchAnswer("t", 0, testBatch(f, codecNone, 0, 2, 0)))
	f.Fuzz(func(_ *testing.T, answer []byte) {
		x := &fetch{x: &exchange{answer: answer}}
		_ = x.portions(func(TopicPartition, *portion) error { return nil })
		_, _ = produceAnswer(answer)
	})
}

// BenchmarkDecode is what the reader itself costs: checksum, parsing and checking records of some 530 bytes.
func BenchmarkDecode(b *testing.B) {
	e, ev := testEvent()
	ev.TraceParent = ""
	for _, c := range []codec{codecNone, codecLZ4, codecZstd} {
		x := new(Txn)
		value := bytes.Repeat([]byte(`"org_name":"成都市武侯区贸易有限公司",`), 5)
		for i := range 1500 {
			ev.Order.Sequence = uint64(i)
			x.Add("t", 0, e.AppendBody(nil, fmt.Appendf(nil, "91510100MA%08d", i), value, ev))
		}
		var set []byte
		n := 0
		for i, chunk := range x.order[0].chunks {
			data, err := c.compress(make([]byte, batchHeaderBytes), chunk.data[batchHeaderBytes:])
			if err != nil {
				b.Fatal(err)
			}
			sealBatch(data, chunk.count, c, stamp{})
			binary.BigEndian.PutUint64(data, uint64(i*10_000))
			set = append(set, data...)
			n += chunk.count
		}
		b.Run(fmt.Sprintf("codec %d", c), func(b *testing.B) {
			f := &fetch{rooms: new(rooms)}
			b.ReportAllocs()
			for b.Loop() {
				f.view = f.view[:0]
				f.rooms.release()
				if _, err := f.decode(&portion{set: set}, 0, true); err != nil || len(f.view) != n {
					b.Fatal(err, len(f.view))
				}
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkEncode is what a producer itself costs: adding, compressing and sealing a record of some 530 bytes.
func BenchmarkEncode(b *testing.B) {
	e, ev := testEvent()
	ev.TraceParent = ""
	body := e.AppendBody(nil, []byte("91510100MA00000001"), bytes.Repeat([]byte(`"org_name":"成都市武侯区贸易有限公司",`), 5), ev)
	for _, compression := range append([]string{"compact"}, Compressions...) {
		b.Run(compression, func(b *testing.B) {
			p := (&Client{}).NewProducer("x", ProducerOptions{Compression: strings.TrimPrefix(compression, "compact")})
			x := new(Txn)
			if compression == "compact" {
				x = p.NewTxn()
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for n := 0; b.Loop(); n++ {
				x.Add("t", int32(n%8), body)
				if x.Records() == 64<<10 {
					streams, err := p.encode(x)
					if err != nil {
						b.Fatal(err)
					}
					for _, s := range streams {
						s.release()
					}
					x.Reset()
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
