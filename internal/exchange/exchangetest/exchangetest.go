// Package exchangetest gives tests a small exchange directory, the one that `datong init` writes, and runs it.
package exchangetest

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/all"
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/internal/exchange"
)

// Patience is how long a test waits for what must come.
const Patience = 30 * time.Second

// Pipeline and File name the template's pipeline and the file that it reads.
const (
	Pipeline = "market-regulation/enterprises"
	File     = "data/enterprises.csv"
)

// Directory writes the exchange into a directory of the test's own. Its broker is embedded, its platform SQLite.
func Directory(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ex")
	_, here, _, _ := runtime.Caller(0)
	template := filepath.Join(filepath.Dir(here), "../../../cmd/datong/template")
	if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Edit replaces a text that stands once in a file of the directory; an empty old text stands for everything.
func Edit(t testing.TB, dir, file, old, replacement string) {
	t.Helper()
	path := filepath.Join(dir, file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if old == "" {
		old = string(text)
	}
	if strings.Count(string(text), old) != 1 {
		t.Fatalf("%s holds %q %d times, want once", file, old, strings.Count(string(text), old))
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, replacement, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Copy adds another department with the same pipeline and, when file is not empty, another file to read.
func Copy(t testing.TB, dir, department, file string) {
	t.Helper()
	to := filepath.Join(dir, "departments", department)
	if err := os.CopyFS(to, os.DirFS(filepath.Join(dir, "departments/market-regulation"))); err != nil {
		t.Fatal(err)
	}
	if file != "" {
		Edit(t, dir, "departments/"+department+"/enterprises.yaml", "path: "+File, "path: "+file)
	}
}

// Load reads the directory.
func Load(t testing.TB, dir string) *config.Exchange {
	t.Helper()
	registry, err := connectors.NewRegistry(all.Connectors()...)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(dir, registry)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// Open takes the directory until the test ends or closes it.
func Open(t testing.TB, dir string, opt exchange.Options) *exchange.Exchange {
	t.Helper()
	x, err := exchange.Open(t.Context(), Load(t, dir), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return x
}

// OpenIdle opens the directory as a command does that finds nobody there.
func OpenIdle(t testing.TB, dir string) *exchange.Exchange {
	t.Helper()
	x, err := exchange.OpenIdle(t.Context(), Load(t, dir), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return x
}

// Run runs an exchange in the background; stop ends it, as the test's end does.
func Run(t testing.TB, x *exchange.Exchange) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- x.Run(ctx) }()
	stop = func() {
		if cancel == nil {
			return
		}
		cancel()
		cancel = nil
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// Once runs the directory until idle and returns what became of everything.
func Once(t testing.TB, dir string) exchange.Status {
	t.Helper()
	x := Open(t, dir, exchange.Options{UntilIdle: true})
	defer x.Close()
	if err := x.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return Status(t, x)
}

// Status asks the exchange.
func Status(t testing.TB, x *exchange.Exchange) exchange.Status {
	t.Helper()
	s, err := x.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Until waits for a status.
func Until(t testing.TB, x *exchange.Exchange, what string, is func(*exchange.Status) bool) exchange.Status {
	t.Helper()
	for end := time.Now().Add(Patience); ; time.Sleep(10 * time.Millisecond) {
		s := Status(t, x)
		if is(&s) {
			return s
		}
		if time.Now().After(end) {
			t.Fatalf("%s: the status stays %+v", what, s)
		}
	}
}
