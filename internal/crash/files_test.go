//go:build services

package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const filePipeline = `
source:
  connector: files
  path: $FILES
  mode: $MODE
  key: [no]
  done: $DONE
mapping:
  entity: permit
  fields:
    permit_no: no
    holder: holder
    issued: {from: issued, layouts: [yyyyMMdd]}
    version: version
`

// pipelineOfFiles writes a pipeline that reads files.
func (w *world) pipelineOfFiles(path, files, mode, done string) {
	w.t.Helper()
	w.write(path, strings.NewReplacer("$FILES", files, "$MODE", mode, "$DONE", done).Replace(filePipeline))
}

// permitRows is a CSV file of n permits in one state of theirs.
func permitRows(n, version int) string { return permitRowsFrom(0, n, version) }

func permitRowsFrom(first, n, version int) string {
	var b strings.Builder
	b.WriteString("no,holder,issued,version\n")
	for i := first; i < first+n; i++ {
		fmt.Fprintf(&b, "F%06d,持有人 %d,20200101,%d\n", i, i, version)
	}
	return b.String()
}

// TestKilledAroundTheCommitOfAFile kills the program before and after the position of a file is durable. The file is
// moved away when, and only when, everything of it is published.
func TestKilledAroundTheCommitOfAFile(t *testing.T) {
	t.Parallel()
	const rows = 2000
	for _, mark := range []string{"read", "txn-produced", "committed", "acked"} {
		t.Run(mark, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, need(t, "DATONG_TEST_KAFKA"), need(t, "DATONG_TEST_POSTGRES"))
			w.pipelineOfFiles("departments/permits/files.yaml", "drop/*.csv", "changes", "done")
			w.write("drop/1.csv", permitRows(rows, 1))
			w.write("drop/2.csv", permitRows(rows, 2))
			w.run(fault(mark, rows/2)).wantKilled()
			w.wantMovedOnlyIfPublished()
			w.run("").wantExit(0)
			if _, events := w.consume("permits"); events != 2*rows {
				t.Errorf("%d events, want %d", events, 2*rows)
			}
			if n := w.platform.count(t, `SELECT count(*) FROM permit WHERE version = 2`); n != rows {
				t.Errorf("%d permits in their second state, want %d", n, rows)
			}
			for _, name := range []string{"1.csv", "2.csv"} {
				if _, err := os.Stat(filepath.Join(w.dir, "drop", "done", name)); err != nil {
					t.Errorf("the file was not moved: %v", err)
				}
			}
		})
	}
}

// wantMovedOnlyIfPublished looks at what a killed run has left.
func (w *world) wantMovedOnlyIfPublished() {
	w.t.Helper()
	moved, err := filepath.Glob(filepath.Join(w.dir, "drop", "done", "*.csv"))
	if err != nil {
		w.t.Fatal(err)
	}
	_, events := w.consume("permits")
	const rows = 2000
	if events < rows*len(moved) {
		w.t.Errorf("%d files were moved away, and only %d events published", len(moved), events)
	}
}

// TestAnEmptiedFileDeletesNothing replaces a full file by one without rows, by one of no bytes, and by one that is cut
// off. Each time the pipeline stops and says so, and the platform keeps what it has.
func TestAnEmptiedFileDeletesNothing(t *testing.T) {
	t.Parallel()
	const rows = 500
	w := newWorld(t, need(t, "DATONG_TEST_KAFKA"), need(t, "DATONG_TEST_POSTGRES"))
	w.pipelineOfFiles("departments/permits/files.yaml", "permits.csv", "full", "none")
	w.write("permits.csv", permitRows(rows, 1))
	w.run("").wantExit(0)
	for what, text := range map[string]string{"without rows": permitRows(0, 0), "of no bytes": "", "cut off": permitRows(rows/2, 1)} {
		w.write("permits.csv", text)
		p := w.run("")
		p.await(patience)
		if p.cmd.ProcessState.ExitCode() == 0 {
			t.Errorf("a file %s: the run ended well", what)
		}
		if n := w.platform.count(t, `SELECT count(*) FROM permit`); n != rows {
			t.Errorf("after a file %s the platform has %d permits, want %d", what, n, rows)
		}
	}
	w.write("permits.csv", permitRows(rows-20, 2))
	w.run("").wantExit(0)
	if n := w.platform.count(t, `SELECT count(*) FROM permit WHERE version = 2`); n != rows-20 {
		t.Errorf("%d permits in their second state after a good file, want %d", n, rows-20)
	}
	if n := w.platform.count(t, `SELECT count(*) FROM permit`); n != rows-20 {
		t.Errorf("%d permits after a good file, want %d", n, rows-20)
	}
}
