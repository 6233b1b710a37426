// Package control is how people and their tools reach an exchange that a process runs: an HTTP server beside the tasks,
// and a client that the command line uses.
//
//	GET  /healthz                  200 while the process lives
//	GET  /readyz                   200 when every task does its work, else 503
//	GET  /metrics                  Prometheus
//	GET  /v1/status                what every pipeline and delivery is doing
//
// With the token:
//
//	GET  /v1/hello                 204: this is who left word
//	POST /v1/quarantine/groups     what waits, by cause
//	POST /v1/quarantine/items      what waits, one JSON document a line
//	POST /v1/quarantine/act        retry or discard
//	POST /v1/deletes/approve       let a comparison delete what it held
//	POST /v1/pipelines/reset       read a halted pipeline's source from the start
//	POST /v1/deliveries/rebuild    fill a delivery's tables anew
//	POST /v1/resume                let halted tasks try again
//	POST /v1/audit                 keep who did what
//
// The token is in the data directory's run.json, which only the user that runs the exchange can read: whoever may look
// at refused rows or act on them is whoever may read that file.
package control

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/exchange"
)

// Server answers for a running exchange.
type Server struct {
	x     *exchange.Exchange
	http  *http.Server
	token string
	addr  string
}

const (
	helloPath         = "/v1/hello"
	readHeaderTimeout = 10 * time.Second
	closeTimeout      = 5 * time.Second
)

// Serve listens at addr, leaves word of it in the data directory, and answers until Close.
func Serve(x *exchange.Exchange, addr string, log *slog.Logger) (*Server, error) {
	l, err := net.Listen("tcp", addr) //nolint:noctx // listening does not wait
	if err != nil {
		return nil, &connectors.Problem{
			Where: "http " + addr, Err: err,
			What: connectors.Text{Zh: "无法监听这个地址", En: "cannot listen at this address"},
			Try:  connectors.Text{Zh: "在 datong.yaml 的 http 中换一个端口，或停止占用它的程序", En: "choose another port under http in datong.yaml, or stop the program that has it"},
		}
	}
	s := &Server{x: x, token: rand.Text(), addr: l.Addr().String()}
	s.http = &http.Server{
		Handler: s.routes(), ReadHeaderTimeout: readHeaderTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	if err := x.Announce(exchange.Address{Addr: s.addr, PID: os.Getpid(), Token: s.token}); err != nil {
		l.Close()
		return nil, err
	}
	go func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the HTTP server stopped", "error", err)
		}
	}()
	return s, nil
}

// Addr returns the host:port where the server answers.
func (s *Server) Addr() string { return s.addr }

// Close stops answering.
func (s *Server) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		s.http.Close()
	}
}

func (s *Server) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	m.HandleFunc("GET /readyz", s.ready)
	m.Handle("GET /metrics", promhttp.HandlerFor(s.x.Metrics(), promhttp.HandlerOpts{}))
	m.HandleFunc("GET /v1/status", func(w http.ResponseWriter, r *http.Request) { answer(w)(s.x.Status(r.Context())) })
	for pattern, h := range map[string]http.HandlerFunc{
		"GET " + helloPath:           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"POST /v1/quarantine/groups": s.groups, "POST /v1/quarantine/items": s.items, "POST /v1/quarantine/act": s.act,
		"POST /v1/deletes/approve": s.approve, "POST /v1/pipelines/reset": s.reset, "POST /v1/deliveries/rebuild": s.rebuild,
		"POST /v1/resume": s.resume, "POST /v1/audit": s.audit,
	} {
		m.HandleFunc(pattern, s.guarded(h))
	}
	return m
}

// guarded lets only those in who have the token.
func (s *Server) guarded(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+s.token)) != 1 {
			fail(w, http.StatusUnauthorized, &connectors.Problem{
				What: connectors.Text{Zh: "缺少访问令牌，或令牌不对", En: "the token is missing or wrong"},
				Try:  connectors.Text{Zh: "以运行它的用户身份使用 datong 命令", En: "use the datong command as the user that runs it"},
			})
			return
		}
		h(w, r)
	}
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	status, err := s.x.Status(r.Context())
	if err != nil || !status.Ready() {
		http.Error(w, "not ready: see /v1/status", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

// answer writes a value or an error as JSON.
func answer(w http.ResponseWriter) func(v any, err error) {
	return func(v any, err error) {
		if err != nil {
			fail(w, http.StatusConflict, err)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = json.NewEncoder(w).Encode(v) // the connection is gone: nobody is left to tell
	}
}
