package broker

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// fetch is one request for records to one leader, version 11, and the memory of its answer.
type fetch struct {
	leader int32
	asked  []asked
	x      *exchange
	err    error
	view   []Record
	rooms  *rooms // for decompressed records
}

// asked is what a fetch wants of one partition.
type asked struct {
	*assignment
	version int   // of the assignment when it was asked
	offset  int64 // first offset wanted
	bytes   int32
}

// unlimitedBytes keeps the limit of the whole answer out of play; each partition has its own. When kfake cuts an answer
// by the total it leaves out the list of aborted transactions, and aborted records would look committed.
const unlimitedBytes = 0x7fffffff

// encode prepares the request: answer after wait, or as soon as one byte is there.
func (f *fetch) encode(wait time.Duration, committed bool) {
	be := binary.BigEndian
	b := f.x.parts[:0]
	buf := make([]byte, 0, 64+64*len(f.asked))
	buf = be.AppendUint32(buf, 0xffffffff) // no replica
	buf = be.AppendUint32(buf, uint32(wait.Milliseconds()))
	buf = be.AppendUint32(buf, 1) // least bytes
	buf = be.AppendUint32(buf, unlimitedBytes)
	if committed {
		buf = append(buf, 1)
	} else {
		buf = append(buf, 0)
	}
	buf = be.AppendUint32(buf, 0)          // no session
	buf = be.AppendUint32(buf, 0xffffffff) // and none wanted
	topics := 0
	at := len(buf)
	buf = be.AppendUint32(buf, 0)
	// A topic may stand in the request several times: the order of the partitions is what decides who is served first.
	for i := 0; i < len(f.asked); {
		j := i
		for j < len(f.asked) && f.asked[j].Topic == f.asked[i].Topic {
			j++
		}
		buf = appendString(buf, f.asked[i].Topic)
		buf = be.AppendUint32(buf, uint32(j-i))
		for ; i < j; i++ {
			a := &f.asked[i]
			buf = be.AppendUint32(buf, uint32(a.Partition))
			buf = be.AppendUint32(buf, 0xffffffff) // leader epoch unknown
			buf = be.AppendUint64(buf, uint64(a.offset))
			buf = be.AppendUint64(buf, 0xffffffffffffffff) // log start: only for replicas
			buf = be.AppendUint32(buf, uint32(a.bytes))
		}
		topics++
	}
	be.PutUint32(buf[at:], uint32(topics))
	buf = be.AppendUint32(buf, 0) // nothing forgotten
	buf = appendString(buf, "")   // no rack
	f.x.key, f.x.version, f.x.broker = protocol.Fetch, fetchVersion, f.leader
	f.x.parts = append(b, buf)
}

// run sends the request and waits for the answer.
func (f *fetch) run(ctx context.Context, c *Client, wait time.Duration) {
	f.err = c.exchange(ctx, f.x, wait)
}

// portion is one partition's part of an answer.
type portion struct {
	code    kafka.Error
	high    int64
	stable  int64
	start   int64
	aborted []abortedTxn
	set     []byte
}

// abortedTxn names a transaction that was aborted: its producer, and its first offset in the partition.
type abortedTxn struct{ producer, first int64 }

// portions decodes the answer.
func (f *fetch) portions(each func(TopicPartition, *portion) error) error {
	s := scanner{b: f.x.answer}
	s.int32() // throttle
	if code := kafka.Error(s.int16()); code != 0 {
		return code
	}
	s.int32() // session
	for topics := s.count(6); topics > 0; topics-- {
		topic := string(s.bytes16())
		for n := s.count(42); n > 0; n-- {
			var p portion
			id := s.int32()
			p.code = kafka.Error(s.int16())
			p.high, p.stable, p.start = s.int64(), s.int64(), s.int64()
			for k := s.count(16); k > 0; k-- {
				p.aborted = append(p.aborted, abortedTxn{producer: s.int64(), first: s.int64()})
			}
			s.int32() // preferred replica
			p.set = s.bytes32()
			if s.failed {
				return fmt.Errorf("%w: %w", errMissing, errMalformed)
			}
			if err := each(TopicPartition{topic, id}, &p); err != nil {
				return err
			}
		}
	}
	if s.failed {
		return fmt.Errorf("%w: %w", errMissing, errMalformed)
	}
	return nil
}

// decode appends to f.view the records of a portion from offset from on. next is the offset to ask for afterwards: past
// control batches, aborted batches and gaps, but never past a batch that is not whole.
func (f *fetch) decode(p *portion, from int64, committed bool) (next int64, err error) {
	next = from
	skip := newAborted(p.aborted)
	for set := p.set; ; {
		var b rawBatch
		if b, set, err = cutBatch(set); err != nil {
			return next, fmt.Errorf("offset %d: %w", next, err)
		}
		if b == nil {
			return next, nil
		}
		drop, err := skip.drop(b)
		wanted := b.lastOffset() >= from && !b.control() && !(committed && drop) // an answer may begin with a batch before
		if err == nil && wanted {
			err = f.take(b, from)
		}
		if err != nil {
			return next, fmt.Errorf("offset %d: %w", b.baseOffset(), err)
		}
		next = max(next, b.lastOffset()+1)
	}
}

func (f *fetch) take(b rawBatch, from int64) error {
	data := []byte(b[batchHeaderBytes:])
	if c := codec(b.attributes() & attributeCodec); c != codecNone {
		room, err := c.decompress(f.rooms.next(), data)
		if err != nil {
			return fmt.Errorf("decompress: %w", err)
		}
		f.rooms.keep(room)
		data = room
	}
	var err error
	f.view, err = b.appendRecords(f.view, data, from)
	return err
}

// aborted tells which batches belong to aborted transactions: those of a listed producer from the listed offset on,
// until that producer's abort marker. One entry stands for one transaction.
type aborted struct {
	coming []abortedTxn // by first offset
	open   []int64      // producers
}

func newAborted(list []abortedTxn) aborted {
	slices.SortFunc(list, func(a, b abortedTxn) int { return int(min(max(a.first-b.first, -1), 1)) })
	return aborted{coming: list}
}

// drop takes note of b, which follows those it saw before, and tells whether its records were aborted.
func (a *aborted) drop(b rawBatch) (bool, error) {
	for len(a.coming) > 0 && a.coming[0].first <= b.lastOffset() {
		if !slices.Contains(a.open, a.coming[0].producer) {
			a.open = append(a.open, a.coming[0].producer)
		}
		a.coming = a.coming[1:]
	}
	if len(a.open) == 0 || !b.transactional() {
		return false, nil
	}
	at := slices.Index(a.open, b.producer())
	if at < 0 {
		return false, nil
	}
	if !b.control() {
		return true, nil
	}
	ends, err := b.aborts()
	if ends {
		a.open = slices.Delete(a.open, at, at+1)
	}
	return true, err
}
