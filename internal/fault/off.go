//go:build !faults

// Package fault marks the places where a test may kill or freeze the program. In an ordinary build every mark compiles to
// nothing; built with -tags faults, the environment variable DATONG_FAULT names the mark, the count of records at which
// it strikes, and after a colon what it does: "committed=500" kills, "committed=500:stop" freezes the process until
// someone continues it.
package fault

// Enabled says whether marks can strike.
const Enabled = false

// Point marks a place that n more records have reached.
func Point(string, int) {}
