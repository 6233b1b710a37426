package brokertest

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"
)

// faultyConn parses what goes through it into frames: a size of four bytes, then as many. A client has one request under
// way per connection, so the next answer belongs to the last request.
type faultyConn struct {
	net.Conn
	faults *Faults

	mu      sync.Mutex
	out     []byte // of a request that is not whole yet
	in      []byte // of an answer that was read whole and is being handed out
	rule    *Fault // for the next answer
	lent    bool   // a held request owns the connection below
	stalled bool
}

// Write takes the client's bytes and passes whole requests on.
func (c *faultyConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append(c.out, p...)
	for len(c.out) >= 4 {
		size := 4 + int(binary.BigEndian.Uint32(c.out))
		if size < 8 || len(c.out) < size {
			break
		}
		if err := c.request(c.out[:size:size]); err != nil {
			return 0, err
		}
		c.out = c.out[size:]
	}
	return len(p), nil
}

func (c *faultyConn) request(frame []byte) error {
	rule := c.faults.match(Kind(binary.BigEndian.Uint16(frame[4:])))
	if rule == nil {
		_, err := c.Conn.Write(frame)
		return err
	}
	switch rule.action {
	case loseRequest:
		close(rule.done)
		_ = c.Conn.Close()
		return io.ErrClosedPipe
	case hold:
		c.lent = true
		go c.deliverLate(rule, append([]byte(nil), frame...))
		return nil
	case stall:
		c.stalled = true
		close(rule.done)
		return nil
	case repeat:
		if _, err := c.Conn.Write(frame); err != nil {
			return err
		}
	}
	c.rule = rule
	_, err := c.Conn.Write(frame)
	return err
}

// deliverLate sends a held request when it is released, though the client has long gone.
func (c *faultyConn) deliverLate(rule *Fault, frame []byte) {
	defer close(rule.done)
	defer c.Conn.Close()
	<-rule.release
	_ = c.Conn.SetDeadline(time.Now().Add(lateLimit))
	if _, err := c.Conn.Write(frame); err != nil {
		return
	}
	if answer, err := readFrame(c.Conn); err == nil {
		rule.got = answer[8:]
	}
}

const lateLimit = 20 * time.Second

// Read hands out the broker's bytes, after what the fault of their request does to them.
func (c *faultyConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	rule := c.rule
	c.rule = nil
	waits := c.lent || c.stalled
	c.mu.Unlock()
	if waits {
		return 0, c.waitInVain()
	}
	if rule != nil {
		if err := c.answer(rule); err != nil {
			return 0, err
		}
	}
	if len(c.in) > 0 {
		n := copy(p, c.in)
		c.in = c.in[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// answer reads one answer whole and does what the rule says.
func (c *faultyConn) answer(rule *Fault) error {
	defer close(rule.done)
	frame, err := readFrame(c.Conn)
	if err != nil {
		return err
	}
	switch rule.action {
	case loseAnswer:
		rule.got = frame[8:]
		_ = c.Conn.Close()
		return io.ErrUnexpectedEOF
	case repeat:
		if frame, err = readFrame(c.Conn); err != nil {
			return err
		}
	case change:
		body := rule.change(append([]byte(nil), frame[8:]...))
		frame = append(frame[:8:8], body...)
		binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	}
	c.in = frame
	return nil
}

func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size < 4 || size > 1<<30 {
		return nil, io.ErrUnexpectedEOF
	}
	frame := append(head[:], make([]byte, size)...)
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}

// waitInVain waits for bytes that do not come, until the deadline that the client has set or its Close.
func (c *faultyConn) waitInVain() error {
	var none [1]byte
	n, err := c.Conn.Read(none[:])
	if n > 0 || err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Close closes the connection, unless a held request still needs it: then only the client's side of it ends.
func (c *faultyConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lent {
		return c.Conn.SetReadDeadline(time.Unix(1, 0))
	}
	return c.Conn.Close()
}

// SetDeadline sets the deadline, which a held request may later move.
func (c *faultyConn) SetDeadline(t time.Time) error { return c.Conn.SetDeadline(t) }
