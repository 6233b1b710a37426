package broker

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"github.com/datong-dx/datong/connectors"
)

// Config says how to reach a Kafka cluster. Only Brokers is required.
type Config struct {
	Brokers  []string // host:port of some brokers; the others are found through them
	ClientID string   // shown in the brokers' logs; "datong" when empty
	TLS      *TLS     // nil: plain text
	SASL     *SASL    // nil: no login
	// Timeout is how long one request may take before it counts as unanswered. 10 s when zero.
	Timeout time.Duration
	// Dial replaces how connections are made; tests inject faults here.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

const (
	defaultTimeout = 10 * time.Second
	// metadataTTL is short because kafka-go never refreshes its metadata on an error: a new topic or a moved leader is
	// found within this time.
	metadataTTL = time.Second
	idleTimeout = 5 * time.Minute
)

// Client talks to one Kafka cluster. It is safe for concurrent use; a process needs one.
type Client struct {
	cfg       Config
	addr      net.Addr
	transport *kafka.Transport
	kafka     *kafka.Client
	dialer    *kafka.Dialer // for consumer groups, which do not use the transport
	conns     *dialer
	sequence  atomic.Int32 // correlation ids
	closed    atomic.Bool
}

// Connect returns a client. It reads certificates but touches no network; what is wrong in cfg is a [connectors.Problem].
func Connect(cfg Config) (*Client, error) {
	if err := checkAddresses(cfg.Brokers); err != nil {
		return nil, err
	}
	if cfg.ClientID == "" {
		cfg.ClientID = "datong"
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	tlsConfig, err := cfg.TLS.config()
	if err != nil {
		return nil, err
	}
	login, err := cfg.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	conns := newDialer(cfg.Dial, cfg.Timeout, tlsConfig != nil)
	c := &Client{cfg: cfg, addr: kafka.TCP(cfg.Brokers...), conns: conns}
	c.transport = &kafka.Transport{
		Dial: conns.Dial, DialTimeout: cfg.Timeout, IdleTimeout: idleTimeout, MetadataTTL: metadataTTL,
		ClientID: cfg.ClientID, TLS: tlsConfig, SASL: login,
	}
	c.kafka = &kafka.Client{Addr: c.addr, Timeout: cfg.Timeout, Transport: c.transport}
	c.dialer = &kafka.Dialer{ClientID: cfg.ClientID, DialFunc: conns.Dial, Timeout: cfg.Timeout, TLS: tlsConfig, SASLMechanism: login}
	return c, nil
}

func checkAddresses(brokers []string) error {
	if len(brokers) == 0 {
		return &connectors.Problem{What: connectors.Text{Zh: "没有给出 Kafka 地址", En: "no Kafka broker is given"},
			Try: connectors.Text{Zh: "brokers: [主机:9092]", En: "brokers: [host:9092]"}}
	}
	for _, b := range brokers {
		host, port, err := net.SplitHostPort(b)
		if _, wrong := strconv.ParseUint(port, 10, 16); err != nil || host == "" || wrong != nil {
			return &connectors.Problem{What: connectors.Text{Zh: fmt.Sprintf("%q 不是 主机:端口", b), En: fmt.Sprintf("%q is not host:port", b)},
				Try: connectors.Text{Zh: "例如 kafka1.example.cn:9092", En: "for example kafka1.example.cn:9092"}}
		}
	}
	return nil
}

// Close ends all connections. Calls that are running end with an error.
func (c *Client) Close() {
	c.closed.Store(true)
	c.transport.CloseIdleConnections()
	c.conns.Close()
}

// principal is the name under which the brokers know this client, as far as the client can tell.
func (c *Client) principal() string {
	switch {
	case c.cfg.SASL != nil:
		return c.cfg.SASL.Username
	case c.cfg.TLS != nil && c.cfg.TLS.Cert != "":
		return "CN=…"
	}
	return "ANONYMOUS"
}

// roundTrip sends one request and waits for its answer at most cfg.Timeout plus extra. Its errors are classified.
func (c *Client) roundTrip(ctx context.Context, req protocol.Message, extra time.Duration) (protocol.Message, error) {
	if c.closed.Load() {
		return nil, fmt.Errorf("kafka client: %w", ErrClosed)
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout+extra)
	defer cancel()
	res, err := c.transport.RoundTrip(ctx, c.addr, req)
	return res, classify(err)
}

// metadata returns the cluster's metadata, at most [metadataTTL] old, of the named topics (nil: all).
func (c *Client) metadata(ctx context.Context, topics []string) (*metadata.Response, error) {
	res, err := c.roundTrip(ctx, &metadata.Request{TopicNames: topics}, 0)
	if err != nil {
		return nil, err
	}
	return res.(*metadata.Response), nil
}

// ClusterID returns the id that the cluster gave itself when it was made.
func (c *Client) ClusterID(ctx context.Context) (id string, err error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	err = c.call(ctx, "ask for the cluster id", func(ctx context.Context) error {
		m, err := c.metadata(ctx, []string{})
		if err == nil {
			id = m.ClusterID
		}
		return err
	})
	return id, err
}

// Size returns the number of brokers that the cluster has now.
func (c *Client) Size(ctx context.Context) (n int, err error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	err = c.call(ctx, "count the brokers", func(ctx context.Context) error {
		m, err := c.metadata(ctx, []string{})
		if err == nil {
			n = len(m.Brokers)
		}
		return err
	})
	return n, err
}

// Topics returns the number of partitions of every topic that the client may see, at most a second old.
func (c *Client) Topics(ctx context.Context) (map[string]int, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	topics := make(map[string]int)
	err := c.call(ctx, "list topics", func(ctx context.Context) error {
		m, err := c.metadata(ctx, nil)
		if err != nil {
			return err
		}
		clear(topics)
		for i := range m.Topics {
			if t := &m.Topics[i]; !t.IsInternal && t.ErrorCode == 0 {
				topics[t.Name] = len(t.Partitions)
			}
		}
		return nil
	})
	return topics, err
}

// leaders returns the leader of each partition of a topic, -1 where there is none at the moment.
func (c *Client) leaders(ctx context.Context, topic string) ([]int32, error) {
	m, err := c.metadata(ctx, []string{topic})
	if err != nil {
		return nil, err
	}
	if len(m.Topics) != 1 || m.Topics[0].ErrorCode != 0 {
		return nil, protocol.NewErrNoTopic(topic)
	}
	partitions := m.Topics[0].Partitions
	leaders := slices.Repeat([]int32{-1}, len(partitions))
	for i := range partitions {
		if p := &partitions[i]; p.PartitionIndex >= 0 && int(p.PartitionIndex) < len(leaders) {
			leaders[p.PartitionIndex] = p.LeaderID
		}
	}
	return leaders, nil
}
