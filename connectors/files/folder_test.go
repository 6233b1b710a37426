package files

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/connectors"
)

// names returns what lies in a folder of the exchange.
func (e *exchange) names(folder string) []string {
	e.Helper()
	entries, err := os.ReadDir(filepath.Join(e.dir, folder))
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		if !entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names
}

func check(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestFilesAreTakenInOrder(t *testing.T) {
	e := newExchange(t)
	e.file("x_10.csv", "a\nten\n")
	e.file("x_9.csv", "a\nnine\n")
	got := e.read(nil, map[string]any{"path": "in/*.csv", "order": byNumber})
	check(t, "by number", []string{"2 a=nine", "2 a=ten"}, got.rows)

	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(e.dir, "in", "x_10.csv"), old, old); err != nil {
		t.Fatal(err)
	}
	got = e.read(nil, map[string]any{"path": "in"})
	check(t, "by modification time, of a folder", []string{"2 a=ten", "2 a=nine"}, got.rows)
}

func TestTheSameContentIsReadOnce(t *testing.T) {
	e := newExchange(t)
	by := map[string]any{"path": "in/*.csv", "order": byNumber}
	e.file("x_1.csv", "a\n1\n")
	e.file("x_2.csv", "a\n1\n")
	first := e.read(nil, by)
	check(t, "two of one content", []string{"2 a=1"}, first.rows)
	e.file("x_3.csv", "a\n1\n")
	check(t, "again, later", []string(nil), e.read(first.pos, by).rows)
	e.file("x_2.csv", "a\n2\n")
	check(t, "the same name with other content, and what holds after it", []string{"2 a=2", "2 a=1"}, e.read(first.pos, by).rows)
}

// A set that is again what it was has changed: A, then B, then A.
func TestContentThatReturnsIsReadAgain(t *testing.T) {
	t.Run("in files that are ordered by name", func(t *testing.T) {
		e := newExchange(t)
		by := map[string]any{"path": "in/*.csv", "order": byNumber}
		for name, content := range map[string]string{"x_1.csv": "A", "x_2.csv": "B", "x_3.csv": "A", "x_4.csv": "A"} {
			e.file(name, "a\n"+content+"\n")
		}
		got := e.read(nil, by)
		check(t, "the rows", []string{"2 a=A", "2 a=B", "2 a=A"}, got.rows)
		check(t, "the rows after that", []string(nil), e.read(got.pos, by).rows)
	})
	t.Run("in one file", func(t *testing.T) {
		e := newExchange(t)
		by := map[string]any{"path": "in/x.csv", "mode": "full"}
		var pos connectors.Position
		for i, content := range []string{"A", "B", "A"} {
			e.file("x.csv", "a\n"+content+"\n")
			e.touch("x.csv", time.Duration(i)*time.Minute)
			got := e.read(pos, by)
			check(t, "the rows", []string{"begin file", "2 a=" + content, "end file"}, got.rows)
			pos = got.pos
		}
		e.touch("x.csv", time.Hour)
		check(t, "the rows when it was only touched", []string(nil), e.read(pos, by).rows)
	})
	t.Run("but not in a copy of an older file", func(t *testing.T) {
		e := newExchange(t)
		by := map[string]any{"path": "in/*.csv"}
		e.file("x.csv", "a\nA\n")
		e.touch("x.csv", -time.Hour)
		e.file("y.csv", "a\nB\n")
		got := e.read(nil, by)
		e.touch("x.csv", time.Hour)
		check(t, "the rows", []string(nil), e.read(got.pos, by).rows)
	})
}

// touch sets a file's modification time, from now.
func (e *exchange) touch(name string, by time.Duration) {
	e.Helper()
	at := time.Now().Add(by)
	if err := os.Chtimes(filepath.Join(e.dir, "in", name), at, at); err != nil {
		e.Fatal(err)
	}
}

