package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/fault"
)

// transactionsInFlight is one being committed while the next one is filled.
const transactionsInFlight = 2

// pending is a transaction being filled or committed, with what is to happen after its commit.
type pending struct {
	txn      *broker.Txn
	ack      connectors.Position // for the source; nil when the position does not move
	counts   Counts
	position connectors.Position
	answers  []func()
	oldest   int64 // change time of its first row, µs
	caughtUp bool
	whole    bool // a commit may fall here
}

func (a *attempt) newPending() *pending {
	p := &pending{txn: new(broker.Txn)}
	if a.producer != nil {
		p.txn = a.producer.NewTxn()
	}
	p.reset()
	return p
}

func (p *pending) reset() {
	p.txn.Reset()
	*p = pending{txn: p.txn, answers: p.answers[:0], whole: true}
}

// last notes the change time of a row.
func (p *pending) last(micros int64) {
	if p.oldest == 0 {
		p.oldest = micros
	}
}

// next takes an unused transaction.
func (g *judge) next(work context.Context) error {
	select {
	case g.now = <-g.empty:
		g.touched = false
		return nil
	case <-work.Done():
		return work.Err()
	}
}

// commit hands the filled transaction, with the task's new position as its last record, to the publisher.
func (g *judge) commit(work context.Context) error {
	if !g.touched || !g.committable() {
		return nil
	}
	g.counts.Waiting = int64(g.bad.len())
	g.rec.Counts = g.counts
	value, err := json.Marshal(g.rec)
	if err != nil {
		return fmt.Errorf("encode position of %s: %w", g.ID(), err)
	}
	g.scratch = broker.AppendPlainBody(g.scratch[:0], []byte(g.taskID()), value)
	g.now.txn.Add(g.topic(positionsTopic), g.positionsPartition(), g.scratch)
	g.now.counts, g.now.position = g.counts, g.rec.Position
	select {
	case g.filled <- g.now:
		return g.next(work)
	case <-work.Done():
		return work.Err()
	}
}

// settle commits what was judged and waits until it, and every transaction before it, is on the topic. What a source
// transaction that is kept whole has filled so far stays where it is.
func (g *judge) settle(work context.Context) error {
	if err := g.commit(work); err != nil {
		return err
	}
	select {
	case unused := <-g.empty: // the only other one: it comes back when it is committed
		g.empty <- unused
		return nil
	case <-work.Done():
		return work.Err()
	}
}

// nothingWaits notes that the source has nothing more for the moment.
func (g *judge) nothingWaits() {
	if g.touched {
		g.now.caughtUp = true // known when this transaction is committed
		return
	}
	g.mark(true)
}

// publish commits transactions in order, then lets the source go on.
func (a *attempt) publish(work context.Context) error {
	for {
		select {
		case tx, ok := <-a.filled:
			if !ok {
				return cmp.Or(a.verdict, a.broken)
			}
			if err := a.commitOne(work, tx); err != nil {
				return err
			}
			tx.reset() // an idle task holds no memory of its last transaction
			a.empty <- tx
		case <-work.Done():
			return work.Err()
		}
	}
}

func (a *attempt) commitOne(work context.Context, tx *pending) error {
	n := tx.txn.Records()
	if a.producer != nil {
		if err := a.producer.Commit(work, tx.txn); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		fault.Point("committed", n)
		if tx.ack != nil {
			if err := a.source.Ack(work, tx.ack); err != nil {
				return &sourceError{fmt.Errorf("acknowledge to the source: %w", err)}
			}
		}
		fault.Point("acked", n)
	}
	a.progressed = true
	a.committed(tx)
	for _, answer := range tx.answers {
		answer()
	}
	return nil
}

// begin shows that a new attempt works.
func (p *Pipeline) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.State = Running
	p.status.caughtUp = false
}

// resumeAt shows what was committed last, which a source that does not open, or a fixture that fails, does not undo.
func (p *Pipeline) resumeAt(base record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.Counts = base.Counts
	p.status.Position = printable(base.Position)
}

// countRead counts rows as the source gives them, apart from what the judge makes of them.
func (p *Pipeline) countRead(rows int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.Read += int64(rows)
	if rows > 0 {
		p.status.State, p.status.caughtUp = Running, false
	}
}

// uncountRead takes back the rows that an attempt had read when it ended and not committed: they will be read again.
func (p *Pipeline) uncountRead() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.Read -= p.status.Counts.Unaccounted()
}

// committed shows what a transaction made durable.
func (p *Pipeline) committed(tx *pending) {
	p.mu.Lock()
	live := p.status.Read
	p.status.Counts = tx.counts
	p.status.Read = max(live, tx.counts.Read)
	p.status.Position = printable(tx.position)
	p.status.Committed = time.Now()
	p.status.Error, p.status.ErrorZh, p.status.err = "", "", nil
	if tx.oldest > 0 {
		p.status.oldest = time.UnixMicro(tx.oldest)
	}
	p.mu.Unlock()
	if tx.caughtUp {
		p.mark(true)
	}
}

// mark notes whether the source has anything waiting.
func (p *Pipeline) mark(caughtUp bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status.caughtUp = caughtUp; caughtUp {
		p.status.State = Idle
	}
}

func nowMicros() int64 { return time.Now().UnixMicro() }
