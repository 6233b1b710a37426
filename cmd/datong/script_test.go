package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"datong": main})
}

// TestScripts runs testdata/script/*.txtar. Beside testscript's own commands there are:
//
//	exits CODE PROGRAM ARG…   run a program, which must end with the exit code
//	says TEXT                 the last program must have written exactly this line to standard error
//	spoil FILE OLD NEW        replace OLD by NEW in FILE, where \n is a line break and an empty OLD means everything
//	remove FILE               take FILE away
//	write FILE PART…          make FILE of the parts, in Go's escapes; N*TEXT stands N times
//	mend                      undo every spoil, remove and write
//	refuses FILE:LINE REASON  the last program must have counted a row read there as refused for exactly this reason
//	until PATTERN PROGRAM …   run a program until its standard output matches
//	sql ADDRESS STATEMENT     run a statement in a database, and write its rows to standard output
//	hold ADDRESS STATEMENT    run a statement in a session that stays open until the script ends
func TestScripts(t *testing.T) { runScripts(t, "testdata/script") }

// scriptCommands are those of scripts beside testscript's own.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"exits": exits, "says": says, "spoil": spoil, "remove": remove, "mend": mend,
	"write": write, "refuses": refuses, "until": until, "sql": sqlCommand, "hold": hold,
}

// runScripts runs the scripts of a directory, with more variables in their environment.
func runScripts(t *testing.T, dir string, vars ...string) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		ContinueOnError:     true,
		Setup: func(env *testscript.Env) error {
			env.Vars = append(append(env.Vars, "LC_ALL=C"), vars...)
			env.Values[spoiltKey{}] = &spoilt{}
			return nil
		},
		Cmds: scriptCommands,
	})
}

// spoilt holds the files that a script has changed as they were; nil did not exist.
type spoilt struct {
	order  []string
	before map[string][]byte
}

type spoiltKey struct{}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		e, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("run %s: %v", args[1], err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func says(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: says TEXT")
	}
	found := false
	for line := range strings.Lines(ts.ReadFile("stderr")) {
		found = found || strings.TrimSuffix(line, "\n") == args[0]
	}
	if found == neg {
		ts.Fatalf("standard error is\n%s", ts.ReadFile("stderr"))
	}
}

func spoil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: spoil FILE OLD NEW")
	}
	lines := strings.NewReplacer(`\n`, "\n", `\t`, "\t")
	old, replacement := lines.Replace(args[1]), lines.Replace(args[2])
	content := keep(ts, args[0])
	text := replacement
	if old != "" {
		if strings.Count(string(content), old) != 1 {
			ts.Fatalf("%s holds %q %d times, want once", args[0], old, strings.Count(string(content), old))
		}
		text = strings.Replace(string(content), old, replacement, 1)
	}
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	ts.Check(os.WriteFile(path, []byte(text), 0o644))
}

func remove(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: remove FILE")
	}
	keep(ts, args[0])
	ts.Check(os.Remove(ts.MkAbs(args[0])))
}

// keep remembers a file as it was when the script first touched it, and returns it as it is.
func keep(ts *testscript.TestScript, name string) []byte {
	path := ts.MkAbs(name)
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		ts.Check(err)
	}
	s := ts.Value(spoiltKey{}).(*spoilt)
	if _, known := s.before[path]; !known {
		if s.before == nil {
			s.before = map[string][]byte{}
		}
		s.before[path] = content
		s.order = append(s.order, path)
	}
	return content
}

func mend(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: mend")
	}
	s := ts.Value(spoiltKey{}).(*spoilt)
	for _, path := range s.order {
		if s.before[path] == nil {
			ts.Check(os.Remove(path))
			removeEmpty(filepath.Dir(path))
			continue
		}
		ts.Check(os.WriteFile(path, s.before[path], 0o644))
	}
	*s = spoilt{}
}

// removeEmpty removes directories upwards for as long as they are empty.
func removeEmpty(dir string) {
	for os.Remove(dir) == nil {
		dir = filepath.Dir(dir)
	}
}
