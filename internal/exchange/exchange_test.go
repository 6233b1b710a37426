package exchange_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/exchange"
	"github.com/datong-dx/datong/internal/exchange/exchangetest"
	"github.com/datong-dx/datong/internal/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// delivered says that all pipelines are idle and the platform has n records.
func delivered(n int64) func(*exchange.Status) bool {
	return func(s *exchange.Status) bool {
		return s.Ready() && s.Total.Delivered == n && s.Deliveries[0].State == delivery.Idle
	}
}

// stateOf is the state of one pipeline.
func stateOf(s *exchange.Status, department string) pipeline.State {
	for _, p := range s.Pipelines {
		if p.Department == department {
			return p.State
		}
	}
	return ""
}

func TestASecondProcessIsRefused(t *testing.T) {
	dir := exchangetest.Directory(t)
	x := exchangetest.Open(t, dir, exchange.Options{})
	if err := x.Announce(exchange.Address{Addr: "127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	_, err := exchange.Open(t.Context(), exchangetest.Load(t, dir), exchange.Options{})
	p, ok := errors.AsType[*connectors.Problem](err)
	if !ok || !errors.Is(err, exchange.ErrHeld) || p.Try.Zh == "" || p.What.Zh == "" {
		t.Errorf("got %v, want a problem that the directory is held", err)
	}
	x.Close()
	exchangetest.Open(t, dir, exchange.Options{})
}

func TestTheWordOfAKilledProcessIsTakenAway(t *testing.T) {
	dir := exchangetest.Directory(t)
	word := filepath.Join(dir, ".datong/run.json")
	if err := os.MkdirAll(filepath.Dir(word), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(word, []byte(`{"addr":"127.0.0.1:1","pid":1,"token":"t"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	x := exchangetest.Open(t, dir, exchange.Options{})
	if _, found, err := exchange.Find(dir); found || err != nil {
		t.Errorf("the word of a process that is gone was found: %v", err)
	}
	if err := x.Announce(exchange.Address{Addr: "127.0.0.1:2", PID: 2, Token: "u"}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(word); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token can be read by others: %v %v", info.Mode(), err)
	}
	if a, found, err := exchange.Find(dir); !found || err != nil || a != (exchange.Address{Addr: "127.0.0.1:2", PID: 2, Token: "u"}) {
		t.Errorf("found %+v, %v, %v", a, found, err)
	}
	x.Close()
	if _, err := os.Stat(word); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("word is left behind: %v", err)
	}
}

func TestARunUntilIdleEndsAndItsStatusStays(t *testing.T) {
	dir := exchangetest.Directory(t)
	live := exchangetest.Once(t, dir)
	if live.Total.Read != 2 || live.Total.Delivered != 2 || live.Total.Unaccounted != 0 {
		t.Errorf("got %+v", live.Total)
	}
	idle := exchangetest.Status(t, exchangetest.OpenIdle(t, dir))
	// What a process does at the moment ends with it; what it has done stays.
	moment := []cmp.Option{
		cmpopts.IgnoreUnexported(pipeline.Status{}, delivery.Status{}),
		cmpopts.IgnoreFields(exchange.Status{}, "PID", "Since"),
		cmpopts.IgnoreFields(pipeline.Status{}, "State", "Committed"),
		cmpopts.IgnoreFields(delivery.Status{}, "Written"),
	}
	if diff := cmp.Diff(live, idle, moment...); diff != "" {
		t.Errorf("(-live +idle)\n%s", diff)
	}
}

func TestADryRunTouchesNeitherBrokerNorPlatformNorFiles(t *testing.T) {
	dir := exchangetest.Directory(t)
	exchangetest.Edit(t, dir, "datong.yaml", "brokers: embedded", "brokers: [127.0.0.1:1]")
	exchangetest.Edit(t, dir, "deliveries/platform.yaml", "sqlite:platform.db", "postgres://127.0.0.1:1/platform")
	exchangetest.Edit(t, dir, "departments/market-regulation/enterprises.yaml", "path: data/enterprises.csv", "path: data/*.csv\n  done: data/done")
	exchangetest.Edit(t, dir, exchangetest.File, "存续", "歇业")
	x := exchangetest.Open(t, dir, exchange.Options{Dry: true})
	if err := x.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := exchangetest.Status(t, x)
	if !s.Dry || s.Total.Read != 2 || s.Total.Published != 1 || s.Total.Quarantined != 1 || len(s.Causes) != 1 || s.Causes[0].Element != "reg_status" {
		t.Errorf("got %+v", s)
	}
	if s.Deliveries == nil {
		t.Error("a list without deliveries is null")
	}
	if _, err := os.Stat(filepath.Join(dir, exchangetest.File)); err != nil {
		t.Errorf("the source's file: %v", err)
	}
	for _, made := range []string{"data/done", "platform.db", ".datong/broker"} {
		if _, err := os.Stat(filepath.Join(dir, made)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s was made: %v", made, err)
		}
	}
}

func TestOnePipelinesTroubleLeavesTheOthersGoing(t *testing.T) {
	dir := exchangetest.Directory(t)
	exchangetest.Copy(t, dir, "fixtures", "")
	exchangetest.Edit(t, dir, "departments/fixtures/enterprises.cases/accepted.yaml", `reg_capital: "5000000"`, `reg_capital: "5"`)
	exchangetest.Copy(t, dir, "columns", "data/columns.csv")
	if err := os.WriteFile(filepath.Join(dir, "data/columns.csv"), []byte("TYSHXYDM,QYMCH\n1,2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	x := exchangetest.Open(t, dir, exchange.Options{})
	exchangetest.Run(t, x)
	s := exchangetest.Until(t, x, "two halted, one idle", func(s *exchange.Status) bool {
		return stateOf(s, "market-regulation") == pipeline.Idle && s.Total.Delivered == 2 &&
			stateOf(s, "fixtures") == pipeline.Halted && stateOf(s, "columns") == pipeline.Halted
	})
	if s.Ready() {
		t.Error("an exchange with halted pipelines is ready")
	}
	for _, p := range s.Pipelines {
		if (p.State == pipeline.Halted) != (p.Error != "" && p.ErrorZh != "" && p.ErrorZh != p.Error) {
			t.Errorf("%s/%s: %q, %q", p.Department, p.Name, p.Error, p.ErrorZh)
		}
	}
	// Another file has come in the place of the one that halted the pipeline: told so, it goes on.
	whole, err := os.ReadFile(filepath.Join(dir, exchangetest.File))
	if err != nil {
		t.Fatal(err)
	}
	exchangetest.Edit(t, dir, "data/columns.csv", "", string(whole))
	if err := x.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = exchangetest.Until(t, x, "resumed", func(s *exchange.Status) bool { return stateOf(s, "columns") == pipeline.Idle && s.Total.Delivered == 4 })
	if got := stateOf(&s, "fixtures"); got != pipeline.Halted {
		t.Errorf("a fixture is loaded at a start only: %s", got)
	}
}

func TestEveryTasksErrorCarriesItsName(t *testing.T) {
	dir := exchangetest.Directory(t)
	exchangetest.Edit(t, dir, exchangetest.File, "TYSHXYDM,QYMC", "TYSHXYDM,QYMCH")
	err := exchangetest.Open(t, dir, exchange.Options{UntilIdle: true}).Run(t.Context())
	task, ok := errors.AsType[*exchange.TaskError](err)
	if !ok || task.Task != exchangetest.Pipeline || strings.Count(err.Error(), exchangetest.Pipeline) != 1 || !errors.Is(err, connectors.ErrStop) {
		t.Errorf("got %v", err)
	}
}
