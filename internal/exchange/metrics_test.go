package exchange_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/datong-dx/datong/internal/exchange"
	"github.com/datong-dx/datong/internal/exchange/exchangetest"
)

func TestMetricsAreWellFormedAndFew(t *testing.T) {
	dir := refusing(t)
	x := exchangetest.Open(t, dir, exchange.Options{})
	exchangetest.Run(t, x)
	exchangetest.Until(t, x, "idle", func(s *exchange.Status) bool { return delivered(0)(s) && s.Total.Quarantined == 2 })
	families, err := x.Metrics().Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%+v, %v", problems, err)
	}
	values := map[string]float64{}
	series := 0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			series++
			name := f.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			values[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
			if strings.HasSuffix(f.GetName(), "_total") != (m.GetCounter() != nil) {
				t.Errorf("%s is a %s", f.GetName(), f.GetType())
			}
		}
	}
	for name, want := range map[string]float64{
		"datong_rows_read_total market-regulation/enterprises":         2,
		"datong_rows_quarantined market-regulation/enterprises":        2,
		"datong_quarantine_waiting market-regulation/enterprises":      2,
		"datong_rows_total published market-regulation/enterprises":    0,
		"datong_records_published_total market-regulation/enterprises": 0,
		"datong_pipeline_state market-regulation/enterprises idle":     1,
		"datong_pipeline_state market-regulation/enterprises halted":   0,
		"datong_delivery_state platform idle":                          1,
		"datong_delivery_lag_records platform":                         0,
		"datong_breaker_open market-regulation/enterprises":            0,
		"datong_breaker_open delivery platform":                        0,
		"datong_source_lag_seconds market-regulation/enterprises":      0,
		"datong_delivery_lag_seconds platform":                         0,
		"datong_delivery_waiting platform":                             0,
	} {
		if got, known := values[name]; !known || got != want {
			t.Errorf("%s is %v (%v), want %v", name, got, known, want)
		}
	}
	const most = 40 // of one pipeline and one delivery, whatever the data hold
	if series > most {
		t.Errorf("%d series", series)
	}
}
