package connectortest

import (
	"testing"
	"time"
)

// Each hands the suite's checks that apply to the harness to fn, by name, so that the suite can be tested.
func Each(h *Harness, fn func(name string, run func(testing.TB)) (ok bool)) {
	if h.Patience == 0 {
		h.Patience = 10 * time.Second
	}
	if !fn("claims match the harness", func(t testing.TB) { checkClaims(t, h) }) {
		return
	}
	for _, c := range h.checks() {
		if c.skip == "" {
			fn(c.name, func(t testing.TB) { c.run(t, h) })
		}
	}
}

// EachSink is [Each] for the suite for sinks.
func EachSink(h *SinkHarness, fn func(name string, run func(testing.TB)) (ok bool)) {
	for _, c := range sinkChecks {
		fn(c.name, func(t testing.TB) { c.run(t, h) })
	}
}
