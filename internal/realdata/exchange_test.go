//go:build services

package realdata

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/internal/sqldb"
)

// defaultData is where the data is looked for unless DATONG_REAL_DATA names a folder: beside the repository.
const defaultData = "../../../shared/data"

// findData returns the folder of the real data, and whether there is one.
func findData(t *testing.T) (string, bool) {
	t.Helper()
	dir := os.Getenv("DATONG_REAL_DATA")
	if dir == "" {
		dir = defaultData
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(filepath.Join(dir, "service-items"))
	return dir, err == nil
}

// exchange is a copy of the directory exchange/ on real servers.
type exchange struct {
	t      *testing.T
	dir    string
	prefix string
	broker *broker.Client
	db     *sqlx.DB
}

func newExchange(t *testing.T, data string) *exchange {
	t.Helper()
	name := "realdata_" + strings.ToLower(rand.Text()[:10])
	x := &exchange{t: t, dir: filepath.Join(t.TempDir(), "exchange"), prefix: name}
	copyExchange(t, x.dir)
	if err := os.Symlink(data, filepath.Join(x.dir, "data")); err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob(filepath.Join(data, "admin-divisions/wecatch-2021/*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-o", filepath.Join(x.dir, "converted"), filepath.Join(data, "service-items/bszl-data.js")}, scripts...)
	x.command(build(t, "internal/realdata/convert"), args...)

	kafka := need(t, "DATONG_TEST_KAFKA")
	x.write("datong.yaml", fmt.Sprintf("brokers: [%q]\nprefix: %s\nhttp: 127.0.0.1:0\ntopics: {partitions: 4}\n", kafka, name))
	x.write("deliveries/platform.yaml", fmt.Sprintf("sink:\n  connector: sqltable\n  url: %s\n", x.openDatabase(name)))
	if x.broker, err = broker.Connect(broker.Config{Brokers: []string{kafka}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.broker.Close)
	return x
}

// copyExchange copies what belongs to the repository, not what a run in it has left behind.
func copyExchange(t *testing.T, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, repositoryFiles{os.DirFS("exchange")}); err != nil {
		t.Fatal(err)
	}
}

// repositoryFiles hides what .gitignore names.
type repositoryFiles struct{ fs.FS }

func (r repositoryFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(r.FS, name)
	var kept []fs.DirEntry
	for _, e := range all {
		if own := e.Name() == "data" || e.Name() == "converted" || e.Name() == ".datong" || strings.HasPrefix(e.Name(), "platform.db"); !own {
			kept = append(kept, e)
		}
	}
	return kept, err
}

// openDatabase makes a schema that goes with the test, and returns its address.
func (x *exchange) openDatabase(schema string) string {
	x.t.Helper()
	address := need(x.t, "DATONG_TEST_POSTGRES")
	u, err := url.Parse(address)
	if err != nil {
		x.t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	if x.db, _, err = sqldb.Open(u.String(), 2); err != nil {
		x.t.Fatal(err)
	}
	if _, err := x.db.Exec("CREATE SCHEMA " + schema); err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() {
		if _, err := x.db.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			x.t.Log(err)
		}
		x.db.Close()
	})
	return u.String()
}

func need(t *testing.T, variable string) string {
	t.Helper()
	if os.Getenv(variable) == "" {
		t.Fatalf("%s is not set: run deploy/testbed/testbed up, then source its env", variable)
	}
	return os.Getenv(variable)
}

func (x *exchange) write(name, content string) {
	x.t.Helper()
	if err := os.WriteFile(filepath.Join(x.dir, name), []byte(content), 0o600); err != nil {
		x.t.Fatal(err)
	}
}

// build builds one of the repository's commands.
func build(t *testing.T, path string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), filepath.Base(path))
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../../"+path).CombinedOutput()
	if err != nil {
		t.Fatalf("build %s: %v\n%s", path, err, out)
	}
	return bin
}

// command runs a program to its end and returns what it wrote to standard output.
func (x *exchange) command(program string, args ...string) []byte {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		x.t.Fatalf("%s %s: %v\n%s%s", filepath.Base(program), args, err, &stdout, &stderr)
	}
	return stdout.Bytes()
}

// figures is the object that a run closes with.
type figures struct {
	Pipelines []struct {
		counts

		Department string `json:"department"`
		Name       string `json:"pipeline"`
	} `json:"pipelines"`
	Total struct {
		counts

		Unaccounted int64 `json:"unaccounted"`
	} `json:"total"`
}

type counts struct {
	Read        int64 `json:"read"`
	Published   int64 `json:"published"`
	Unchanged   int64 `json:"unchanged"`
	Filtered    int64 `json:"filtered"`
	Quarantined int64 `json:"quarantined"`
	Superseded  int64 `json:"superseded"`
	Delivered   int64 `json:"delivered"`
}

// run takes everything through the built program.
func (x *exchange) run() figures {
	x.t.Helper()
	started := time.Now()
	out := x.command(build(x.t, "cmd/datong"), "run", x.dir, "--until-idle", "--json")
	x.t.Logf("the run took %s", time.Since(started).Round(time.Millisecond))
	var f figures
	if err := json.Unmarshal(out, &f); err != nil {
		x.t.Fatalf("the run's closing object: %v\n%.2000s", err, out)
	}
	return f
}
