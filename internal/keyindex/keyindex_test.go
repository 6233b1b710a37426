package keyindex

import (
	"math/rand/v2"
	"testing"
)

// reference compares an index with a plain map over the same operations.
func reference(t *testing.T, n int) {
	t.Helper()
	x := New(t.TempDir())
	defer x.Close()
	want := map[uint64]uint64{}
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		key := r.Uint64N(uint64(n))
		if r.IntN(5) == 0 {
			delete(want, key)
			if err := x.Set(key, 0, 0, 0); err != nil {
				t.Fatal(err)
			}
			continue
		}
		digest := r.Uint64()
		// Key 0 shares a slot with key 1; the hash that yields either is as rare as any other collision.
		if key < 2 {
			continue
		}
		want[key] = digest
		if err := x.Set(key, digest, key, Live); err != nil {
			t.Fatal(err)
		}
	}
	if got := x.Len(); got != len(want) {
		t.Errorf("Len() = %d, want %d", got, len(want))
	}
	for key, digest := range want {
		e, err := x.Lookup(key)
		if err != nil || e.Digest != digest || e.Flags != Live {
			t.Fatalf("Lookup(%d) = %+v, %v, want digest %d", key, e, err, digest)
		}
	}
	seen := 0
	if err := x.Each(func(e Entry) { seen++ }); err != nil || seen != len(want) {
		t.Errorf("Each visited %d, %v, want %d", seen, err, len(want))
	}
}

func TestIndexAgreesWithAMap(t *testing.T) { reference(t, 50_000) }

func TestIndexSpillsToAFileAndAgreesWithAMap(t *testing.T) {
	defer func(n int) { memorySlots = n }(memorySlots)
	memorySlots = 1 << 11
	reference(t, 20_000)
}

// A flag is taken from all entries, those in the file included.
func TestUnflag(t *testing.T) {
	defer func(n int) { memorySlots = n }(memorySlots)
	memorySlots = 1 << 11
	x := New(t.TempDir())
	defer x.Close()
	const n = 5000
	for key := uint64(1); key <= n; key++ {
		if err := x.Set(key, key, 0, Live|Seen|Foreign); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Unflag(Seen); err != nil {
		t.Fatal(err)
	}
	for key := uint64(1); key <= n; key++ {
		if e, err := x.Lookup(key); err != nil || e.Flags != Live|Foreign || e.Digest != key {
			t.Fatalf("Lookup(%d) = %+v, %v", key, e, err)
		}
	}
	if x.Len() != n {
		t.Errorf("Len() = %d, want %d", x.Len(), n)
	}
}

// BenchmarkLookup looks up keys of which a million are in the file.
func BenchmarkLookup(b *testing.B) {
	const n = 1_000_000
	x := New(b.TempDir())
	defer x.Close()
	for i := range uint64(n) {
		if err := x.Set(i*0x9e3779b97f4a7c15, 1, 2, Live); err != nil {
			b.Fatal(err)
		}
	}
	for name, first := range map[string]uint64{"known": 0, "new": n} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				e, err := x.Lookup((first + uint64(i)*7%n) * 0x9e3779b97f4a7c15)
				if err != nil || (e.Flags == Live) != (name == "known") {
					b.Fatal(e, err)
				}
			}
		})
	}
}

func BenchmarkSet(b *testing.B) {
	x := New(b.TempDir())
	defer x.Close()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := x.Set(uint64(i)*0x9e3779b97f4a7c15, 1, 2, Live); err != nil {
			b.Fatal(err)
		}
	}
}
