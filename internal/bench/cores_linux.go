package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pinnedMark tells this program, begun again, that its processors have been chosen.
const pinnedMark = "DATONG_BENCH_PINNED"

// pinSelf begins this program again on the given processors, so that the Go runtime counts no others.
func pinSelf(cores string) error {
	if cores == "" || os.Getenv(pinnedMark) != "" {
		return nil
	}
	set, err := parseCores(cores)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	runtime.LockOSThread() // the affinity is the thread's, and execve is called by it
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("use the processors %s: %w", cores, err)
	}
	return fmt.Errorf("begin again on the processors %s: %w", cores, syscall.Exec(self, os.Args, append(os.Environ(), pinnedMark+"=1")))
}

func parseCores(list string) (set unix.CPUSet, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return set, fmt.Errorf("--cores %q: not a list of processors such as 0,1", list)
		}
		set.Set(n)
	}
	return set, nil
}

// pinServers moves the testbed's database and broker, with all their threads, to the given processors and returns what
// moves them back.
func pinServers(ctx context.Context, cores string, out io.Writer) (restore func(), err error) {
	if cores == "" {
		return func() {}, nil
	}
	set, err := parseCores(cores)
	if err != nil {
		return nil, err
	}
	former := map[int]unix.CPUSet{}
	restore = func() {
		for pid, set := range former {
			_ = moveProcess(pid, set) // a process may have ended
		}
	}
	for name, root := range serverPIDs(ctx) {
		for _, pid := range descendants(root) {
			var before unix.CPUSet
			if err := unix.SchedGetaffinity(pid, &before); err != nil {
				continue // ended meanwhile
			}
			former[pid] = before
			if err := moveProcess(pid, set); err != nil {
				restore()
				return nil, fmt.Errorf("move %s to the processors %s: %w", name, cores, err)
			}
		}
		fmt.Fprintf(out, "%s runs on the processors %s, beside this program\n", name, cores)
	}
	if len(former) == 0 {
		fmt.Fprintln(out, "the servers are not the testbed's own: they run where they run")
	}
	return restore, nil
}

// serverPIDs asks the testbed for the processes of the servers.
func serverPIDs(ctx context.Context) map[string]int {
	testbed := os.Getenv("DATONG_TESTBED")
	if testbed == "" {
		return nil
	}
	status := exec.CommandContext(ctx, testbed, "status", "kafka", "postgres")
	list, _ := status.Output() // its exit status speaks of servers that are down, which connecting will tell
	pids := map[string]int{}
	for line := range strings.Lines(string(list)) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		if pid, err := strconv.Atoi(fields[2]); err == nil {
			pids[fields[0]] = pid
		}
	}
	return pids
}

// serverTimes returns how much of the processors each of the testbed's servers has used so far.
func serverTimes(ctx context.Context) map[string]time.Duration {
	times := map[string]time.Duration{}
	for name, root := range serverPIDs(ctx) {
		for i, pid := range descendants(root) {
			fields, err := statFields(pid)
			if err != nil || len(fields) < 15 {
				continue // ended meanwhile
			}
			ticks := 0
			for at, field := range fields[11:15] { // of itself in user and system mode, then of children that have ended
				n, _ := strconv.Atoi(string(field))
				if i == 0 || at < 2 {
					ticks += n
				}
			}
			times[name] += time.Duration(ticks) * time.Second / 100 // Linux shows a hundred ticks a second everywhere
		}
	}
	return times
}

// statFields returns a process's state and what follows it in /proc/PID/stat. The command before it may hold anything.
func statFields(pid int) ([][]byte, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	return bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]), nil
}

// descendants returns a process and all that stem from it.
func descendants(root int) []int {
	children := map[int][]int{}
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, name := range processes {
		pid, _ := strconv.Atoi(filepath.Base(name))
		if fields, err := statFields(pid); err == nil && len(fields) > 1 { // else it ended meanwhile
			parent, _ := strconv.Atoi(string(fields[1]))
			children[parent] = append(children[parent], pid)
		}
	}
	all := []int{root}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// moveProcess sets the affinity of every thread of a process; threads and processes begun later inherit it.
func moveProcess(pid int, set unix.CPUSet) error {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	for _, t := range threads {
		tid, _ := strconv.Atoi(t.Name())
		if err := unix.SchedSetaffinity(tid, &set); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	return nil
}