func TestALateFileIsHeldAndShown(t *testing.T) {
	e := newExchange(t)
	by := map[string]any{"path": "in/*.csv", "order": byNumber, "set": `^([a-z]+)_`}
	e.file("x_5.csv", "a\n5\n")
	first := e.read(nil, by)
	e.file("x_4.csv", "a\n4\n")
	e.file("y_4.csv", "a\ny\n") // another set has an order of its own
	src := e.open(first.pos, by)
	var log bytes.Buffer
	src.log = slog.New(slog.NewTextHandler(&log, nil))
	problems := src.Check(t.Context())
	if len(problems) != 1 || problems[0].Where != "in/x_4.csv" || !problems[0].Warning {
		t.Errorf("problems: %v", problems)
	}
	check(t, "rows", []string{"2 a=y"}, readAll(t, src).rows)
	if !strings.Contains(log.String(), "held") || !strings.Contains(log.String(), "in/x_4.csv") {
		t.Errorf("log: %s", log.String())
	}
}

func TestUnfinishedNamesAreLeftAlone(t *testing.T) {
	e := newExchange(t)
	for _, name := range []string{"a.tmp", "b.part", "c.csv~", ".d.csv", "~$e.csv", "f.filepart"} {
		e.file(name, "a\n1\n")
	}
	e.file("ready.csv", "a\n2\n")
	check(t, "rows", []string{"2 a=2"}, e.read(nil, map[string]any{"path": "in/*"}).rows)
}

func TestAMarkerCompletesAFile(t *testing.T) {
	e := newExchange(t)
	by := map[string]any{"path": "in/*", "complete": "marker", "order": `_(\d+)`, "format": "csv", "done": "done"}
	e.file("x_1", "a\n1\n")
	e.file("x_2", "a\n2\n")
	e.file("x_2.ok", "")
	check(t, "an earlier file without its marker holds back later ones", []string(nil), e.read(nil, by).rows)
	e.file("x_1.ok", "")
	src := e.open(nil, by)
	all := readAll(t, src)
	check(t, "with markers", []string{"2 a=1", "2 a=2"}, all.rows)
	if err := src.Ack(t.Context(), all.pos); err != nil {
		t.Fatal(err)
	}
	check(t, "left", []string(nil), e.names("in"))
	check(t, "moved", []string{"x_1", "x_1.ok", "x_2", "x_2.ok"}, e.names("in/done"))
}

