// Package embedded runs a Kafka broker inside the process (github.com/twmb/franz-go/pkg/kfake), with transactions, groups,
// compaction and its data on disk. It is for trying Datong out and for tests; real use is Apache Kafka.
package embedded

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Options choose where the broker keeps its data and where it listens; the zero value works.
type Options struct {
	// Dir holds the data; they survive a restart. In memory when empty.
	Dir string
	// Port on the loopback address; a free one when zero.
	Port int
	// CompactEvery is how often compacted topics are compacted. One minute when zero.
	CompactEvery time.Duration
	// More are further settings of kfake, for tests.
	More []kfake.Opt
}

// Broker is a running broker. There is one node, so the replication factor of every topic is 1.
type Broker struct {
	cluster *kfake.Cluster
	addr    string
}

const defaultCompactEvery = time.Minute

// Start runs a broker until Close. ctx bounds the start only: those who drain their work after it is done still need the
// broker.
func Start(ctx context.Context, opts Options) (*Broker, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	every := opts.CompactEvery
	if every <= 0 {
		every = defaultCompactEvery
	}
	settings := []kfake.Opt{
		kfake.Ports(opts.Port),
		kfake.ClusterID("datong-embedded"),
		kfake.ListenFn(listenLoopback),
		kfake.BrokerConfigs(map[string]string{
			"log.cleaner.backoff.ms":     strconv.FormatInt(every.Milliseconds(), 10),
			"default.replication.factor": "1",
		}),
	}
	if opts.Dir != "" {
		settings = append(settings, kfake.DataDir(opts.Dir))
	}
	cluster, err := kfake.NewCluster(append(settings, opts.More...)...)
	if err != nil {
		return nil, fmt.Errorf("start the embedded broker: %w", err)
	}
	b := &Broker{cluster: cluster, addr: cluster.ListenAddrs()[0]}
	return b, nil
}

// listenLoopback keeps the broker off the network whatever address it was given.
func listenLoopback(network, address string) (net.Listener, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	return net.Listen(network, net.JoinHostPort("127.0.0.1", port))
}

// Addr returns the broker's host:port.
func (b *Broker) Addr() string { return b.addr }

// Cluster returns the kfake cluster below, for tests that make it misbehave.
func (b *Broker) Cluster() *kfake.Cluster { return b.cluster }

// Close stops the broker and puts its data on disk. It may be called several times.
func (b *Broker) Close() { b.cluster.Close() }
