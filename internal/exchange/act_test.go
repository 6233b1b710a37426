package exchange_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/exchange"
	"github.com/datong-dx/datong/internal/exchange/exchangetest"
	"github.com/datong-dx/datong/internal/pipeline"
	"github.com/datong-dx/datong/internal/sqldb"
)

// spoilPlatform changes the platform behind the delivery's back, and names counts how many records are as they should be.
func spoilPlatform(t *testing.T, dir string) {
	t.Helper()
	db, _, err := sqldb.Open("sqlite:"+filepath.Join(dir, "platform.db"), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE legal_entity SET org_name = 'spoilt'"); err != nil {
		t.Fatal(err)
	}
}

func goodNames(t *testing.T, dir string) (n int) {
	t.Helper()
	db, _, err := sqldb.Open("sqlite:"+filepath.Join(dir, "platform.db"), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Get(&n, "SELECT count(*) FROM legal_entity WHERE org_name LIKE '阳泉示例%'"); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAPlatformIsFilledAnewWhetherAProcessRunsOrNot(t *testing.T) {
	dir := exchangetest.Directory(t)
	exchangetest.Once(t, dir)
	spoilPlatform(t, dir)
	idle := exchangetest.OpenIdle(t, dir)
	if err := idle.Rebuild(t.Context(), "platform"); err != nil {
		t.Fatal(err)
	}
	idle.Close()
	if got := goodNames(t, dir); got != 0 {
		t.Errorf("%d records before anything runs", got)
	}
	x := exchangetest.Open(t, dir, exchange.Options{})
	exchangetest.Run(t, x)
	exchangetest.Until(t, x, "filled", delivered(2))
	if got := goodNames(t, dir); got != 2 {
		t.Errorf("%d records are right", got)
	}
	spoilPlatform(t, dir)
	if err := x.Rebuild(t.Context(), "platform"); err != nil {
		t.Fatal(err)
	}
	exchangetest.Until(t, x, "filled again", delivered(2))
	if got := goodNames(t, dir); got != 2 {
		t.Errorf("%d records are right", got)
	}
}

func TestHeldDeletesGoWhenApprovedOnce(t *testing.T) {
	dir := exchangetest.Directory(t)
	exchangetest.Edit(t, dir, "departments/market-regulation/enterprises.yaml", "mapping:", "max_deletes: {percent: 10, rows: 0}\nmapping:")
	exchangetest.Once(t, dir)
	text, err := os.ReadFile(filepath.Join(dir, exchangetest.File))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	exchangetest.Edit(t, dir, exchangetest.File, "", lines[0]+lines[1])
	x := exchangetest.Open(t, dir, exchange.Options{})
	exchangetest.Run(t, x)
	s := exchangetest.Until(t, x, "held", func(s *exchange.Status) bool { return stateOf(s, "market-regulation") == pipeline.Halted })
	if h := s.Pipelines[0].HeldDeletes; h == nil || h.Deletes != 1 || h.Of != 2 {
		t.Errorf("held: %+v", h)
	}
	held, err := x.ApproveDeletes(t.Context(), exchangetest.Pipeline)
	if err != nil || held.Deletes != 1 {
		t.Fatalf("got %+v, %v", held, err)
	}
	exchangetest.Until(t, x, "deleted", delivered(3))
	if got := goodNames(t, dir); got != 1 {
		t.Errorf("%d records are left", got)
	}
	if _, err := x.ApproveDeletes(t.Context(), exchangetest.Pipeline); err == nil {
		t.Error("an approval was taken twice")
	}
}

func TestWhatThereIsNotIsNamed(t *testing.T) {
	dir := exchangetest.Directory(t)
	x := exchangetest.OpenIdle(t, dir)
	_, approve := x.ApproveDeletes(t.Context(), exchangetest.Pipeline)
	for what, err := range map[string]error{
		"a delivery that there is not": x.Rebuild(t.Context(), "plattform"),
		"deletes that nobody holds":    approve,
		"tasks that nobody runs":       x.Resume(t.Context()),
		"a pipeline that there is not": x.Each(t.Context(), exchange.Selection{Delivery: "plattform"}, nil),
	} {
		p, ok := errors.AsType[*connectors.Problem](err)
		if !ok || p.What.Zh == "" || p.What.En == "" || p.Try.Zh == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}
