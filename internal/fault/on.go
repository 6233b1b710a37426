//go:build faults

// Package fault marks the places where a test may kill the program. In an ordinary build every mark compiles to nothing;
// built with -tags faults, the environment variable DATONG_FAULT names the mark and the count at which it strikes.
package fault

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Enabled says whether marks can strike.
const Enabled = true

var (
	name, limit = parse(os.Getenv("DATONG_FAULT"))
	seen        atomic.Int64
)

// parse reads "mark=count"; an empty value strikes nowhere.
func parse(s string) (string, int64) {
	if s == "" {
		return "", 0
	}
	mark, count, _ := strings.Cut(s, "=")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("DATONG_FAULT=%q: want mark=count", s))
	}
	return mark, n
}

// Point marks a place that n more records have reached. When the count is full the process kills itself as kill -9
// would: no deferred call runs and no buffer is flushed.
func Point(mark string, n int) {
	if mark != name || seen.Add(int64(n)) < limit {
		return
	}
	fmt.Fprintf(os.Stderr, "fault: killed at %s after %d\n", mark, seen.Load())
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // never go on past the mark
}