func TestAGrowingFileWaits(t *testing.T) {
	e := newExchange(t)
	path := filepath.Join(e.dir, "in", "a.csv")
	synctest.Test(t, func(t *testing.T) {
		write := func(content string) {
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write("a\n1\n")
		src, err := open(connectors.SourceRequest{Dir: e.dir, Settings: settingsOf(t, map[string]any{
			"path": "in/*.csv", "watch": time.Second, "settle": 10 * time.Second})}, 100)
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		start := time.Now()
		go func() {
			time.Sleep(8500 * time.Millisecond)
			write("a\n1\n2\n")
		}()
		b, err := src.Read(t.Context())
		if err != nil || len(b.Rows) != 2 {
			t.Fatalf("read: %v, %v", b, err)
		}
		b.Release()
		if waited := time.Since(start); waited < 18*time.Second || waited > 21*time.Second {
			t.Errorf("the file was taken after %s, want 10 s after its last change", waited)
		}
	})
}

func TestAckMovesAndACrashBeforeTheMoveIsHealed(t *testing.T) {
	e := newExchange(t)
	by := map[string]any{"path": "in/*.csv", "order": byNumber, "done": "done"}
	e.file("x_1.csv", "a\n1\n")
	e.file("x_2.csv", "a\n2\n")
	src := e.open(nil, by)
	first, err := src.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := readAll(t, src)
	if err := src.Ack(t.Context(), first.Position); err != nil {
		t.Fatal(err)
	}
	check(t, "after the first ack", []string{"x_1.csv"}, e.names("in/done"))
	src.Close() // the commit of the second went through, its ack did not

	src = e.open(all.pos, by)
	check(t, "rows after the crash", []string(nil), readAll(t, src).rows)
	check(t, "healed", []string{"x_1.csv", "x_2.csv"}, e.names("in/done"))

	e.file("x_2.csv", "a\nother\n")
	src = e.open(all.pos, by)
	again := readAll(t, src)
	if err := src.Ack(t.Context(), again.pos); err != nil {
		t.Fatal(err)
	}
	if names := e.names("in/done"); len(names) != 3 || !strings.HasPrefix(names[2], "x_2.csv.") {
		t.Errorf("a second delivery of one name is kept beside the first: %q", names)
	}
}

func TestAFileReplacedBeforeItWasReadToItsEnd(t *testing.T) {
	by := map[string]any{"path": "in/a.csv"}
	start := func(t *testing.T, mode string) (*exchange, connectors.Position) {
		e := newExchange(t)
		e.file("a.csv", "a\n1\n2\n3\n4\n5\n")
		by["mode"] = mode
		b, err := e.open(nil, by).Read(t.Context()) // three rows
		if err != nil {
			t.Fatal(err)
		}
		return e, b.Position
	}
	t.Run("by a longer one goes on", func(t *testing.T) {
		e, pos := start(t, "changes")
		e.file("a.csv", "a\n1\n2\n3\n4\n5\n6\n")
		got := e.read(pos, by)
		check(t, "rows", []string{"5 a=4", "6 a=5", "7 a=6"}, got.rows)
	})
	t.Run("renamed goes on", func(t *testing.T) {
		e, pos := start(t, "changes")
		if err := os.Rename(filepath.Join(e.dir, "in", "a.csv"), filepath.Join(e.dir, "in", "b.csv")); err != nil {
			t.Fatal(err)
		}
		by := map[string]any{"path": "in/a.csv"}
		if got := e.read(pos, by); !errors.Is(got.err, connectors.ErrPosition) {
			t.Errorf("outside the path: %v, want ErrPosition", got.err)
		}
		e.file("a.csv", "a\n1\n2\n3\n4\n5\n")
		check(t, "put back", []string{"5 a=4", "6 a=5"}, e.read(pos, by).rows)
	})
	t.Run("by another stops until the rest is given up", func(t *testing.T) {
		e, pos := start(t, "changes")
		e.file("a.csv", "a\nnew\n")
		got := e.read(pos, by)
		if !errors.Is(got.err, connectors.ErrPosition) || !strings.Contains(got.err.Error(), "after row 3") {
			t.Errorf("got %v, want ErrPosition", got.err)
		}
		e.file("a.csv.lost", "")
		check(t, "rows", []string{"2 a=new"}, e.read(pos, by).rows)
	})
	t.Run("full is superseded", func(t *testing.T) {
		e, pos := start(t, "full")
		e.file("a.csv", "a\nnew\n")
		check(t, "rows", []string{"begin file", "2 a=new", "end file"}, e.read(pos, by).rows)
	})
}

func TestFullFiles(t *testing.T) {
	e := newExchange(t)
	e.file("x_1.csv", "a\n1\n")
	e.file("x_2.csv", "")
	full := map[string]any{"path": "in/*.csv", "mode": "full"}
	got := e.read(nil, full)
	if !errors.Is(got.err, connectors.ErrStop) || !strings.Contains(got.err.Error(), "in/x_2.csv waits as well") {
		t.Errorf("two files and nothing that tells them apart: %v", got.err)
	}
	full["order"] = byNumber
	check(t, "one after the other", []string{"begin file", "2 a=1", "end file", "begin file", "end file"}, e.read(nil, full).rows)
	full["order"] = `^(x)`
	if got := e.read(nil, full); !errors.Is(got.err, connectors.ErrStop) {
		t.Errorf("two files of one order: %v", got.err)
	}
}

func TestWatchingCatchesUpOnce(t *testing.T) {
	e := newExchange(t)
	synctest.Test(t, func(t *testing.T) {
		src, err := open(connectors.SourceRequest{Dir: e.dir, Settings: settingsOf(t, map[string]any{"path": "in/*.csv", "watch": time.Second})}, 100)
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		b, err := src.Read(t.Context())
		if err != nil || !b.CaughtUp || len(b.Rows) != 0 {
			t.Fatalf("first read: %+v, %v", b, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := src.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("second read: %v, want to block", err)
		}
	})
}

func TestAMissingFileIsAnError(t *testing.T) {
	e := newExchange(t)
	if got := e.read(nil, map[string]any{"path": "in/a.csv"}); !errors.Is(got.err, os.ErrNotExist) {
		t.Errorf("got %v", got.err)
	}
}
