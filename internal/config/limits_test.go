package config

import "testing"

func TestSizesTakeTheirUnits(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "16MiB": 16 << 20, "64 KiB": 64 << 10, "1GB": 1e9, "12B": 12} {
		if got, ok := parseSize(text); !ok || got != want {
			t.Errorf("%s: got %d %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5MiB", "9999999999GiB", "16mib"} {
		if got, ok := parseSize(text); ok {
			t.Errorf("%q: got %d, want none", text, got)
		}
	}
}
