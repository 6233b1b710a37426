package broker_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
	"github.com/datong-dx/datong/broker/embedded"
	"github.com/datong-dx/datong/connectors"
)

func TestATopicIsCreatedOnceAndThenCompared(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		c := connect(t, addr, nil)
		opts := broker.TopicOptions{Partitions: 3, Replication: 1, DeleteRetention: 48 * time.Hour}
		for kind, make := range map[string]func(string, broker.TopicOptions) broker.Topic{
			"standard": broker.StandardTopic, "quarantine": broker.QuarantineTopic, "positions": broker.PositionsTopic,
		} {
			spec := make(name(t), opts)
			for range 2 {
				if err := c.EnsureTopic(t.Context(), spec); err != nil {
					t.Fatalf("%s: %v", kind, err)
				}
			}
			if problems, err := c.CompareTopic(t.Context(), spec); err != nil || len(problems) > 0 {
				t.Errorf("%s: %v, %v", kind, problems, err)
			}
			topics, err := c.Topics(t.Context())
			if err != nil || topics[spec.Name] != spec.Partitions {
				t.Errorf("%s: %d partitions, %v", kind, topics[spec.Name], err)
			}
		}
	})
}

func TestATopicThatDiffersIsRefusedWhereItMatters(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		c := connect(t, addr, nil)
		have := broker.Topic{Name: name(t), Partitions: 2, Replication: 1, Config: map[string]string{
			"cleanup.policy": "compact,delete", "max.message.bytes": "2000000", "delete.retention.ms": "1000", "segment.ms": "86400000",
		}}
		if err := c.EnsureTopic(t.Context(), have); err != nil {
			t.Fatal(err)
		}
		for what, tc := range map[string]struct {
			want  broker.Topic
			stops string
			warns string
		}{
			"partitions":        {broker.Topic{Partitions: 3}, "2 partitions instead of 3", ""},
			"the same policy":   {broker.Topic{Partitions: 2, Config: map[string]string{"cleanup.policy": "delete, compact"}}, "", ""},
			"another policy":    {broker.Topic{Partitions: 2, Config: map[string]string{"cleanup.policy": "compact"}}, `cleanup.policy is "compact,delete"`, ""},
			"smaller batches":   {broker.Topic{Partitions: 2, Config: map[string]string{"max.message.bytes": "1048588"}}, "", ""},
			"larger batches":    {broker.Topic{Partitions: 2, Config: map[string]string{"max.message.bytes": "3000000"}}, "max.message.bytes", ""},
			"longer retention":  {broker.Topic{Partitions: 2, Config: map[string]string{"delete.retention.ms": "2000"}}, "", "delete.retention.ms"},
			"shorter retention": {broker.Topic{Partitions: 2, Config: map[string]string{"delete.retention.ms": "500"}}, "", ""},
			"segment time":      {broker.Topic{Partitions: 2, Config: map[string]string{"segment.ms": "1"}}, "", "segment.ms"},
		} {
			tc.want.Name = have.Name
			err := c.EnsureTopic(t.Context(), tc.want)
			if (err != nil) != (tc.stops != "") || err != nil && (!strings.Contains(err.Error(), tc.stops) || !errors.Is(err, broker.ErrTopicDiffers)) {
				t.Errorf("%s: %v", what, err)
			}
			problems, err := c.CompareTopic(t.Context(), tc.want)
			if err != nil {
				t.Fatal(err)
			}
			var warned []string
			for _, p := range problems {
				if p.Warning {
					warned = append(warned, p.Error())
				}
				if p.Try.Zh == "" || p.Try.En == "" {
					t.Errorf("%s: no cure in %v", what, p)
				}
			}
			if (len(warned) > 0) != (tc.warns != "") || len(warned) > 0 && !strings.Contains(warned[0], tc.warns) {
				t.Errorf("%s: warned of %v", what, warned)
			}
		}
	})
}

