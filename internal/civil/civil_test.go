package civil_test

import (
	"testing"
	"time"

	"github.com/datong-dx/datong/internal/civil"
)

// Every day of four-digit years agrees with package time, there and back.
func TestCalendar(t *testing.T) {
	day := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := int64(civil.First); n <= civil.Last; n++ {
		y, m, d := day.Date()
		got, ok := civil.Days(y, int(m), d)
		gy, gm, gd := civil.Date(n)
		if !ok || got != n || gy != y || gm != int(m) || gd != d {
			t.Fatalf("%s: day %d (%v), want %d; back %d-%d-%d", day.Format(time.DateOnly), got, ok, n, gy, gm, gd)
		}
		day = day.AddDate(0, 0, 1)
	}
	if y := day.Year(); y != 10000 {
		t.Errorf("the last day is in %d", y-1)
	}
}

func TestDatesThatAreNone(t *testing.T) {
	for _, d := range [][3]int{{0, 1, 1}, {10000, 1, 1}, {2023, 0, 1}, {2023, 13, 1}, {2023, 1, 0}, {2023, 4, 31}, {2023, 2, 29}, {1900, 2, 29}, {2000, 2, 30}} {
		if n, ok := civil.Days(d[0], d[1], d[2]); ok {
			t.Errorf("%v is day %d", d, n)
		}
	}
}
