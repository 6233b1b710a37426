//go:build services

package crash

import (
	"crypto/rand"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/internal/sqldb"
)

// need returns where a server of the testbed is.
func need(t testing.TB, variable string) string {
	t.Helper()
	address := os.Getenv(variable)
	if address == "" {
		t.Fatalf("%s is not set: run deploy/testbed/testbed up, then source its env", variable)
	}
	return address
}

// name returns a name that nothing else has.
func name(kind string) string { return kind + strings.ToLower(rand.Text()[:10]) }

// database is an empty PostgreSQL database of one test. A database of its own, because the watermark looks at all
// transactions that run in it.
type database struct {
	*sqlx.DB
	url string
}

// newDatabase makes a database on a server, which goes with the test.
func newDatabase(t testing.TB, server string) *database {
	t.Helper()
	own := name("crash_")
	admin, _, err := sqldb.Open(server, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec("CREATE DATABASE " + own); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + own
	d := &database{url: u.String()}
	if d.DB, _, err = sqldb.Open(d.url, 8); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Close()
		if _, err := admin.Exec("DROP DATABASE " + own + " WITH (FORCE)"); err != nil {
			t.Log(err)
		}
		admin.Close()
	})
	return d
}

// as returns the database's address for a session of another name.
func (d *database) as(application string) string {
	u, err := url.Parse(d.url)
	if err != nil {
		return d.url
	}
	q := u.Query()
	q.Set("application_name", application)
	u.RawQuery = q.Encode()
	return u.String()
}

func (d *database) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	if _, err := d.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%.200s: %v", statement, err)
	}
}

// texts returns the rows of a query that selects one text.
func (d *database) texts(t testing.TB, query string, args ...any) []string {
	t.Helper()
	var rows []string
	if err := d.SelectContext(t.Context(), &rows, query, args...); err != nil {
		t.Fatalf("%.200s: %v", query, err)
	}
	return rows
}

func (d *database) count(t testing.TB, query string, args ...any) int {
	t.Helper()
	var n int
	if err := d.GetContext(t.Context(), &n, query, args...); err != nil {
		t.Fatalf("%.200s: %v", query, err)
	}
	return n
}

// connect returns a client that ends with the test.
func connect(t testing.TB, kafka string) *broker.Client {
	t.Helper()
	c, err := broker.Connect(broker.Config{Brokers: []string{kafka}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// servers are a private Kafka and PostgreSQL, which a test may restart.
type servers struct {
	t               testing.TB
	dir             string
	kafka, postgres string
}

// ownServers starts the named servers for this test alone.
func ownServers(t testing.TB, names string) *servers {
	t.Helper()
	// Not t.TempDir: PostgreSQL runs as a user of its own where the tests run as root, and has to get there.
	dir, err := os.MkdirTemp("/var/tmp", "crash")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &servers{t: t, dir: dir}
	t.Cleanup(func() {
		s.testbed("kill", "--only", names)
		os.RemoveAll(dir)
	})
	s.testbed("up", "--only", names)
	if t.Failed() {
		t.FailNow()
	}
	for line := range strings.Lines(s.testbed("env", "--only", names)) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		value = strings.Trim(value, "'")
		switch name {
		case "DATONG_TEST_KAFKA":
			s.kafka = value
		case "DATONG_TEST_POSTGRES":
			s.postgres = value
		}
	}
	return s
}

// testbed runs the testbed's script on the private servers.
func (s *servers) testbed(args ...string) string {
	s.t.Helper()
	cmd := exec.Command("../../deploy/testbed/testbed", append(args, "--dir", s.dir)...)
	cmd.Env = append(cmd.Environ(), "DATONG_TEST_KAFKA=", "DATONG_TEST_POSTGRES=", "DATONG_TESTBED_DIR=", "KAFKA_SESSION_MS=3000")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Errorf("testbed %s: %v\n%s", args, err, out)
	}
	return string(out)
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, limit time.Duration, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !so() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, limit)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
