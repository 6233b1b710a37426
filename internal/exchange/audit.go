package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/datong-dx/datong/broker"
)

// AuditEntry is one record of the audit topic.
type AuditEntry struct {
	Time      time.Time `json:"time"`
	Who       string    `json:"who"`    // the system's user
	Action    string    `json:"action"` // reveal, retry, discard, approve, reset, rebuild
	Selection Selection `json:"selection,omitzero"`
	Target    string    `json:"target,omitempty"` // a pipeline or delivery
	Reason    string    `json:"reason,omitempty"`
}

const auditAttempts = 3

// Audit keeps for good who looked at personal data, or decided about rows and tables, and what they chose: the topic is
// never compacted and never expires. One entry is one transaction. Two processes that write at once fence each other;
// whoever lost writes again.
func (x *Exchange) Audit(ctx context.Context, e AuditEntry) error {
	topic := x.cfg.Prefix + "._" + x.cfg.Site + ".audit"
	err := x.client.EnsureTopic(ctx, broker.Topic{
		Name: topic, Partitions: 1, Replication: x.cfg.Topics.Replication,
		Config: map[string]string{"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"},
	})
	if err != nil {
		return fmt.Errorf("write the audit record: %w", err)
	}
	value, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode the audit record: %w", err)
	}
	for attempt := 1; ; attempt++ {
		err := x.writeAudit(ctx, topic, []byte(e.Who), value)
		if err == nil {
			return nil
		}
		if attempt == auditAttempts || !errors.Is(err, broker.ErrFenced) {
			return fmt.Errorf("write the audit record: %w", err)
		}
	}
}

func (x *Exchange) writeAudit(ctx context.Context, topic string, key, value []byte) error {
	p := x.client.NewProducer(topic, x.producerOptions())
	if err := p.Start(ctx); err != nil {
		return err
	}
	var t broker.Txn
	t.Add(topic, 0, broker.AppendPlainBody(nil, key, value))
	return p.Commit(ctx, &t)
}
