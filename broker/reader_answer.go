package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// receive takes an answer in. It returns what it brought, or an error that the caller must see.
func (r *Reader) receive(ctx context.Context, f *fetch) ([]Fetched, error) {
	if f.err != nil {
		return nil, r.endure(ctx, f.err) // f is given up: a connection may still be reading into its memory
	}
	out, err := r.open(f)
	if len(out) > 0 {
		r.given = f
		return out, nil
	}
	r.free = append(r.free, f)
	if err := r.untold(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, r.endure(ctx, err)
	}
	return nil, nil
}

// untold takes the first pending error that still holds.
func (r *Reader) untold() error {
	for len(r.pending) > 0 {
		t := r.pending[0]
		r.pending = r.pending[1:]
		if t.about.version == t.as {
			return t.err
		}
	}
	return nil
}

// open decodes an answer and moves the partitions on. The error is one that may pass.
func (r *Reader) open(f *fetch) ([]Fetched, error) {
	wanted := make(map[TopicPartition]*asked, len(f.asked))
	for i := range f.asked {
		wanted[f.asked[i].TopicPartition] = &f.asked[i]
	}
	var (
		out  []Fetched
		ends []int // of each partition's records in f.view, which moves while it grows
		soon error
	)
	err := f.portions(func(tp TopicPartition, p *portion) error {
		a := wanted[tp]
		if a == nil || a.gone || a.version != a.assignment.version {
			return nil // assigned anew while the answer was under way
		}
		if p.code != 0 {
			if err := r.refused(a, p); retriable(err) {
				soon = err
			} else {
				r.pending = append(r.pending, trouble{a.assignment, a.version, err})
			}
			return nil
		}
		got := r.decode(f, a, p)
		if len(got.Records) > 0 || got.Next != a.offset {
			out = append(out, got)
			ends = append(ends, len(f.view))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	from := 0
	for i := range out {
		out[i].Records = f.view[from:ends[i]:ends[i]]
		from = ends[i]
	}
	if soon == nil {
		r.failing, r.wait = time.Time{}, backoff{}
	}
	return out, soon
}

// decode reads one partition's portion. What was read before something corrupt is still delivered.
func (r *Reader) decode(f *fetch, a *asked, p *portion) Fetched {
	before := len(f.view)
	next, err := f.decode(p, a.offset, !r.opts.ReadUncommitted)
	if err != nil {
		err := fmt.Errorf("read topic %s partition %d: %w: %w", a.Topic, a.Partition, ErrCorrupt, err)
		r.pending = append(r.pending, trouble{a.assignment, a.version, err})
	}
	got := Fetched{Topic: a.Topic, Partition: a.Partition, Records: f.view[before:], Next: next, HighWatermark: p.high, Stable: p.stable}
	end := p.stable
	if r.opts.ReadUncommitted {
		end = p.high
	}
	switch {
	case next > a.offset:
		a.assignment.bytes = 0
	case err == nil && a.offset < end:
		// There is something, but its batch is larger than what was asked for, and others were served before.
		a.assignment.bytes = min(2*int(a.bytes), mostPartitionBytes)
	}
	a.assignment.next, a.assignment.behind = next, next < end
	return got
}

func (r *Reader) refused(a *asked, p *portion) error {
	if p.code == kafka.OffsetOutOfRange {
		return &OffsetError{TopicPartition: a.TopicPartition, Offset: a.offset, Start: p.start, End: p.high}
	}
	err := fmt.Errorf("read topic %s partition %d: %w", a.Topic, a.Partition, p.code)
	return r.client.explain(err, resource{"topic", a.Topic, "Read"})
}
