package config

import (
	"testing"
	"time"
)

func TestAWindowMayGoOverMidnight(t *testing.T) {
	night := Window{22 * time.Hour, 6 * time.Hour}
	day := Window{9 * time.Hour, 17*time.Hour + 30*time.Minute}
	for _, c := range []struct {
		window Window
		clock  string
		want   bool
	}{
		{night, "21:59", false}, {night, "22:00", true}, {night, "00:00", true}, {night, "05:59", true}, {night, "06:00", false},
		{day, "08:59", false}, {day, "09:00", true}, {day, "17:29", true}, {day, "17:30", false},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", "2026-03-01 "+c.clock, time.Local)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.window.Contains(at); got != c.want {
			t.Errorf("%s contains %s: got %v, want %v", c.window, c.clock, got, c.want)
		}
	}
	if got, want := night.String(), "22:00-06:00"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

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

func TestTheNearestNameIsWhatSomebodyMeant(t *testing.T) {
	known := []string{"brokers", "prefix", "site", "http", "transaction_timeout"}
	for name, want := range map[string]string{
		"broker": "brokers", "borkers": "brokers", "transaction_timout": "transaction_timeout", "Prefix": "prefix", "x": "", "url": "", "databases": "",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
