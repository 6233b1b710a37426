package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
)

// record is what a task keeps under its id in _positions, written in the same transaction as everything it speaks of.
type record struct {
	Version   int                 `json:"v"`
	Connector string              `json:"connector"`
	Position  connectors.Position `json:"position"`
	Counts    Counts              `json:"counts"`
	// Plain names the sets whose scan is running without a comparison, so that it goes on where it stopped.
	Plain map[string]uint64 `json:"plain,omitempty"`
	// Since is added to the generation of every row, and Generation is the highest of any row judged so far: a source
	// that is read from the start again counts from its first generation, and what it tells now must not bear the ids
	// of what it told then.
	Since      uint64 `json:"since,omitempty"`
	Generation uint64 `json:"generation,omitempty"`
}

const recordVersion = 1

// readRecord returns the task's last committed record. The caller has fenced every older twin, so nothing can be
// committed behind the high watermark that the scan waits for.
func (p *Pipeline) readRecord(ctx context.Context) (record, error) {
	rec := record{Version: recordVersion, Connector: p.opt.Connector.Name}
	if p.opt.Client == nil {
		return rec, nil
	}
	id := []byte(p.taskID())
	topic, partition := p.topic(positionsTopic), p.positionsPartition()
	_, err := p.opt.Client.Scan(ctx, topic, []int32{partition}, func(_ int32, r *broker.Record) error {
		if !bytes.Equal(r.Key, id) {
			return nil
		}
		rec = record{}
		if err := json.Unmarshal(r.Value, &rec); err != nil {
			return fmt.Errorf("decode position of %s at offset %d of %s: %w", p.ID(), r.Offset, topic, err)
		}
		return nil
	})
	if err != nil {
		return rec, fmt.Errorf("read position of %s: %w", p.ID(), err)
	}
	if rec.Version > recordVersion {
		return rec, &connectors.Problem{
			Where: p.ID(),
			What: connectors.Text{
				Zh: fmt.Sprintf("位点由更新版本的程序写入（版本 %d）", rec.Version),
				En: fmt.Sprintf("the position was written by a newer program (version %d)", rec.Version),
			},
			Try: connectors.Text{Zh: "升级本程序", En: "upgrade this program"},
			Err: connectors.ErrPosition,
		}
	}
	if rec.Connector != p.opt.Connector.Name {
		// Another kind of connector cannot read this position: begin anew, compared with what was published.
		p.log.Info("connector changed, starting from the beginning", "was", rec.Connector, "is", p.opt.Connector.Name)
		rec.Connector = p.opt.Connector.Name
		rec.begin()
	}
	return rec, nil
}

const (
	positionsTopic  = "_positions"
	quarantineTopic = "_quarantine"
)

func (p *Pipeline) positionsPartition() int32 {
	return broker.Partition([]byte(p.opt.Name), broker.PositionsPartitions)
}

// printable shows a position to a person: as it is when it is text, else its length.
func printable(pos connectors.Position) string {
	if len(pos) == 0 {
		return ""
	}
	if utf8.Valid(pos) && !bytes.ContainsFunc(pos, func(r rune) bool { return r < ' ' }) && len(pos) <= 400 {
		return string(pos)
	}
	return fmt.Sprintf("%d bytes", len(pos))
}
