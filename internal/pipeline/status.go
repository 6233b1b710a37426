package pipeline

import (
	"errors"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// State is what a pipeline is doing.
type State string

// States of a pipeline.
const (
	Starting State = "starting" // fencing, reading its position, opening the source
	Running  State = "running"  // there is something to do
	Idle     State = "idle"     // the source has nothing more; everything is committed
	Retrying State = "retrying" // an attempt ended in trouble that may pass; a new one follows
	Waiting  State = "waiting"  // the source's circuit breaker is open
	Outside  State = "outside"  // outside the windows in which the source may be read
	Halted   State = "halted"   // a person must act; the error says what to do
	Fenced   State = "fenced"   // another process runs this pipeline
	Done     State = "done"     // a finite source is read and committed
	Stopped  State = "stopped"  // drained because the process was asked to stop
)

// Counts tells what rows ended as. Read is the sum of the five outcomes once what is in flight has drained.
type Counts struct {
	Read        int64 `json:"read"`
	Published   int64 `json:"published"`
	Unchanged   int64 `json:"unchanged"`
	Filtered    int64 `json:"filtered"`
	Quarantined int64 `json:"quarantined"` // still waiting, or discarded by a person
	Superseded  int64 `json:"superseded"`  // were in quarantine until a newer state of the row took their place

	Records int64 `json:"records"` // on standard topics: fan-out and key changes make more of them than rows
	Deletes int64 `json:"deletes"` // tombstones among them
	Waiting int64 `json:"waiting"` // items in quarantine now
}

// Unaccounted returns the rows read that have not ended as anything (yet).
func (c Counts) Unaccounted() int64 {
	return c.Read - c.Published - c.Unchanged - c.Filtered - c.Quarantined - c.Superseded
}

// Add adds the counts of another pipeline.
func (c *Counts) Add(o Counts) {
	c.Read += o.Read
	c.Published += o.Published
	c.Unchanged += o.Unchanged
	c.Filtered += o.Filtered
	c.Quarantined += o.Quarantined
	c.Superseded += o.Superseded
	c.Records += o.Records
	c.Deletes += o.Deletes
	c.Waiting += o.Waiting
}

// HeldDeletes is what a comparison wanted to delete and was not allowed to.
type HeldDeletes struct {
	Set     string `json:"set"`
	Entity  string `json:"entity"`
	Scan    uint64 `json:"scan"`
	Deletes int64  `json:"deletes"`
	Of      int64  `json:"of"`
}

// ScanProgress tells how far the running scan of a set is.
type ScanProgress struct {
	Set  string `json:"set"`
	Rows int64  `json:"rows"`
	Of   int64  `json:"of,omitempty"` // estimate
}

// Status is what an operator sees of a pipeline.
type Status struct {
	Department string `json:"department"`
	Name       string `json:"pipeline"`
	State      State  `json:"state"`
	Breaker    string `json:"breaker"`
	Counts
	Unaccounted int64         `json:"unaccounted"`
	LagSeconds  float64       `json:"lag_seconds"`
	Position    string        `json:"position"`
	Error       string        `json:"error,omitempty"`
	ErrorZh     string        `json:"error_zh,omitempty"`
	Committed   time.Time     `json:"committed,omitzero"`
	HeldDeletes *HeldDeletes  `json:"held_deletes,omitempty"`
	Scan        *ScanProgress `json:"scan,omitempty"`

	caughtUp bool
	oldest   time.Time // change time of the last row committed
	err      error
}

// Status returns what the pipeline is doing. It may be called at any time.
func (p *Pipeline) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.status
	s.Breaker = p.breaker.State().String()
	s.Unaccounted = s.Counts.Unaccounted()
	if !s.caughtUp && !s.oldest.IsZero() {
		s.LagSeconds = max(0, time.Since(s.oldest).Seconds())
	}
	return s
}

func (p *Pipeline) setState(state State, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.State, p.status.err = state, err
	p.status.Error, p.status.ErrorZh = "", ""
	if err != nil {
		p.status.Error, p.status.ErrorZh = err.Error(), connectors.Message(err, "zh")
	}
	var held *heldError
	if p.status.HeldDeletes = nil; errors.As(err, &held) {
		p.status.HeldDeletes = &held.HeldDeletes
	}
}

func (p *Pipeline) lastError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status.err
}
