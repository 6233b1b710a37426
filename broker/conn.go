package broker

import (
	"context"
	"net"
	"sync"
	"time"
)

// dialer makes the client's connections and can end them all.
//
// It guards against a stall in kafka-go, which clears a connection's deadline before the SASL exchange and waits there
// without a limit: a broker that freezes at that moment stops its metadata for good. So clearing a deadline means "as
// long as one request may take" instead.
type dialer struct {
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	limit time.Duration

	mu     sync.Mutex
	conns  map[*conn]struct{}
	closed bool
}

func newDialer(dial func(context.Context, string, string) (net.Conn, error), limit time.Duration) *dialer {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return &dialer{dial: dial, limit: limit, conns: make(map[*conn]struct{})}
}

// Dial connects, as kafka-go wants it.
func (d *dialer) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	below, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: below, dialer: d}
	d.mu.Lock()
	closed := d.closed
	d.conns[c] = struct{}{}
	d.mu.Unlock()
	if closed {
		_ = c.Close()
		return nil, ErrClosed
	}
	return c, nil
}

// Close ends every connection, with what is under way on it.
func (d *dialer) Close() {
	d.mu.Lock()
	d.closed = true
	all := make([]*conn, 0, len(d.conns))
	for c := range d.conns {
		all = append(all, c)
	}
	d.mu.Unlock()
	for _, c := range all {
		_ = c.Close() // nobody is left to tell
	}
}

type conn struct {
	net.Conn
	dialer *dialer
}

// SetDeadline sets the deadline, and a bounded one instead of none.
func (c *conn) SetDeadline(t time.Time) error {
	if t.IsZero() {
		t = time.Now().Add(c.dialer.limit)
	}
	return c.Conn.SetDeadline(t)
}

// Close ends the connection.
func (c *conn) Close() error {
	c.dialer.mu.Lock()
	delete(c.dialer.conns, c)
	c.dialer.mu.Unlock()
	return c.Conn.Close()
}
