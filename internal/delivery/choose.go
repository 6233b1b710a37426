package delivery

import (
	"context"
	"errors"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/internal/keyindex"
)

// passEvery is after how many items that are looked at a batch of new records is let pass.
const passEvery = 1000

// choose calls fn for the items that wait, whose records lie before the sink's offset, and that the request chooses. item
// is nil when the request chooses all, which needs no look at what they hold. New records are let pass in between, so an
// item may be gone, or be another one, when it is dealt with.
func (a *attempt) choose(ctx context.Context, r *request, fn func(hash uint64, at placed, item *Item) error) error {
	s := a.shelf
	if r.filter == nil {
		var errs error
		err := s.index.Each(func(e keyindex.Entry) {
			if at := unpack(e); s.waits(at) {
				errs = errors.Join(errs, fn(e.Key, at, nil))
			}
		})
		return errors.Join(err, errs)
	}
	seen := 0
	_, err := s.d.opt.Client.Scan(ctx, s.topic, nil, func(_ int32, rec *broker.Record) error {
		if seen++; seen%passEvery == 0 {
			if err := a.letPass(ctx); err != nil {
				return err
			}
		}
		hash := xxh3.Hash(rec.Key)
		at, ok, err := s.get(hash)
		if err != nil || !ok || rec.Value == nil || !s.waits(at) {
			return err
		}
		item, err := decodeItem(s.d.opt.Site, rec)
		if err != nil || !item.Match(r.filter) || item.Offset != at.offset || item.Partition != s.parts[at.part].Partition {
			return err
		}
		return fn(hash, at, item)
	})
	return err
}

func (s *shelf) waits(at placed) bool {
	return !at.discarded && at.offset < s.parts[at.part].applied
}

// atTheDoor returns a batch of new records that waits to be written, nil when there is none or the attempt is ending.
func (a *attempt) atTheDoor() *batch {
	select {
	case b := <-a.full:
		return b
	default:
		return nil
	}
}

// letPass writes a batch of new records that waits.
func (a *attempt) letPass(ctx context.Context) error {
	if b := a.atTheDoor(); b != nil {
		return a.turnOver(ctx, b)
	}
	return nil
}
