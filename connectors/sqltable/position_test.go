package sqltable

import (
	"bytes"
	"encoding/hex"
	"flag"
	"math"
	"os"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/datong-dx/datong/connectors"
)

var update = flag.Bool("update", false, "write the golden position anew")

func somePosition() *state {
	return &state{identity: 0xfeed, timeline: 3, generation: 2, tables: []*tableState{
		{name: "scanned", shape: 7, stage: stageScan, scan: 4, tail: true, at: []connectors.Value{
			connectors.Null(), connectors.Int(-5), connectors.String([]byte("张")), connectors.Bytes([]byte{0, 255}), connectors.Bool(true),
			connectors.Decimal([]byte("-1.50")), connectors.Float(math.Inf(1)), connectors.Date(-1), connectors.DateTime(1), connectors.Timestamp(2),
			connectors.JSON([]byte(`[]`))},
			mark: watermark{low: noMark, high: noMark, window: window{doubt: noDoubt}}},
		{name: "模式.polled", shape: math.MaxUint64, stage: stagePoll, scan: 1, mark: watermark{
			known: true, high: 90, low: 40, bound: connectors.Timestamp(120), next: [2]int64{120, 70}, like: []byte("2026-03-01"),
			window: window{doubt: 30, seen: []entry{{40, 2}, {41, 0xfffffffffffffffe}, {unreadableMark, 8}}},
		}},
	}}
}

// A position that was stored by one version must be understood by the next.
func TestPositionIsEncodedAsEver(t *testing.T) {
	const golden = "testdata/position.golden"
	got := somePosition().encode()
	if *update {
		if err := os.WriteFile(golden, append([]byte(hex.EncodeToString(got)), '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the encoding has changed: raise positionVersion and read the old one too\n got %x\nwant %x", got, want)
	}
	read, err := decodeState(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(somePosition(), read, cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
}
