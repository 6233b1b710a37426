package brokertest

import (
	"context"
	"net"
	"sync"
)

// Kind is a kind of request: its API key in the Kafka protocol.
type Kind int16

// The requests that Datong makes.
const (
	Produce            Kind = 0
	Fetch              Kind = 1
	ListOffsets        Kind = 2
	Metadata           Kind = 3
	OffsetCommit       Kind = 8
	OffsetFetch        Kind = 9
	FindCoordinator    Kind = 10
	SASLHandshake      Kind = 17
	APIVersions        Kind = 18
	CreateTopics       Kind = 19
	InitProducerID     Kind = 22
	AddPartitionsToTxn Kind = 24
	EndTxn             Kind = 26
	SASLAuthenticate   Kind = 36
)

// Faults makes connections fail on purpose. Its Dial goes into broker.Config.Dial. Requests are told apart by reading the
// frames that the client writes, so it works with every broker that is reached without TLS. It is safe for concurrent
// use.
type Faults struct {
	mu    sync.Mutex
	rules []*Fault
	seen  map[Kind]int
	down  map[Kind]bool
}

// Fault is what happens to one request.
type Fault struct {
	kind    Kind
	skip    int // requests of the kind to let pass first
	action  action
	release chan struct{}
	change  func(answer []byte) []byte

	hit  chan struct{} // closed when the request has come
	done chan struct{} // closed when everything about it has happened
	got  []byte        // the broker's answer, where the client did not get it
}

type action uint8

const (
	loseRequest action = iota
	loseAnswer
	hold
	repeat
	change
	stall
)

// NewFaults returns faults that let everything pass.
func NewFaults() *Faults { return &Faults{seen: make(map[Kind]int), down: make(map[Kind]bool)} }

// LoseRequest closes the connection in place of sending the n-th request of a kind, counted from 1 and from now.
func (f *Faults) LoseRequest(kind Kind, n int) *Fault { return f.add(kind, n, loseRequest, nil) }

// LoseAnswer lets the broker act on the n-th request of a kind and closes the connection in place of its answer.
func (f *Faults) LoseAnswer(kind Kind, n int) *Fault { return f.add(kind, n, loseAnswer, nil) }

// Hold keeps the n-th request of a kind back, as a network may: the client waits in vain and gives up, the broker
// gets the request when Release is called, whatever has happened meanwhile.
func (f *Faults) Hold(kind Kind, n int) *Fault { return f.add(kind, n, hold, nil) }

// Repeat sends the n-th request of a kind twice; the client gets the second answer.
func (f *Faults) Repeat(kind Kind, n int) *Fault { return f.add(kind, n, repeat, nil) }

// Change replaces the answer to the n-th request of a kind, without its size and correlation id.
func (f *Faults) Change(kind Kind, n int, by func(answer []byte) []byte) *Fault {
	return f.add(kind, n, change, by)
}

// Stall swallows the n-th request of a kind and leaves the connection open, as a frozen broker does.
func (f *Faults) Stall(kind Kind, n int) *Fault { return f.add(kind, n, stall, nil) }

// Block loses every request of a kind, by closing the connection, until the returned function is called. Faults of
// single requests come first.
func (f *Faults) Block(kind Kind) (unblock func()) {
	f.set(kind, true)
	return func() { f.set(kind, false) }
}

func (f *Faults) set(kind Kind, down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down[kind] = down
}

func (f *Faults) add(kind Kind, n int, what action, by func([]byte) []byte) *Fault {
	r := &Fault{kind: kind, skip: n - 1, action: what, change: by,
		release: make(chan struct{}), hit: make(chan struct{}), done: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, r)
	return r
}

// Hit is closed when the request has come.
func (r *Fault) Hit() <-chan struct{} { return r.hit }

// Release sends a request that Hold kept back, waits for the broker's answer and returns it without size and correlation
// id; nil when the broker closed the connection.
func (r *Fault) Release() []byte {
	close(r.release)
	<-r.done
	return r.got
}

// Seen returns how many requests of a kind were made.
func (f *Faults) Seen(kind Kind) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[kind]
}

// match counts a request and takes the rule that it is the turn of.
func (f *Faults) match(kind Kind) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[kind]++
	for i, r := range f.rules {
		if r.kind != kind {
			continue
		}
		if r.skip > 0 {
			r.skip--
			continue
		}
		f.rules = append(f.rules[:i:i], f.rules[i+1:]...)
		close(r.hit)
		return r
	}
	if f.down[kind] {
		return &Fault{action: loseRequest, done: make(chan struct{})}
	}
	return nil
}

// Dial connects to a broker through the faults.
func (f *Faults) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &faultyConn{Conn: conn, faults: f}, nil
}
