package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/datong-dx/datong/internal/quarantine"
)

// Answer tells what became of the items that a request chose.
type Answer struct {
	Chosen    int64 `json:"chosen"`
	Delivered int64 `json:"delivered"` // now in the sink
	Discarded int64 `json:"discarded"`
	Refused   int64 `json:"refused"` // the sink still refuses them
	Stale     int64 `json:"stale"`   // a newer state of the record had come, and is in the sink
}

// request asks the writer about what lies in the quarantine. It is served between batches.
type request struct {
	action quarantine.Action
	filter *quarantine.Filter // nil: everything that waits
	answer Answer
	done   chan error // holds one
}

// ErrBusy says that the delivery could not serve a request in time: it is starting, halted or stuck.
var ErrBusy = errors.New("the delivery does not take requests now")

// requestPatience is how long a request waits to be taken up.
const requestPatience = 20 * time.Second

// Quarantine retries or discards what waits in the site's quarantine of the partitions that this process holds, as far as
// the filter chooses it. It returns when the outcome is durable.
func (d *Delivery) Quarantine(ctx context.Context, action quarantine.Action, filter quarantine.Filter) (Answer, error) {
	if cause := d.halted(); cause != nil {
		return Answer{}, fmt.Errorf("delivery %s has halted: %w: %w", d.opt.Name, ErrBusy, cause)
	}
	r := &request{action: action, filter: &filter, done: make(chan error, 1)}
	select {
	case d.requests <- r:
	case <-time.After(requestPatience):
		return Answer{}, fmt.Errorf("delivery %s: %w", d.opt.Name, ErrBusy)
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
	select {
	case err := <-r.done:
		return r.answer, err
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
}

// halted returns what a person must cure before anything is served; nil when there is nothing.
func (d *Delivery) halted() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.status.State == Halted {
		return d.err
	}
	return nil
}

// serve does what a request asks for. What was done of it before an error stays done.
func (a *attempt) serve(ctx context.Context, r *request) error {
	var err error
	if r.action == quarantine.Discard {
		err = a.discard(ctx, r)
	} else {
		err = a.retry(ctx, r)
	}
	a.show()
	if err != nil {
		return fmt.Errorf("%s what waits: %w", r.action, err)
	}
	return nil
}
