package broker

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

// reclaim takes back the memory of what the last Poll returned.
func (r *Reader) reclaim() {
	r.rooms.release()
	if r.given != nil {
		r.free = append(r.free, r.given)
		r.given = nil
	}
}

// request sends a fetch to every leader of assigned partitions that none is under way to.
func (r *Reader) request(ctx context.Context, wait time.Duration) error {
	byLeader, err := r.byLeader(ctx)
	if err != nil {
		return err
	}
	for leader, partitions := range byLeader {
		if r.busy[leader] {
			continue
		}
		f := r.fetch()
		f.leader = leader
		share := min(max(r.opts.MaxBytes/len(partitions), leastPartitionBytes), r.opts.PartitionBytes)
		for _, a := range r.within(partitions) {
			bytes := max(share, a.bytes)
			if a.behind {
				bytes = max(r.opts.PartitionBytes, a.bytes)
			}
			f.asked = append(f.asked, asked{assignment: a, version: a.version, offset: a.next, bytes: int32(bytes)})
		}
		r.turn++
		wait := wait
		if len(f.asked) < len(partitions) {
			wait = 0 // the others are not to wait for those that are asked
		}
		f.encode(wait, !r.opts.ReadUncommitted)
		r.busy[leader] = true
		go func() {
			f.run(r.ctx, r.client, wait)
			r.done <- f
		}()
	}
	return nil
}

// within leaves out partitions that are known to have more than the limit allows to be brought at once: their turn comes
// with a later request, and it comes soon, because those that are asked answer at once. All others are always asked, so
// that a topic with a long past does not keep one waiting that has something new.
func (r *Reader) within(partitions []*assignment) []*assignment {
	left, first := r.opts.MaxBytes, true
	return slices.DeleteFunc(partitions, func(a *assignment) bool {
		if !a.behind {
			return false
		}
		left -= max(r.opts.PartitionBytes, a.bytes)
		drop := left < 0 && !first
		first = false
		return drop
	})
}

func (r *Reader) fetch() *fetch {
	if n := len(r.free); n > 0 {
		f := r.free[n-1]
		r.free = r.free[:n-1]
		f.asked, f.view, f.err = f.asked[:0], f.view[:0], nil
		return f
	}
	return &fetch{x: new(exchange), rooms: &r.rooms}
}

// byLeader groups the assigned partitions, beginning with another one each time: a broker fills an answer in the order
// of the request, and only the first partition with data is sure to get a whole batch.
func (r *Reader) byLeader(ctx context.Context) (map[int32][]*assignment, error) {
	groups := make(map[int32][]*assignment)
	leaders := make(map[string][]int32)
	var homeless error
	for i := range r.parts {
		a := r.parts[(i+r.turn)%len(r.parts)]
		known, ok := leaders[a.Topic]
		if !ok {
			var err error
			if known, err = r.client.leaders(ctx, a.Topic); err != nil {
				homeless = err
			}
			leaders[a.Topic] = known
		}
		if int(a.Partition) >= len(known) || known[a.Partition] < 0 {
			homeless = cmp.Or(homeless, error(protocol.NewErrNoLeader(a.Topic, a.Partition)))
			continue
		}
		groups[known[a.Partition]] = append(groups[known[a.Partition]], a)
	}
	if len(groups) > 0 {
		homeless = nil // the others go on
	}
	return groups, homeless
}
