package pipeline

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
)

// Reset makes a halted pipeline forget how far it had read and lets it go on: its source is read from the start and
// compared with what was published, so that only what differs is published again and what is gone is deleted within
// MaxDeletes. It reports false when the pipeline has not halted; one that works has no reason to be reset.
func (p *Pipeline) Reset() bool {
	p.mu.Lock()
	halted := p.status.State == Halted
	p.mu.Unlock()
	if !halted || p.blocked != nil {
		return false
	}
	p.forget.Store(true)
	p.Resume()
	return true
}

// ResetIdle does what [Pipeline.Reset] does for a pipeline that no process runs: the task fences older twins, commits
// that it has read nothing, and ends.
func ResetIdle(ctx context.Context, opt Options) error {
	p := New(opt)
	if err := p.claim(ctx); err != nil {
		return err
	}
	rec, err := p.readRecord(ctx)
	if err != nil {
		return err
	}
	rec.begin()
	value, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("encode position of %s: %w", p.ID(), err)
	}
	var txn broker.Txn
	txn.Add(p.topic(positionsTopic), p.positionsPartition(), broker.AppendPlainBody(nil, []byte(p.taskID()), value))
	if err := p.producer.Commit(ctx, &txn); err != nil {
		return fmt.Errorf("reset pipeline %s: %w", p.ID(), err)
	}
	return nil
}

// begin makes the record that of a task that has read nothing yet; what it has counted stays. What it reads from now on
// is of a later generation than all before.
func (r *record) begin() {
	r.Position, r.Plain = connectors.Position(nil), nil
	r.Since = r.Generation + 1
}
