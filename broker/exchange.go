package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

// errTooOld says that a broker does not know the version of a request that this package speaks.
var errTooOld = errors.New("broker is older than Apache Kafka 2.3")

// errMalformed says that an answer ended in the middle or holds impossible lengths.
var errMalformed = errors.New("malformed answer")

// exchange is one request to one broker, and its answer, in bytes of our own. kafka-go finds and keeps the connection
// and leaves the talking on it to RawExchange. Record batches so cross the client without being copied or decoded twice.
type exchange struct {
	key     protocol.ApiKey
	version int16
	broker  int32
	client  string
	id      int32 // correlation id
	parts   [][]byte
	answer  []byte // body of the answer; its memory is reused
	tooOld  bool
}

const (
	produceVersion     = 8 // the last with plain (not compact) encoding
	fetchVersion       = 11
	listOffsetsVersion = 2
	maxAnswerBytes     = 1 << 30
	gatherBytes        = 64 << 10
)

// ApiKey returns the kind of request, as kafka-go asks for it.
func (x *exchange) ApiKey() protocol.ApiKey { return x.key }

// Broker chooses the broker that the request goes to.
func (x *exchange) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	b, ok := cluster.Brokers[x.broker]
	if !ok {
		return protocol.Broker{ID: -1}, protocol.ErrNoLeader
	}
	return b, nil
}

// Required tells kafka-go that RawExchange talks.
func (x *exchange) Required(versions map[protocol.ApiKey]int16) bool {
	x.tooOld = versions[x.key] < x.version
	return true
}

// RawExchange writes the request and reads the answer. After an error kafka-go closes the connection, so that what is
// left of an answer is never taken for the next one.
func (x *exchange) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if x.tooOld {
		return nil, errTooOld
	}
	if err := x.write(rw); err != nil {
		return nil, err
	}
	var head [8]byte
	if _, err := io.ReadFull(rw, head[:]); err != nil {
		return nil, err
	}
	size := int64(int32(binary.BigEndian.Uint32(head[:]))) - 4
	if size < 0 || size > maxAnswerBytes {
		return nil, fmt.Errorf("answer of %d bytes: %w", size, errMalformed)
	}
	if id := int32(binary.BigEndian.Uint32(head[4:])); id != x.id {
		return nil, fmt.Errorf("answer to request %d instead of %d: %w", id, x.id, errMalformed)
	}
	if int64(cap(x.answer)) < size {
		x.answer = make([]byte, size)
	}
	x.answer = x.answer[:size]
	if _, err := io.ReadFull(rw, x.answer); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *exchange) write(w io.Writer) error {
	size := 0
	for _, p := range x.parts {
		size += len(p)
	}
	head := make([]byte, 4, 4+8+2+len(x.client)+gatherBytes/64)
	head = binary.BigEndian.AppendUint16(head, uint16(x.key))
	head = binary.BigEndian.AppendUint16(head, uint16(x.version))
	head = binary.BigEndian.AppendUint32(head, uint32(x.id))
	head = appendString(head, x.client)
	binary.BigEndian.PutUint32(head, uint32(len(head)-4+size))
	// Small pieces travel together; a batch is written from where it lies.
	for _, p := range x.parts {
		if len(head)+len(p) > gatherBytes && len(head) > 0 {
			if _, err := w.Write(head); err != nil {
				return err
			}
			head = head[:0]
		}
		if len(p) > gatherBytes {
			if _, err := w.Write(p); err != nil {
				return err
			}
			continue
		}
		head = append(head, p...)
	}
	if len(head) == 0 {
		return nil
	}
	_, err := w.Write(head)
	return err
}

// exchange sends x and waits for its answer, at most cfg.Timeout plus extra. When it fails, x and every part of it may
// still be in use by a connection that was given up: they must not be changed or used again.
func (c *Client) exchange(ctx context.Context, x *exchange, extra time.Duration) error {
	x.client, x.id = c.cfg.ClientID, c.sequence.Add(1)
	_, err := c.roundTrip(ctx, x, extra)
	return err
}

func appendString(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

// scanner reads the fields of an answer. After the first field that is not there every further one is zero and failed
// is set; so a reader checks once.
type scanner struct {
	b      []byte
	failed bool
}

func (s *scanner) take(n int) []byte {
	if n < 0 || n > len(s.b) {
		s.failed = true
		s.b = nil
		return nil
	}
	p := s.b[:n:n]
	s.b = s.b[n:]
	return p
}

func (s *scanner) int16() int16 {
	if p := s.take(2); p != nil {
		return int16(binary.BigEndian.Uint16(p))
	}
	return 0
}

func (s *scanner) int32() int32 {
	if p := s.take(4); p != nil {
		return int32(binary.BigEndian.Uint32(p))
	}
	return 0
}

func (s *scanner) int64() int64 {
	if p := s.take(8); p != nil {
		return int64(binary.BigEndian.Uint64(p))
	}
	return 0
}

// bytes16 reads a string: its length, then its bytes; a null string is nil.
func (s *scanner) bytes16() []byte { return s.nullable(int(s.int16())) }

// bytes32 reads a byte array: its length, then its bytes; a null array is nil.
func (s *scanner) bytes32() []byte { return s.nullable(int(s.int32())) }

func (s *scanner) nullable(n int) []byte {
	if n < 0 {
		return nil
	}
	return s.take(n)
}

// count reads the length of an array whose elements take at least size bytes each.
func (s *scanner) count(size int) int {
	n := int(s.int32())
	if n < 0 || n > len(s.b)/size {
		if n != -1 {
			s.failed = true
		}
		return 0
	}
	return n
}
