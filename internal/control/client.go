package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/exchange"
	"github.com/datong-dx/datong/internal/pipeline"
	"github.com/datong-dx/datong/internal/quarantine"
)

// Service is what a person can ask of an exchange: of the process that runs it, through a [Client], or of the topics,
// through an [exchange.Exchange] that nobody runs.
type Service interface {
	Status(ctx context.Context) (exchange.Status, error)
	Groups(ctx context.Context, sel exchange.Selection) ([]exchange.Group, error)
	Each(ctx context.Context, sel exchange.Selection, fn func(exchange.Waiting) error) error
	Act(ctx context.Context, action quarantine.Action, sel exchange.Selection) ([]exchange.Answer, error)
	ApproveDeletes(ctx context.Context, pipeline string) (pipeline.HeldDeletes, error)
	ResetPipeline(ctx context.Context, pipeline string) error
	Rebuild(ctx context.Context, delivery string) error
	Resume(ctx context.Context) error
	Audit(ctx context.Context, e exchange.AuditEntry) error
	Close()
}

var (
	_ Service = (*Client)(nil)
	_ Service = (*exchange.Exchange)(nil)
)

// Client asks the process that runs an exchange.
type Client struct {
	at   exchange.Address
	http http.Client
}

// aliveTimeout is how long a process that left word may take to show that it lives.
const aliveTimeout = 3 * time.Second

// Dial returns a client of the process that runs the exchange directory dir; nil when none does. A process that was killed
// leaves its word behind, and its port may be another program's by now: only who takes the token is who left word.
func Dial(ctx context.Context, dir string) (*Client, error) {
	at, found, err := exchange.Find(dir)
	if err != nil || !found {
		return nil, err
	}
	c := &Client{at: at}
	ctx, cancel := context.WithTimeout(ctx, aliveTimeout)
	defer cancel()
	resp, err := c.send(ctx, http.MethodGet, helloPath, nil)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, silent(dir, at.PID)
	case err != nil:
		return nil, nil // nobody listens there any more
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		c.Close()
		return nil, nil //nolint:nilnil // somebody else listens there now
	}
	return c, nil
}

// silent is about a process that is there and hangs: to act in its place would fence its tasks.
func silent(dir string, pid int) error {
	return &connectors.Problem{
		Where: dir,
		What: connectors.Text{
			Zh: fmt.Sprintf("运行这个交换目录的进程（%d）没有应答", pid),
			En: fmt.Sprintf("the process that runs this exchange directory (%d) does not answer", pid)},
		Try: connectors.Text{Zh: "查看它的日志，或结束后重新启动", En: "look at its log, or end it and start it again"},
	}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status asks what every task is doing.
func (c *Client) Status(ctx context.Context) (exchange.Status, error) {
	var s exchange.Status
	return s, c.call(ctx, http.MethodGet, "/v1/status", nil, &s)
}

// Groups asks what waits, by cause.
func (c *Client) Groups(ctx context.Context, sel exchange.Selection) ([]exchange.Group, error) {
	var g []exchange.Group
	return g, c.call(ctx, http.MethodPost, "/v1/quarantine/groups", &request{Selection: sel}, &g)
}

// Act retries or discards.
func (c *Client) Act(ctx context.Context, action quarantine.Action, sel exchange.Selection) ([]exchange.Answer, error) {
	var a []exchange.Answer
	return a, c.call(ctx, http.MethodPost, "/v1/quarantine/act", &request{Action: action, Selection: sel}, &a)
}

// ApproveDeletes lets a pipeline delete, once, what its last comparison held back.
func (c *Client) ApproveDeletes(ctx context.Context, id string) (pipeline.HeldDeletes, error) {
	var h pipeline.HeldDeletes
	return h, c.call(ctx, http.MethodPost, "/v1/deletes/approve", &request{Target: id}, &h)
}

// ResetPipeline makes a halted pipeline read its source from the start.
func (c *Client) ResetPipeline(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodPost, "/v1/pipelines/reset", &request{Target: id}, nil)
}

// Rebuild fills a delivery's tables anew.
func (c *Client) Rebuild(ctx context.Context, delivery string) error {
	return c.call(ctx, http.MethodPost, "/v1/deliveries/rebuild", &request{Target: delivery}, nil)
}

// Resume lets halted tasks try again.
func (c *Client) Resume(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/v1/resume", &request{}, nil)
}

// Audit keeps who did what.
func (c *Client) Audit(ctx context.Context, e exchange.AuditEntry) error {
	return c.call(ctx, http.MethodPost, "/v1/audit", &request{Audit: e}, nil)
}

// Each calls fn for everything that waits and is chosen.
func (c *Client) Each(ctx context.Context, sel exchange.Selection, fn func(exchange.Waiting) error) error {
	resp, err := c.send(ctx, http.MethodPost, "/v1/quarantine/items", &request{Selection: sel})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return failed(resp)
	}
	d := json.NewDecoder(bufio.NewReader(resp.Body))
	for {
		var line struct {
			exchange.Waiting
			failure
		}
		if err := d.Decode(&line); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read what waits: %w", err)
		}
		if line.Failed {
			return line.err()
		}
		if err := fn(line.Waiting); err != nil {
			return err
		}
	}
}

// call sends a request and decodes the answer into out, unless that is nil.
func (c *Client) call(ctx context.Context, method, path string, q *request, out any) error {
	resp, err := c.send(ctx, method, path, q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return failed(resp)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("read the answer of the running process: %w", err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path string, q *request) (*http.Response, error) {
	var body bytes.Buffer
	if q != nil {
		if err := json.NewEncoder(&body).Encode(q); err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.at.Addr+path, &body)
	if err != nil {
		return nil, fmt.Errorf("ask the running process: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.at.Token)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the running process: %w", err)
	}
	return resp, nil
}

func failed(resp *http.Response) error {
	var f failure
	if err := json.NewDecoder(resp.Body).Decode(&f); err != nil {
		return fmt.Errorf("the running process answered %s", resp.Status)
	}
	return f.err()
}
