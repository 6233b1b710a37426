package broker

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/connectors"
)

var update = flag.Bool("update", false, "rewrite golden files")

// parseBody reads a body back as a reader does.
func parseBody(t testing.TB, body []byte) *Record {
	t.Helper()
	b := make(rawBatch, batchHeaderBytes)
	binary.BigEndian.PutUint32(b[atCount:], 1)
	r := new(Record)
	if rest, err := parseRecord(appendRecord(nil, 0, body), b, r); err != nil || len(rest) > 0 {
		t.Fatalf("parse: %v, %d bytes left", err, len(rest))
	}
	return r
}

func testEvent() (*Envelope, *Event) {
	e := NewEnvelope("market-regulation", "enterprises", "scjg.企业基本信息", "legal_entity", "1.0.0")
	cause := Cause{Order: connectors.Order{Generation: 1, Sequence: 0xabcdef}, Ordinal: 7, Op: connectors.OpUpdate}
	return e, &Event{
		ID:   e.EventID(&cause, []byte("91510100MA00000001")),
		Time: time.Date(2026, 3, 1, 8, 30, 0, 120_000_000, time.UTC).UnixMicro(), Order: cause.Order,
		Digest: 0x0123456789abcdef, RowKey: 0xfedcba9876543210, TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

// The headers are what consumers build on: they change only with intent.
func TestEnvelopeMatchesTheGoldenFile(t *testing.T) {
	e, full := testEvent()
	spare := &Event{ID: full.ID, Time: full.Time, Order: full.Order}
	var out strings.Builder
	for _, c := range []struct {
		name  string
		value []byte
		ev    *Event
	}{{"an update with everything", []byte(`{"uscc":"91510100MA00000001"}`), full}, {"a delete with the least", nil, spare}} {
		r := parseBody(t, e.AppendBody(nil, []byte("91510100MA00000001"), c.value, c.ev))
		fmt.Fprintf(&out, "# %s\nkey: %s\n", c.name, r.Key)
		if r.Value == nil {
			out.WriteString("value: (null)\n")
		} else {
			fmt.Fprintf(&out, "value: %s\n", r.Value)
		}
		for name, value := range r.Headers() {
			fmt.Fprintf(&out, "%s: %s\n", name, value)
		}
		var back Event
		if err := back.Parse(r); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(c.ev, &back); diff != "" {
			t.Errorf("%s: read back: %s", c.name, diff)
		}
	}
	const file = "testdata/envelope.golden"
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), out.String()); diff != "" {
		t.Error(diff)
	}
}

