package control

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/exchange"
	"github.com/datong-dx/datong/internal/quarantine"
)

// request is the body of every POST; what a path does not need is left out.
type request struct {
	Selection exchange.Selection  `json:"selection,omitzero"`
	Action    quarantine.Action   `json:"action,omitempty"`
	Target    string              `json:"target,omitempty"`
	Audit     exchange.AuditEntry `json:"audit,omitzero"`
}

// maxBody bounds a request, which is a few names.
const maxBody = 1 << 20

// read decodes a request, or answers that it cannot.
func read(w http.ResponseWriter, r *http.Request) (request, bool) {
	var q request
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil {
		fail(w, http.StatusBadRequest, &connectors.Problem{Err: err, What: connectors.Text{Zh: "请求不是所要的 JSON", En: "the request is not the JSON it must be"}})
		return q, false
	}
	return q, true
}

func (s *Server) groups(w http.ResponseWriter, r *http.Request) {
	if q, ok := read(w, r); ok {
		answer(w)(s.x.Groups(r.Context(), q.Selection))
	}
}

// items writes one document a line as they are found. An error that comes after the first is the last line.
func (s *Server) items(w http.ResponseWriter, r *http.Request) {
	q, ok := read(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson; charset=utf-8")
	enc := json.NewEncoder(w)
	if err := s.x.Each(r.Context(), q.Selection, func(it exchange.Waiting) error { return enc.Encode(it) }); err != nil {
		_ = enc.Encode(trouble(err)) // the connection is gone: nobody is left to tell
	}
}

func (s *Server) act(w http.ResponseWriter, r *http.Request) {
	q, ok := read(w, r)
	if !ok {
		return
	}
	if q.Action != quarantine.Retry && q.Action != quarantine.Discard {
		fail(w, http.StatusBadRequest, errors.New("the action is neither retry nor discard"))
		return
	}
	answer(w)(s.x.Act(r.Context(), q.Action, q.Selection))
}

func (s *Server) approve(w http.ResponseWriter, r *http.Request) {
	if q, ok := read(w, r); ok {
		answer(w)(s.x.ApproveDeletes(r.Context(), q.Target))
	}
}

func (s *Server) reset(w http.ResponseWriter, r *http.Request) {
	if q, ok := read(w, r); ok {
		answer(w)(struct{}{}, s.x.ResetPipeline(r.Context(), q.Target))
	}
}

func (s *Server) rebuild(w http.ResponseWriter, r *http.Request) {
	if q, ok := read(w, r); ok {
		answer(w)(struct{}{}, s.x.Rebuild(r.Context(), q.Target))
	}
}

func (s *Server) resume(w http.ResponseWriter, r *http.Request) {
	if _, ok := read(w, r); ok {
		answer(w)(struct{}{}, s.x.Resume(r.Context()))
	}
}

func (s *Server) audit(w http.ResponseWriter, r *http.Request) {
	if q, ok := read(w, r); ok {
		answer(w)(struct{}{}, s.x.Audit(r.Context(), q.Audit))
	}
}

// failure is how an error travels: a problem keeps its parts and both languages.
type failure struct {
	Failed  bool            `json:"failed"`
	Where   string          `json:"where,omitempty"`
	What    connectors.Text `json:"what"`
	Try     connectors.Text `json:"try,omitzero"`
	Message string          `json:"message,omitempty"` // of what lies below the problem, or of an error that is none
	Stop    bool            `json:"stop,omitempty"`    // [connectors.ErrStop] is in it
}

func trouble(err error) failure {
	if p, ok := errors.AsType[*connectors.Problem](err); ok {
		return failure{
			Failed: true, Where: p.Where, What: p.What, Try: p.Try, Message: p.Cause(), Stop: errors.Is(err, connectors.ErrStop),
		}
	}
	return failure{Failed: true, Message: err.Error()}
}

// err makes the error on the other side.
func (f failure) err() error {
	if f.What == (connectors.Text{}) {
		return errors.New(f.Message)
	}
	p := &connectors.Problem{Where: f.Where, What: f.What, Try: f.Try}
	if f.Message != "" {
		p.Err = errors.New(f.Message)
	}
	if f.Stop {
		return errors.Join(p, connectors.ErrStop)
	}
	return p
}

func fail(w http.ResponseWriter, code int, err error) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(trouble(err)) // the connection is gone: nobody is left to tell
}
