package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/segmentio/kafka-go"

	"github.com/datong-dx/datong/broker"
)

// session is what the benchmarks share: servers, sizes, and a name that keeps this run apart from others.
type session struct {
	opt    options
	out    io.Writer
	name   string // of this run: database schema, topics
	dir    string // temporary
	kafka  string
	url    string // of the database, with this run's schema in front
	db     *pgx.Conn
	client *broker.Client
}

func open(ctx context.Context, opt options, out io.Writer) (*session, error) {
	s := &session{opt: opt, out: out, name: "bench" + strings.ToLower(rand.Text()[:8]), kafka: os.Getenv("DATONG_TEST_KAFKA")}
	base := os.Getenv("DATONG_TEST_POSTGRES")
	if s.kafka == "" || base == "" {
		return nil, errors.New(`DATONG_TEST_KAFKA and DATONG_TEST_POSTGRES are not set; try: make bench, or eval "$(deploy/testbed/testbed env)"`)
	}
	separator := "?"
	if strings.Contains(base, "?") {
		separator = "&"
	}
	s.url = base + separator + "search_path=" + s.name
	var err error
	if s.db, err = pgx.Connect(ctx, s.url); err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	if s.client, err = broker.Connect(broker.Config{Brokers: []string{s.kafka}}); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "datong-bench-*"); err != nil {
		return nil, err
	}
	return s, s.exec(ctx, "CREATE SCHEMA "+s.name)
}

// close takes away all that the run has made.
func (s *session) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = s.db.Close(ctx)
	if err := s.dropSchemas(ctx); err != nil {
		s.say("%v", err)
	}
	if err := s.deleteTopics(ctx, s.name); err != nil {
		s.say("%v", err)
	}
	s.client.Close()
	_ = os.RemoveAll(s.dir)
}

// dropSchemas drops this run's schema and the platforms'. The session's own connection may be broken by an interrupt.
func (s *session) dropSchemas(ctx context.Context) error {
	var err error
	if s.db, err = pgx.Connect(ctx, s.url); err != nil {
		return fmt.Errorf("connect to PostgreSQL to clean up: %w", err)
	}
	defer s.db.Close(ctx)
	rows, err := s.db.Query(ctx, "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1)", s.name)
	if err != nil {
		return err
	}
	schemas, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, schema := range schemas {
		if err := s.exec(ctx, "DROP SCHEMA "+schema+" CASCADE"); err != nil {
			return err
		}
	}
	return nil
}

// deleteTopics deletes the topics of a prefix, so that one figure's log is not cleaned and flushed during the next.
func (s *session) deleteTopics(ctx context.Context, prefix string) error {
	topics, err := s.client.Topics(ctx)
	if err != nil {
		return err
	}
	var gone []string
	for name := range topics {
		if strings.HasPrefix(name, prefix) {
			gone = append(gone, name)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	c := &kafka.Client{Addr: kafka.TCP(s.kafka), Timeout: 30 * time.Second}
	_, err = c.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: gone})
	if err != nil {
		return fmt.Errorf("delete the topics of %s: %w", prefix, err)
	}
	return nil
}

func (s *session) exec(ctx context.Context, statement string, args ...any) error {
	if _, err := s.db.Exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("%.60s: %w", statement, err)
	}
	return nil
}

// settle lets the database write down what it has in memory, so that the next figure does not pay for the last one.
func (s *session) settle(ctx context.Context) error { return s.exec(ctx, "CHECKPOINT") }

func (s *session) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

// size picks the number for a full or a quick run.
func (s *session) size(full, quick int) int {
	if s.opt.quick {
		return quick
	}
	return full
}

// machine prints what the figures were measured on.
func (s *session) machine(ctx context.Context) error {
	var version string
	if err := s.db.QueryRow(ctx, "SHOW server_version").Scan(&version); err != nil {
		return fmt.Errorf("ask PostgreSQL for its version: %w", err)
	}
	kafkaVersion := os.Getenv("KAFKA_VERSION")
	if kafkaVersion == "" {
		kafkaVersion = "(version unknown)"
	}
	s.say("%s, %d of its processors, %s; Apache Kafka %s; PostgreSQL %s", processor(), runtime.GOMAXPROCS(0), runtime.Version(), kafkaVersion, version)
	return nil
}

// processor returns the processor's name where the system tells it.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