// The bytes of a whole batch, header included, as they lie in a topic for years.
func TestBatchMatchesTheGoldenFile(t *testing.T) {
	e, ev := testEvent()
	x := new(Txn)
	x.Add("t", 0, e.AppendBody(nil, []byte("k1"), []byte(`{}`), ev))
	x.Add("t", 0, AppendPlainBody(nil, nil, nil, Header{Name: "h", Value: nil}, Header{Name: "", Value: []byte{}}))
	c := x.order[0].chunks[0]
	sealBatch(c.data, c.count, codecNone, stamp{producer: 4711, epoch: 3, sequence: 42, time: 1_700_000_000_000})
	const file = "testdata/batch.golden"
	if *update {
		if err := os.WriteFile(file, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(golden, c.data) {
		t.Errorf("got % x", c.data)
	}
}

func TestEventIDsTellEventsApart(t *testing.T) {
	base := Cause{Order: connectors.Order{Generation: 1, Sequence: 2}, Ordinal: 3, Reading: 4, Op: connectors.OpUpdate, Digest: 5}
	e := NewEnvelope("d", "p", "s", "e", "1")
	seen := map[[16]byte]string{}
	add := func(what string, e *Envelope, c Cause, key string) {
		t.Helper()
		id := e.EventID(&c, []byte(key))
		if other, dup := seen[id]; dup {
			t.Errorf("%s has the id of %s", what, other)
		}
		if again := e.EventID(&c, []byte(key)); again != id {
			t.Errorf("%s: two ids", what)
		}
		seen[id] = what
	}
	add("base", e, base, "k")
	for what, change := range map[string]func(*Cause){
		"generation": func(c *Cause) { c.Order.Generation++ }, "sequence": func(c *Cause) { c.Order.Sequence++ },
		"ordinal": func(c *Cause) { c.Ordinal++ }, "scan": func(c *Cause) { c.Reading++ },
		"operation": func(c *Cause) { c.Op = connectors.OpDelete }, "digest": func(c *Cause) { c.Digest++ },
	} {
		c := base
		change(&c)
		add(what, e, c, "k")
	}
	add("key", e, base, "l")
	add("long key", e, base, strings.Repeat("k", 1000))
	add("entity", NewEnvelope("d", "p", "s", "f", "1"), base, "k")
	add("set", NewEnvelope("d", "p", "t", "e", "1"), base, "k")
	add("pipeline", NewEnvelope("d", "q", "s", "e", "1"), base, "k")
	add("department", NewEnvelope("c", "p", "s", "e", "1"), base, "k")
	if NewEnvelope("d", "p", "s", "e", "2").EventID(&base, []byte("k")) != e.EventID(&base, []byte("k")) {
		t.Error("a new dictionary version makes another event")
	}
}

func TestSourceKeepsItsPartsApart(t *testing.T) {
	if a, b := Source("d", "p/s", "t"), Source("d", "p", "s/t"); a == b {
		t.Errorf("%s stands for two sets", a)
	}
	if got, want := Source("scjg", "enterprises", "企业 名录"), "/scjg/enterprises/%E4%BC%81%E4%B8%9A%20%E5%90%8D%E5%BD%95"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTimesHaveOneWidth(t *testing.T) {
	for micros, want := range map[int64]string{
		0: "1970-01-01T00:00:00.000000Z", -1: "1969-12-31T23:59:59.999999Z", 1_700_000_000_000_001: "2023-11-14T22:13:20.000001Z",
		-1 << 62: "0000-01-01T00:00:00.000000Z", 1<<63 - 1: "9999-12-31T23:59:59.999999Z",
	} {
		if got := string(appendTime(nil, micros)); got != want {
			t.Errorf("appendTime(%d) = %s, want %s", micros, got, want)
		}
	}
}

func TestMalformedHeadersAreNamed(t *testing.T) {
	good := map[string]string{HeaderID: strings.Repeat("a", 32), HeaderTime: "2026-01-01T00:00:00Z", HeaderSequence: strings.Repeat("0", 24)}
	for name, bad := range map[string]string{
		HeaderID: "zz", HeaderTime: "yesterday", HeaderSequence: "12", HeaderDigest: "g000000000000000", HeaderRow: "1",
	} {
		for _, value := range []string{bad, "(missing)"} {
			var headers []Header
			for n, v := range good {
				if n != name {
					headers = append(headers, Header{n, []byte(v)})
				}
			}
			if value != "(missing)" {
				headers = append(headers, Header{name, []byte(value)})
			} else if good[name] == "" {
				continue // may be missing
			}
			err := new(Event).Parse(parseBody(t, AppendPlainBody(nil, nil, nil, headers...)))
			if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "yesterday") {
				t.Errorf("%s %q: %v", name, value, err)
			}
		}
	}
}

func TestTheEnvelopeDoesNotAllocate(t *testing.T) {
	e, ev := testEvent()
	key, value := []byte("91510100MA00000001"), []byte(`{"uscc":"91510100MA00000001"}`)
	dst := make([]byte, 0, 4096)
	cause := Cause{Op: connectors.OpInsert}
	if n := testing.AllocsPerRun(100, func() {
		ev.ID = e.EventID(&cause, key)
		dst = e.AppendBody(dst[:0], key, value, ev)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Partitions as the Java client's DefaultPartitioner computes them (values of kafka-clients' UtilsTest).
func TestPartitionIsThatOfTheJavaClient(t *testing.T) {
	for key, want := range map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107,
	} {
		if got := int32(murmur2([]byte(key))); got != want {
			t.Errorf("murmur2(%q) = %d, want %d", key, got, want)
		}
		if p := Partition([]byte(key), 8); p != (want&0x7fffffff)%8 {
			t.Errorf("Partition(%q, 8) = %d", key, p)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	e, ev := testEvent()
	f.Add(e.AppendBody(nil, []byte("k"), []byte("v"), ev))
	f.Add(AppendPlainBody(nil, nil, nil, Header{HeaderID, nil}))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := make(rawBatch, batchHeaderBytes)
		var r Record
		if _, err := parseRecord(appendRecord(nil, 0, body), b, &r); err != nil {
			return
		}
		for name, value := range r.Headers() {
			if string(r.Header(string(name))) == "" && len(value) > 0 && !bytes.Equal(r.Header(string(name)), value) {
				// an earlier header of the same name is empty: nothing to compare
				continue
			}
		}
		var back Event
		if back.Parse(&r) != nil {
			return
		}
		again := e.AppendBody(nil, r.Key, r.Value, &back)
		var twice Event
		if err := twice.Parse(parseBody(t, again)); err != nil || (twice != back && back.Time >= minTime && back.Time <= maxTime) {
			t.Errorf("%+v came back as %+v: %v", back, twice, err)
		}
	})
}

func BenchmarkAppendBody(b *testing.B) {
	e, ev := testEvent()
	ev.TraceParent = ""
	key, value := []byte("91510100MA00000001"), bytes.Repeat([]byte("x"), 250)
	dst := make([]byte, 0, 4096)
	cause := Cause{Op: connectors.OpInsert}
	b.ReportAllocs()
	for b.Loop() {
		ev.ID = e.EventID(&cause, key)
		dst = e.AppendBody(dst[:0], key, value, ev)
	}
}
