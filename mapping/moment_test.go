package mapping

import (
	"testing"
	"time"
)

// Every day of four-digit years agrees with package time, there and back.
func TestCalendar(t *testing.T) {
	day := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := int64(firstDay); n <= lastDay; n++ {
		y, m, d := day.Date()
		got, ok := daysOf(y, int(m), d)
		gy, gm, gd := dateOf(n)
		if !ok || got != n || gy != y || gm != int(m) || gd != d {
			t.Fatalf("%s: day %d (%v), want %d; back %d-%d-%d", day.Format(time.DateOnly), got, ok, n, gy, gm, gd)
		}
		day = day.AddDate(0, 0, 1)
	}
	if y := day.Year(); y != 10000 {
		t.Errorf("the last day is in %d", y-1)
	}
}

// What a datetime is written as is read as the same instant by package time and by this package.
func TestDateTimesReadBack(t *testing.T) {
	for _, micros := range []int64{0, -1, 1_522_557_000_123_400, -62_000_000_000_000_000, 250_000_000_000_000_000} {
		for _, offset := range []int32{0, 480, -570, 840} {
			m := wallClock(micros + int64(offset)*60*microsPerSecond)
			m.offset, m.zoned = offset, true
			text := appendDateTime(nil, &m)
			got, err := time.Parse(time.RFC3339Nano, string(text))
			if err != nil || got.UnixMicro() != micros {
				t.Errorf("%s: package time reads %d (%v), want %d", text, got.UnixMicro(), err, micros)
			}
			if back, ok := readMoment(text); !ok || back.instant() != micros {
				t.Errorf("%s: read back as %d (%v), want %d", text, back.instant(), ok, micros)
			}
		}
	}
}