func TestWrongSettingsAreProblemsWithACure(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := []string{"localhost:9092"}
	for name, cfg := range map[string]broker.Config{
		"no brokers":       {},
		"no port":          {Brokers: []string{"localhost"}},
		"a URL":            {Brokers: []string{"kafka://localhost"}},
		"not a mechanism":  {Brokers: at, SASL: &broker.SASL{Mechanism: "GSSAPI", Username: "u", Password: "p4ss"}},
		"no password":      {Brokers: at, SASL: &broker.SASL{Mechanism: "PLAIN", Username: "u"}},
		"no certificate":   {Brokers: at, TLS: &broker.TLS{CA: empty}},
		"half a key pair":  {Brokers: at, TLS: &broker.TLS{Cert: empty}},
		"a missing file":   {Brokers: at, TLS: &broker.TLS{CA: filepath.Join(dir, "none.pem")}},
		"a broken keypair": {Brokers: at, TLS: &broker.TLS{Cert: empty, Key: empty}},
	} {
		_, err := broker.Connect(cfg)
		if err == nil || strings.Contains(err.Error(), "p4ss") {
			t.Errorf("%s: %v", name, err)
		}
		var p *connectors.Problem
		if errors.As(err, &p) && (p.Try.En == "" || p.Try.Zh == "") {
			t.Errorf("%s: no cure in %v", name, err)
		}
	}
	if s := (broker.SASL{Mechanism: "PLAIN", Username: "u", Password: "p4ss"}); strings.Contains(s.GoString()+s.String(), "p4ss") {
		t.Error("a login shows its password")
	}
	c := brokertest.Connect(t, broker.Config{Brokers: at})
	var p *connectors.Problem
	if err := c.NewProducer("x", broker.ProducerOptions{Compression: "rar"}).Start(t.Context()); !errors.As(err, &p) {
		t.Errorf("compression rar: %v", err)
	}
}

func TestARecordThatIsTooLargeIsToldBeforeAnythingIsSent(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		faults := brokertest.NewFaults()
		c := connect(t, addr, faults)
		to := topic(t, c, 1)
		p := producer(t, c, broker.ProducerOptions{Compression: "none"})
		x := txn(to, 1, 2, "small")
		x.Add(to, 0, broker.AppendPlainBody(nil, nil, make([]byte, 2<<20)))
		err := p.Commit(t.Context(), x)
		var problem *connectors.Problem
		if !errors.As(err, &problem) || errors.Is(err, broker.ErrTransactionLost) {
			t.Errorf("got %v, want a problem alone", err)
		}
		if n := faults.Seen(brokertest.AddPartitionsToTxn); n != 0 {
			t.Errorf("%d requests were sent", n)
		}
		x.Reset()
		x.Add(to, 0, broker.AppendPlainBody(nil, nil, []byte("fits")))
		commit(t, p, x)
		squeezed := producer(t, c, broker.ProducerOptions{Compression: "lz4"})
		x.Reset()
		x.Add(to, 0, broker.AppendPlainBody(nil, nil, []byte(strings.Repeat("a", 2<<20)))) // fits once it is compressed
		commit(t, squeezed, x)
		if diff := cmp.Diff([]string{"fits", strings.Repeat("a", 2<<20)}, values(t, c, to)); diff != "" {
			t.Error("the records differ")
		}
	})
}

func TestOffsetsOfATopic(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string) {
		c := connect(t, addr, nil)
		to := topic(t, c, 3)
		p := producer(t, c, broker.ProducerOptions{})
		commit(t, p, txn(to, 2, 4, "x"))
		values(t, c, to) // waits for the markers
		for deadline := time.Now().Add(10 * time.Second); ; {
			ends, err := c.EndOffsets(t.Context(), to)
			if err != nil {
				t.Fatal(err)
			}
			diff := cmp.Diff([]int64{3, 3, 0}, ends) // two records and a marker
			if diff == "" {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal(diff)
			}
		}
		starts, err := c.StartOffsets(t.Context(), to)
		if diff := cmp.Diff([]int64{0, 0, 0}, starts); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}

// The embedded broker speaks SCRAM-SHA-256, which the secured listener of the testbed does not.
func TestSCRAM256OnTheEmbeddedBroker(t *testing.T) {
	t.Parallel()
	b, err := embedded.Start(t.Context(), embedded.Options{More: []kfake.Opt{
		kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "user", "pencil"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	cfg := broker.Config{Brokers: []string{b.Addr()}, Timeout: 2 * time.Second,
		SASL: &broker.SASL{Mechanism: "scram-sha-256", Username: "user", Password: "pencil"}}
	if _, err := brokertest.Connect(t, cfg).ClusterID(t.Context()); err != nil {
		t.Error(err)
	}
	cfg.SASL = &broker.SASL{Mechanism: "SCRAM-SHA-256", Username: "user", Password: "wrong"}
	if _, err := brokertest.Connect(t, cfg).ClusterID(t.Context()); err == nil {
		t.Error("a wrong password was taken")
	}
}
