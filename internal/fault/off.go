//go:build !faults

// Package fault marks the places where a test may kill the program. In an ordinary build every mark compiles to nothing;
// built with -tags faults, the environment variable DATONG_FAULT names the mark and the count at which it strikes.
package fault

// Enabled says whether marks can strike.
const Enabled = false

// Point marks a place that n more records have reached.
func Point(string, int) {}
