package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// repeated is a part of write that stands many times: 2000000*a.
var repeated = regexp.MustCompile(`^(\d+)\*(.*)$`)

// write makes a file of its parts, in which Go's escapes stand for bytes that a script cannot hold.
func write(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: write FILE PART…")
	}
	var content strings.Builder
	for _, part := range args[1:] {
		times := 1
		if m := repeated.FindStringSubmatch(part); m != nil {
			times, _ = strconv.Atoi(m[1]) // the pattern let only digits through
			part = m[2]
		}
		text, err := strconv.Unquote(`"` + strings.ReplaceAll(part, `"`, `\"`) + `"`)
		ts.Check(err)
		content.WriteString(strings.Repeat(text, times))
	}
	keep(ts, args[0])
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	ts.Check(os.WriteFile(path, []byte(content.String()), 0o644))
}

// refuses says that the last program counted a row, which was read at the place, as refused for exactly this reason.
func refuses(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: refuses FILE:LINE REASON")
	}
	want := " " + args[0] + " " + strings.Join(strings.Fields(args[1]), " ")
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if strings.HasSuffix(strings.Join(strings.Fields(line), " "), want) {
			return
		}
	}
	ts.Fatalf("standard output is\n%s", ts.ReadFile("stdout"))
}

// scriptPatience bounds what until waits for.
const scriptPatience = 30 * time.Second

// until runs a program again and again until its standard output matches.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN PROGRAM ARG…")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for deadline := time.Now().Add(scriptPatience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err := ts.Exec(args[1], args[2:]...); err == nil && pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("standard output never matched %s and was last\n%s", args[0], ts.ReadFile("stdout"))
}
