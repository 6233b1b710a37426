package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/internal/keyindex"
)

// shelf is an attempt's view of the site's quarantine: what lies there of the partitions that it holds. Every
// partition's items are published under a transactional id of that partition, taken over when it is first needed: what a
// zombie that held the partition before may still send is then refused by the broker.
type shelf struct {
	d          *Delivery
	topic      string
	partitions int
	parts      []*part
	producers  map[*part]*broker.Producer
	txn        broker.Txn

	index     *keyindex.Index // the items, by a hash of their key: bounded memory, however many there are
	size      int             // items in the index
	pipelines []string        // that have items: department/pipeline
	counts    []Counts        // of each of them
	scratch   []byte
}

// placed is an item as the index has it.
type placed struct {
	part      int32
	pipeline  int32 // index into shelf.pipelines
	offset    int64
	discarded bool
	// counted says that the record lies before the sink's offset. An item may come first: it is put here before the
	// sink's commit, and a kill may fall in between.
	counted bool
}

const (
	discarded = 1 << (8 + iota) // flags of an entry, beside those of keyindex
	counted
)

// openShelf makes sure of the topic and reads what lies there.
func (d *Delivery) openShelf(ctx context.Context, parts []*part) (*shelf, error) {
	topic := broker.QuarantineTopic(QuarantineTopic(d.opt.Prefix, d.opt.Site), d.opt.Topics)
	if err := d.opt.Client.EnsureTopic(ctx, topic); err != nil {
		return nil, err
	}
	s := d.emptyShelf(parts)
	s.topic, s.partitions = topic.Name, topic.Partitions
	_, err := d.opt.Client.Scan(ctx, topic.Name, nil, func(_ int32, r *broker.Record) error { return s.load(r) })
	if err != nil {
		return nil, errors.Join(err, s.index.Close())
	}
	return s, nil
}

func (d *Delivery) emptyShelf(parts []*part) *shelf {
	return &shelf{d: d, parts: parts, producers: map[*part]*broker.Producer{}, index: keyindex.New("")}
}

// load takes in one record of the topic.
func (s *shelf) load(r *broker.Record) error {
	if !strings.HasPrefix(string(r.Key), s.d.opt.Name+separator) {
		return nil
	}
	hash := xxh3.Hash(r.Key)
	if r.Value == nil {
		return s.remove(hash)
	}
	item, err := decodeItem(s.d.opt.Site, r)
	if err != nil {
		return err
	}
	for _, p := range s.parts {
		if p.Topic == item.Topic && p.Partition == item.Partition {
			return s.set(hash, placed{part: p.index, pipeline: s.pipeline(pipelineOf(item.Source)), offset: item.Offset,
				discarded: !item.Discarded.IsZero(), counted: item.Offset < p.applied})
		}
	}
	return s.remove(hash) // it has gone to a partition that this process does not hold
}

func (s *shelf) pipeline(name string) int32 {
	for i, known := range s.pipelines {
		if known == name {
			return int32(i)
		}
	}
	s.pipelines, s.counts = append(s.pipelines, name), append(s.counts, Counts{})
	return int32(len(s.pipelines) - 1)
}

// get returns the item of a key.
func (s *shelf) get(hash uint64) (at placed, ok bool, err error) {
	e, err := s.index.Lookup(hash)
	if err != nil || e.Flags&keyindex.Live == 0 {
		return placed{}, false, err
	}
	return unpack(e), true, nil
}

func unpack(e keyindex.Entry) placed {
	return placed{part: int32(e.Row >> 32), pipeline: int32(uint32(e.Row)), offset: int64(e.Digest),
		discarded: e.Flags&discarded != 0, counted: e.Flags&counted != 0}
}

// set makes at the item of a key, in place of the one that there is.
func (s *shelf) set(hash uint64, at placed) error {
	if err := s.remove(hash); err != nil {
		return err
	}
	flags := uint64(keyindex.Live)
	if at.discarded {
		flags |= discarded
	}
	if at.counted {
		flags |= counted
	}
	s.size++
	s.count(at, 1)
	return s.index.Set(hash, uint64(at.offset), uint64(at.part)<<32|uint64(uint32(at.pipeline)), flags)
}

func (s *shelf) remove(hash uint64) error {
	was, ok, err := s.get(hash)
	if err != nil || !ok {
		return err
	}
	s.size--
	s.count(was, -1)
	return s.index.Set(hash, 0, 0, 0)
}

func (s *shelf) count(at placed, n int64) {
	if !at.counted {
		return
	}
	c := Counts{Refused: n}
	if !at.discarded {
		c.Waiting = n
	}
	s.counts[at.pipeline].add(c)
}

// key returns the key of a record's item, what there can be one of, and its hash. The key is valid until the next call.
func (s *shelf) key(p *part, key []byte, offset int64) ([]byte, uint64) {
	s.scratch = append(s.scratch[:0], s.d.opt.Name...)
	for _, name := range []string{p.table.Name, p.department, ""} {
		s.scratch = append(append(s.scratch, separator...), name...)
	}
	if len(key) == 0 { // nothing else tells such records apart
		s.scratch = fmt.Appendf(s.scratch, "%d/%d", p.Partition, offset)
	}
	s.scratch = append(s.scratch, key...)
	return s.scratch, xxh3.Hash(s.scratch)
}

// overtaken says that an item lies here for the key of a record that has been applied, and is not newer than it. The item
// may be of another partition when the topic has grown; the one that the key's records go into now is newer.
func (s *shelf) overtaken(e *entry) (bool, error) {
	_, hash := s.key(e.part, e.key, e.offset)
	was, ok, err := s.get(hash)
	if was.part != e.part.index {
		return ok && e.part.isHome(e.key), err
	}
	return ok && was.offset <= e.offset, err
}
