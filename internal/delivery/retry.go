package delivery

import (
	"context"
	"time"

	"github.com/datong-dx/datong/internal/quarantine"
)

// Items take turns, by their hash, so that a retry need not do everything at once. Tests lower the figures.
var (
	// retriesAtOnce bounds the items that are held in memory for a retry.
	retriesAtOnce = 1 << 16
	// dueAtOnce is how many items the delivery tries by itself at a time: enough to see whether something has been
	// cured, and few enough not to trouble the platform with what it will refuse again.
	dueAtOnce = 1000
)

// retryRows is how many rows are written again in one transaction: new records wait no longer than it takes.
const retryRows = 500

// retryWhenDue tries some of what waits again when it is time. While that helps the next ones follow at once.
func (a *attempt) retryWhenDue(ctx context.Context) error {
	if time.Now().Before(a.retryAt) {
		return nil
	}
	r := &request{action: quarantine.Retry}
	turns := a.shelf.size/dueAtOnce + 1
	a.retryTurn = (a.retryTurn + 1) % turns
	err := a.retryTurnOf(ctx, r, a.retryTurn, turns)
	a.show()
	if r.answer.Delivered == 0 {
		a.retryPause = min(2*a.retryPause, longestRetryInterval)
	} else {
		a.retryPause = a.d.opt.RetryInterval
		if turns > 1 {
			return err // and the next ones at once
		}
	}
	a.retryAt = time.Now().Add(a.retryPause)
	return err
}

// retry tries everything again that a request chooses.
func (a *attempt) retry(ctx context.Context, r *request) error {
	turns := a.shelf.size/retriesAtOnce + 1
	for turn := range turns {
		if err := a.retryTurnOf(ctx, r, turn, turns); err != nil {
			return err
		}
	}
	return nil
}

// retryTurnOf tries the items again whose turn it is.
func (a *attempt) retryTurnOf(ctx context.Context, r *request, turn, turns int) error {
	chosen := make([]map[uint64]*recall, len(a.parts))
	err := a.choose(ctx, r, func(hash uint64, at placed, _ *Item) error {
		if (hash>>32)*uint64(turns)>>32 != uint64(turn) {
			return nil
		}
		if chosen[at.part] == nil {
			chosen[at.part] = map[uint64]*recall{}
		}
		chosen[at.part][hash] = &recall{offset: at.offset, latest: -1}
		return nil
	})
	if err != nil {
		return err
	}
	for i, recalls := range chosen {
		if len(recalls) == 0 {
			continue
		}
		r.answer.Chosen += int64(len(recalls))
		again := &retrying{a: a, p: a.parts[i], recalls: recalls, answer: &r.answer, until: a.parts[i].applied,
			rd: newReading(), b: newBatch(len(a.parts))}
		err := again.run(ctx)
		again.b.mem.Release()
		if err != nil {
			return err
		}
	}
	return nil
}
