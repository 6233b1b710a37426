package control_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/control"
	"github.com/datong-dx/datong/internal/exchange"
	"github.com/datong-dx/datong/internal/exchange/exchangetest"
	"github.com/datong-dx/datong/internal/quarantine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs the directory and serves it.
func serve(t *testing.T, dir string) (*exchange.Exchange, *control.Server) {
	t.Helper()
	x := exchangetest.Open(t, dir, exchange.Options{})
	exchangetest.Run(t, x)
	s, err := control.Serve(x, "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return x, s
}

func idle(s *exchange.Status) bool {
	return s.Ready() && s.Total.Read == 2 && s.Deliveries[0].LagRecords == 0
}

// ask sends a request and returns the answer with its body read.
func ask(t *testing.T, method, url, token, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func dial(t *testing.T, dir string) *control.Client {
	t.Helper()
	c, err := control.Dial(t.Context(), dir)
	if err != nil || c == nil {
		t.Fatalf("dial: %v, %v", c, err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestOnlyWhoHasTheTokenActsOrSeesRows(t *testing.T) {
	dir := exchangetest.Directory(t)
	_, s := serve(t, dir)
	guarded := []string{
		"GET /v1/hello", "POST /v1/quarantine/groups", "POST /v1/quarantine/items", "POST /v1/quarantine/act",
		"POST /v1/deletes/approve", "POST /v1/deliveries/rebuild", "POST /v1/resume", "POST /v1/audit",
	}
	for _, pattern := range guarded {
		for _, token := range []string{"", "wrong"} {
			method, path, _ := strings.Cut(pattern, " ")
			resp, body := ask(t, method, "http://"+s.Addr()+path, token, "{}")
			var f struct{ What, Try connectors.Text }
			err := json.Unmarshal([]byte(body), &f)
			if resp.StatusCode != http.StatusUnauthorized || err != nil || f.What.Zh == "" || f.What.En == "" || f.Try.Zh == "" || f.Try.En == "" {
				t.Errorf("%s with token %q: %s %s", pattern, token, resp.Status, body)
			}
		}
	}
	at, found, err := exchange.Find(dir)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{"/v1/quarantine/groups", `{}`, http.StatusOK},
		{"/v1/quarantine/groups", `not JSON`, http.StatusBadRequest},
		{"/v1/quarantine/groups", `{"unknown": 1}`, http.StatusBadRequest},
		{"/v1/quarantine/groups", `{"target": "` + strings.Repeat("x", 2<<20) + `"}`, http.StatusBadRequest},
		{"/v1/quarantine/act", `{"action": "burn"}`, http.StatusBadRequest},
		{"/v1/deliveries/rebuild", `{"target": "plattform"}`, http.StatusConflict},
	} {
		if resp, body := ask(t, http.MethodPost, "http://"+s.Addr()+c.path, at.Token, c.body); resp.StatusCode != c.want {
			t.Errorf("%s %.40s: %s %s", c.path, c.body, resp.Status, body)
		}
	}
	if resp, _ := ask(t, http.MethodGet, "http://"+s.Addr()+"/v1/quarantine/act", at.Token, ""); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET of what acts: %s", resp.Status)
	}
}

func TestProbesAndMetrics(t *testing.T) {
	dir := exchangetest.Directory(t)
	x, s := serve(t, dir)
	exchangetest.Until(t, x, "idle", idle)
	for path, want := range map[string]string{
		"/healthz": "ok\n", "/readyz": "ready\n",
		"/metrics": `datong_rows_read_total{pipeline="market-regulation/enterprises"} 2` + "\n",
	} {
		if resp, body := ask(t, http.MethodGet, "http://"+s.Addr()+path, "", ""); resp.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %s %s", path, resp.Status, body)
		}
	}
}

func TestAHaltedPipelineIsAliveAndNotReady(t *testing.T) {
	dir := exchangetest.Directory(t)
	exchangetest.Edit(t, dir, exchangetest.File, "TYSHXYDM,QYMC", "TYSHXYDM,QYMCH")
	x, s := serve(t, dir)
	exchangetest.Until(t, x, "halted", func(s *exchange.Status) bool { return s.Pipelines[0].State == "halted" })
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable, "/metrics": http.StatusOK} {
		if resp, body := ask(t, http.MethodGet, "http://"+s.Addr()+path, "", ""); resp.StatusCode != want {
			t.Errorf("%s: %s %s", path, resp.Status, body)
		}
	}
}

// What a client is told is what the exchange itself tells.
func TestTheClientTellsWhatTheExchangeTells(t *testing.T) {
	dir := exchangetest.Directory(t)
	exchangetest.Edit(t, dir, exchangetest.File, "存续", "歇业")
	x, _ := serve(t, dir)
	exchangetest.Until(t, x, "idle", idle)
	c := dial(t, dir)
	same := func(what string, ask func(control.Service) (any, error)) {
		t.Helper()
		here, err := ask(x)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		there, err := ask(c)
		if err != nil {
			t.Fatalf("%s through the client: %v", what, err)
		}
		if diff := cmp.Diff(asJSON(t, here), asJSON(t, there)); diff != "" {
			t.Errorf("%s (-exchange +client)\n%s", what, diff)
		}
	}
	sel := exchange.Selection{Filter: quarantine.Filter{Rule: "crosswalk"}}
	same("status", func(s control.Service) (any, error) { return s.Status(t.Context()) })
	same("groups", func(s control.Service) (any, error) { return s.Groups(t.Context(), sel) })
	same("items", func(s control.Service) (any, error) {
		var list []exchange.Waiting
		err := s.Each(t.Context(), sel, func(w exchange.Waiting) error { list = append(list, w); return nil })
		if err == nil && len(list) != 1 {
			t.Errorf("%d items, want 1", len(list))
		}
		return list, err
	})
	same("retry", func(s control.Service) (any, error) { return s.Act(t.Context(), quarantine.Retry, sel) })
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestErrorsTravelWithBothLanguages(t *testing.T) {
	dir := exchangetest.Directory(t)
	x, _ := serve(t, dir)
	c := dial(t, dir)
	ctx := t.Context()
	for what, ask := range map[string]func(control.Service) error{
		"rebuild": func(s control.Service) error { return s.Rebuild(ctx, "plattform") },
		"approve": func(s control.Service) error { _, err := s.ApproveDeletes(ctx, exchangetest.Pipeline); return err },
		"unknown": func(s control.Service) error { _, err := s.ApproveDeletes(ctx, "no/such"); return err },
		"items": func(s control.Service) error {
			return s.Each(ctx, exchange.Selection{Delivery: "plattform"}, func(exchange.Waiting) error { return nil })
		},
	} {
		here, there := ask(x), ask(c)
		for _, lang := range []string{"zh", "en"} {
			if here == nil || there == nil || connectors.Message(here, lang) != connectors.Message(there, lang) {
				t.Errorf("%s: %v, through the client %v", what, here, there)
			}
		}
	}
	if err := c.Resume(ctx); err != nil {
		t.Error(err)
	}
	if err := c.Audit(ctx, exchange.AuditEntry{Who: "wang", Action: "reveal"}); err != nil {
		t.Error(err)
	}
}

func TestNobodyIsFoundWhereNobodyRuns(t *testing.T) {
	dir := exchangetest.Directory(t)
	if c, err := control.Dial(t.Context(), dir); c != nil || err != nil {
		t.Errorf("no word: %v, %v", c, err)
	}
	x := exchangetest.Open(t, dir, exchange.Options{})
	announce := func(addr string) {
		t.Helper()
		if err := x.Announce(exchange.Address{Addr: addr, PID: 4711, Token: "of the killed process"}); err != nil {
			t.Fatal(err)
		}
	}
	announce("127.0.0.1:1")
	if c, err := control.Dial(t.Context(), dir); c != nil || err != nil {
		t.Errorf("a killed process: %v, %v", c, err)
	}
	_, other := serve(t, exchangetest.Directory(t))
	announce(other.Addr())
	if c, err := control.Dial(t.Context(), dir); c != nil || err != nil {
		t.Errorf("another exchange at the port of a killed process: %v, %v", c, err)
	}
	hangs, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hangs.Close()
	announce(hangs.Addr().String())
	c, err := control.Dial(t.Context(), dir)
	if c != nil || err == nil || !strings.Contains(err.Error(), "(4711) does not answer") {
		t.Errorf("a process that hangs: %v, %v", c, err)
	}
}

func TestAPortThatIsTakenIsNamed(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	x := exchangetest.Open(t, exchangetest.Directory(t), exchange.Options{})
	_, err = control.Serve(x, taken.Addr().String(), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(connectors.Message(err, "zh"), "http "+taken.Addr().String()+": 无法监听这个地址") {
		t.Errorf("got %v", err)
	}
}
