package exchange

import (
	"os"
	"runtime/debug"
)

const (
	// memoryLimit makes the garbage collector work harder before the process passes 200 MiB: the data in flight are
	// bounded, what varies is the garbage.
	memoryLimit = 150 << 20
	// gcPercent lets twice as much garbage gather as Go does by itself: what lives is so little that the collector would
	// otherwise run many times a second.
	gcPercent = 200
)

// LimitMemory bounds the memory of a process that runs an exchange. GOMEMLIMIT and GOGC override it.
func LimitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
