//go:build services

package crash

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a child may take for what it is waited for.
const patience = 3 * time.Minute

// process is a running program.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr tail
	ended  chan struct{} // closed when it has
}

// fault returns the environment that strikes at a mark when so many records have reached it.
func fault(mark string, records int) string { return fmt.Sprintf("DATONG_FAULT=%s=%d", mark, records) }

// start runs the program with one more environment variable, unless that is empty.
func start(t testing.TB, env string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.Env = append(os.Environ(), "LC_ALL=en")
	if env != "" {
		p.cmd.Env = append(p.cmd.Env, env)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended stands in ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		if t.Failed() && p.stderr.String() != "" {
			t.Logf("datong %s (%s) said:\n%s", strings.Join(args, " "), env, p.stderr.String())
		}
	})
	return p
}

// await waits for the process's end.
func (p *process) await(limit time.Duration) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(limit):
		p.t.Fatalf("the program has not ended within %s", limit)
	}
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// wantKilled waits until the fault has struck.
func (p *process) wantKilled() {
	p.t.Helper()
	p.await(patience)
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		p.t.Fatalf("the program ended with %v, want it killed at its mark", p.cmd.ProcessState)
	}
}

// wantExit waits for an orderly end with a code.
func (p *process) wantExit(code int) {
	p.t.Helper()
	p.await(patience)
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Fatalf("the program ended with %v, want exit code %d", p.cmd.ProcessState, code)
	}
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wantFrozen waits until the process has stopped itself at its mark.
func (p *process) wantFrozen() {
	p.t.Helper()
	eventually(p.t, "the program freezes at its mark", patience, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
		if err != nil || p.hasEnded() {
			p.t.Fatalf("the program has ended instead of freezing: %v", err)
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		return strings.HasPrefix(rest, "T")
	})
}

// figures is what the program prints with --json: at the end of a run, and as its status.
type figures struct {
	Pipelines  []pipelineFigures `json:"pipelines"`
	Deliveries []struct {
		Name       string `json:"delivery"`
		State      string `json:"state"`
		Delivered  int64  `json:"delivered"`
		LagRecords int64  `json:"lag_records"`
		Error      string `json:"error"`
	} `json:"deliveries"`
	Total counts `json:"total"`
}

type pipelineFigures struct {
	Department string `json:"department"`
	Pipeline   string `json:"pipeline"`
	State      string `json:"state"`
	Error      string `json:"error"`
	Waiting    int64  `json:"waiting"`
	counts
}

type counts struct {
	Read        int64 `json:"read"`
	Published   int64 `json:"published"`
	Unchanged   int64 `json:"unchanged"`
	Filtered    int64 `json:"filtered"`
	Quarantined int64 `json:"quarantined"`
	Superseded  int64 `json:"superseded"`
	Unaccounted int64 `json:"unaccounted"`
}

// figures returns what an ended run printed last.
func (p *process) figures() figures {
	p.t.Helper()
	return parseFigures(p.t, p.stdout.Bytes())
}

func parseFigures(t testing.TB, out []byte) (f figures) {
	t.Helper()
	if err := json.Unmarshal(out, &f); err != nil {
		t.Fatalf("read the closing object: %v\n%s", err, out)
	}
	return f
}

// of returns the figures of a department's pipeline.
func (f *figures) of(department string) pipelineFigures {
	for _, p := range f.Pipelines {
		if p.Department == department {
			return p
		}
	}
	return pipelineFigures{}
}

// tail keeps the end of what a process says.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 16 << 10

func (b *tail) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	if extra := len(b.text) - tailBytes; extra > 0 {
		b.text = append(b.text[:0], b.text[extra:]...)
	}
	return len(p), nil
}

func (b *tail) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}
