package pipeline

import (
	"context"
	"fmt"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/quarantine"
)

// quiet is a source that never has anything: a task that only serves its quarantine reads no department system.
type quiet struct{}

func (quiet) Read(ctx context.Context) (*connectors.Batch, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (quiet) Ack(context.Context, connectors.Position) error { return nil }

func (quiet) Close() error { return nil }

// Once serves one request about the quarantine of a pipeline that no process runs: the task fences, acts in its own
// transactions, and ends. Its source is not opened.
func Once(ctx context.Context, opt Options, action Action, filter quarantine.Filter) (Answer, error) {
	connector := *opt.Connector
	connector.OpenSource = func(context.Context, connectors.SourceRequest) (connectors.Source, error) { return quiet{}, nil }
	opt.Connector = &connector
	p := New(opt)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := p.attempt(ctx)
		ended <- err
		cancel() // wakes the request when the attempt could not even begin
	}()
	answer, err := p.Quarantine(ctx, action, filter)
	cancel()
	if failure := <-ended; failure != nil {
		return answer, fmt.Errorf("pipeline %s: %w", p.ID(), failure)
	}
	return answer, err
}

// ReadStatus returns what a pipeline that no process runs had committed last.
func ReadStatus(ctx context.Context, opt Options) (Status, error) {
	p := New(opt)
	rec, err := p.readRecord(ctx)
	if err != nil {
		return Status{}, err
	}
	p.resumeAt(rec)
	p.status.State = Stopped
	return p.Status(), nil
}

var _ connectors.Source = quiet{}
