package delivery

import (
	"math"
	"testing"
	"time"

	"github.com/sony/gobreaker/v2"
)

func TestLagIsOfThePartitionThatLagsMost(t *testing.T) {
	type state struct {
		behind int64
		last   time.Duration // ago, 0 for a partition that nothing has come of
	}
	tests := []struct {
		name    string
		parts   []state
		records int64
		seconds float64
	}{
		{"nothing there", nil, 0, 0},
		{"everything delivered, long ago", []state{{0, time.Hour}}, 0, 0},
		{"one lags, another was quiet for long", []state{{0, time.Hour}, {3, time.Minute}}, 3, 60},
		{"both lag", []state{{2, time.Hour}, {3, time.Minute}}, 5, 3600},
		{"one that nothing has come of", []state{{2, 0}, {0, time.Minute}}, 2, 60},
		{"the very first records", []state{{2, 0}}, 2, 0},
	}
	for _, tt := range tests {
		d := &Delivery{breaker: gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{})}
		var parts []*part
		for _, p := range tt.parts {
			parts = append(parts, &part{behind: p.behind})
			if p.last > 0 {
				parts[len(parts)-1].progress.Changed = time.Now().Add(-p.last)
			}
		}
		d.showLag(parts)
		if s := d.Status(); s.LagRecords != tt.records || math.Abs(s.LagSeconds-tt.seconds) > 5 {
			t.Errorf("%s: lag = %d records, %.1f s, want %d, %.0f", tt.name, s.LagRecords, s.LagSeconds, tt.records, tt.seconds)
		}
	}
}
