package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
)

// profiled writes profiles of the processor's time and of the memory of work, for go tool pprof; none where path is empty.
func profiled(path string, work func() error) (err error) {
	if path == "" {
		return work()
	}
	f, err := os.Create(path + ".cpu")
	if err != nil {
		return fmt.Errorf("write a profile: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return fmt.Errorf("write a profile: %w", err)
	}
	defer pprof.StopCPUProfile()
	if err := work(); err != nil {
		return err
	}
	return writeMemory(path + ".mem")
}

func writeMemory(name string) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write a profile: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return pprof.Lookup("allocs").WriteTo(f, 0)
}
