//go:build faults

// Package fault marks the places where a test may kill or freeze the program. In an ordinary build every mark compiles to
// nothing; built with -tags faults, the environment variable DATONG_FAULT names the mark, the count of records at which
// it strikes, and after a colon what it does: "committed=500" kills, "committed=500:stop" freezes the process until
// someone continues it.
package fault

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Enabled says whether marks can strike.
const Enabled = true

var (
	name, limit, freezes = parse(os.Getenv("DATONG_FAULT"))

	seen   atomic.Int64
	frozen sync.Once
)

// parse reads "mark=count" or "mark=count:stop"; an empty value strikes nowhere.
func parse(s string) (mark string, limit int64, freezes bool) {
	if s == "" {
		return "", 0, false
	}
	mark, count, _ := strings.Cut(s, "=")
	count, freezes = strings.CutSuffix(count, ":stop")
	limit, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("DATONG_FAULT=%q: want mark=count or mark=count:stop", s))
	}
	return mark, limit, freezes
}

// Point marks a place that n more records have reached. When the count is full the process kills itself as kill -9
// would: no deferred call runs and no buffer is flushed. Or it freezes, once, and goes on past the mark when it is
// continued.
func Point(mark string, n int) {
	if mark != name || seen.Add(int64(n)) < limit {
		return
	}
	if freezes {
		frozen.Do(freeze)
		return
	}
	tell()
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // never go on past the mark
}

func tell() { fmt.Fprintf(os.Stderr, "fault: struck at %s after %d records\n", name, seen.Load()) }

// freeze stops all threads of the process until it is continued. The signal may take a moment to come, so nothing goes on
// past the mark before it has.
func freeze() {
	const moment = 10 * time.Millisecond
	tell()
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	time.Sleep(moment)
}
