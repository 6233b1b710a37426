package mapping

import (
	"testing"
	"time"
)

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
