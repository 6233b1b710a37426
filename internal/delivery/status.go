package delivery

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
)

// State is what a delivery is doing.
type State string

// States of a delivery.
const (
	Starting State = "starting" // joining the group, opening the sink
	Running  State = "running"  // there is something to write
	Idle     State = "idle"     // everything that the topics have is in the sink
	Retrying State = "retrying" // trouble that may pass; another attempt follows
	Waiting  State = "waiting"  // the sink's circuit breaker is open
	Halted   State = "halted"   // a person must act; the error says what to do
	Stopped  State = "stopped"
)

// Status is what an operator sees of a delivery. Its counts are kept in the sink: they outlive the process, and begin
// again with [Delivery.Rebuild]. They are of the partitions that this process holds. When nothing lags, a pipeline's
// delivered and refused are together the records that it has published, less those that compaction removed from the
// topic before they were read, because newer ones had taken their place.
type Status struct {
	Name       string `json:"delivery"`
	State      State  `json:"state"`
	Breaker    string `json:"breaker"`
	Partitions int    `json:"partitions"` // held by this process
	Counts
	Pipelines map[string]Counts `json:"pipelines"` // by department/pipeline
	// LagSeconds is how long ago what comes next changed in the source, at most; 0 when nothing lags.
	LagSeconds float64   `json:"lag_seconds"`
	LagRecords int64     `json:"lag_records"` // by offsets, of which the markers of transactions take some
	Written    time.Time `json:"written,omitzero"`
	Error      string    `json:"error,omitempty"`
	ErrorZh    string    `json:"error_zh,omitempty"`

	// changed is how far the partition that lags most has come: when its last record changed in the source.
	changed time.Time
}

// lag adds up what the topics still have. What comes next in a partition is newer than what came last; of a partition
// that nothing has come of yet this is not known, and it is taken to be as far as the others.
func (s *Status) lag(parts []*part) {
	s.LagRecords = 0
	var oldest, newest time.Time
	for _, p := range parts {
		s.LagRecords += p.behind
		last := p.progress.Changed
		if last.After(newest) {
			newest = last
		}
		if p.behind > 0 && !last.IsZero() && (oldest.IsZero() || last.Before(oldest)) {
			oldest = last
		}
	}
	s.changed = oldest
	if oldest.IsZero() {
		s.changed = newest
	}
}

// showLag publishes the lag. Requires d.mu.
func (d *Delivery) showLag(parts []*part) {
	d.status.lag(parts)
	d.status.State = Running
	if d.status.LagRecords == 0 {
		d.status.State = Idle
	}
}

// Status returns what the delivery is doing. It may be called at any time.
func (d *Delivery) Status() Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.status
	s.Pipelines = maps.Clone(s.Pipelines)
	s.Breaker = d.breaker.State().String()
	s.Partitions = len(d.reached)
	if s.LagRecords > 0 && !s.changed.IsZero() {
		s.LagSeconds = max(0, time.Since(s.changed).Seconds())
	}
	return s
}

func (d *Delivery) setState(state State, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.status.State, d.err = state, err
	d.status.Error, d.status.ErrorZh = "", ""
	if err != nil {
		d.status.Error, d.status.ErrorZh = err.Error(), connectors.Message(err, "zh")
	}
}

func (d *Delivery) lastError() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// join remembers which topics the group has.
func (d *Delivery) join(topics []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.joined = make(map[string]bool, len(topics))
	for _, t := range topics {
		d.joined[t] = true
	}
}

// forget says that this process holds no partitions.
func (d *Delivery) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.reached)
	d.joined, d.serving = nil, false
}

// Idle says that this process holds its share of the partitions and that everything it has seen in them is in the sink.
func (d *Delivery) Idle() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.status.State == Idle
}

const (
	idlePoll   = 10 * time.Millisecond
	othersPoll = 300 * time.Millisecond
)

// WaitIdle waits until everything that the topics held at the call is in the sink. For partitions that other members of
// the group hold it goes by what they have told the group. It returns the error of a delivery that has halted.
func (d *Delivery) WaitIdle(ctx context.Context) error {
	ends, err := d.ends(ctx)
	if err != nil {
		return err
	}
	asked := false
	for len(ends) > 0 {
		others, err := d.past(ends)
		switch {
		case err != nil:
			return err
		case others == unknownTopics && !asked:
			asked = true
			signal(d.refresh)
		case others == heldByOthers:
			if err := d.pastAtOthers(ctx, ends); err != nil {
				return err
			}
			if len(ends) > 0 && !sleep(ctx, othersPoll) {
				return ctx.Err()
			}
			continue
		}
		if len(ends) > 0 && !sleep(ctx, idlePoll) {
			return ctx.Err()
		}
	}
	return nil
}

// ends returns where the partitions end now, leaving out those in which there is nothing.
func (d *Delivery) ends(ctx context.Context) (map[broker.TopicPartition]int64, error) {
	topics, err := d.topics(ctx)
	if err != nil {
		return nil, err
	}
	ends := make(map[broker.TopicPartition]int64)
	for _, topic := range topics {
		list, err := d.opt.Client.EndOffsets(ctx, topic)
		if err != nil {
			return nil, fmt.Errorf("wait for delivery %s: %w", d.opt.Name, err)
		}
		for p, end := range list {
			if end > 0 {
				ends[broker.TopicPartition{Topic: topic, Partition: int32(p)}] = end
			}
		}
	}
	return ends, nil
}

// holding says who holds the partitions that are waited for.
type holding uint8

const (
	heldHere      holding = iota // some, or nobody yet
	heldByOthers                 // all that are left
	unknownTopics                // the group does not have them yet
)

// past takes those out of ends that this process has reached.
func (d *Delivery) past(ends map[broker.TopicPartition]int64) (holding, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.status.State == Halted {
		return heldHere, d.err
	}
	if d.joined == nil || !d.serving && len(d.joined) > 0 {
		return heldHere, nil
	}
	left := heldByOthers
	for tp, end := range ends {
		at, mine := d.reached[tp]
		switch {
		case mine && at >= end:
			delete(ends, tp)
		case mine:
			left = heldHere
		case !d.joined[tp.Topic]:
			return unknownTopics, nil
		}
	}
	return left, nil
}

// pastAtOthers takes those out of ends that the group has been told were reached.
func (d *Delivery) pastAtOthers(ctx context.Context, ends map[broker.TopicPartition]int64) error {
	ask := make(map[string][]int32)
	for tp := range ends {
		ask[tp.Topic] = append(ask[tp.Topic], tp.Partition)
	}
	if len(ask) == 0 {
		return nil
	}
	offsets, err := d.opt.Client.FetchOffsets(ctx, d.groupID(), ask)
	if err != nil {
		return fmt.Errorf("wait for delivery %s: %w", d.opt.Name, err)
	}
	for tp, offset := range offsets {
		if end, ok := ends[tp]; ok && offset >= end {
			delete(ends, tp)
		}
	}
	return nil
}
