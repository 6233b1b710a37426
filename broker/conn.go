package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// dialer makes the client's connections and can end them all.
//
// It guards against a stall in kafka-go, which clears a connection's deadline before the SASL exchange and waits there
// without a limit: a broker that freezes at that moment stops its metadata for good. So clearing a deadline means "as
// long as one request may take" instead.
//
// It also looks at how the other side begins: kafka-go takes the first bytes of anything for a length and makes room
// for as much, and what is no Kafka can be named instead of waited for.
type dialer struct {
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	limit time.Duration
	tls   bool // what passes is encrypted

	mu     sync.Mutex
	conns  map[*conn]struct{}
	closed bool
}

func newDialer(dial func(context.Context, string, string) (net.Conn, error), limit time.Duration, tls bool) *dialer {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return &dialer{dial: dial, limit: limit, tls: tls, conns: make(map[*conn]struct{})}
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
	begun  bool // the other side's first bytes are seen and are Kafka's; of the one reader
}

// errWantsTLS says that a plain connection was answered by an alert of TLS.
var errWantsTLS = fmt.Errorf("%w: the port is encrypted", ErrAuthentication)

// tlsAlert begins what a server of TLS answers to what is not TLS.
const tlsAlert = 21

// strangerError shows how something that is no Kafka began its answer.
type strangerError struct{ began []byte }

func (e *strangerError) Error() string { return fmt.Sprintf("it begins with %q", e.began) }
func (e *strangerError) Unwrap() error { return ErrNotKafka }

// Read refuses an answer that cannot be Kafka's. Every one of Kafka's begins with its length, and the first one on a
// connection, which tells versions or what the server's login wants, is far below 16 MiB: its first byte is zero.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.begun || n == 0 || c.dialer.tls {
		return n, err
	}
	switch b[0] {
	case 0:
		c.begun = true
		return n, err
	case tlsAlert:
		return 0, errors.Join(errWantsTLS, err)
	}
	return 0, errors.Join(&strangerError{append([]byte(nil), b[:min(n, 16)]...)}, err)
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
