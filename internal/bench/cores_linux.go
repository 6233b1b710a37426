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

// descendants returns a process and all that stem from it.
func descendants(root int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // ended meanwhile
		}
		// pid (command) state parent …; the command may hold anything, a bracket too.
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		after := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(after) > 1 {
			parent, _ := strconv.Atoi(string(after[1]))
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
