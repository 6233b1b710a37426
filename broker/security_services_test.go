//go:build services

package broker_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
	"github.com/datong-dx/datong/connectors"
)

// grant gives the user scjg the prefix "dt.scjg.", as an administrator does for a department.
func grant(t testing.TB) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(env(t, "DATONG_TEST_KAFKA_CERT"), env(t, "DATONG_TEST_KAFKA_KEY"))
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(env(t, "DATONG_TEST_KAFKA_CA"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &kafka.Transport{TLS: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}}
	defer transport.CloseIdleConnections()
	admin := &kafka.Client{Addr: kafka.TCP(env(t, "DATONG_TEST_KAFKA_SECURE_MUTUAL_TLS")), Transport: transport, Timeout: 10 * time.Second}
	var acls []kafka.ACLEntry
	for resource, operations := range map[kafka.ResourceType][]kafka.ACLOperationType{
		kafka.ResourceTypeTopic: {kafka.ACLOperationTypeCreate, kafka.ACLOperationTypeDescribe, kafka.ACLOperationTypeWrite,
			kafka.ACLOperationTypeRead, kafka.ACLOperationTypeDescribeConfigs},
		kafka.ResourceTypeTransactionalID: {kafka.ACLOperationTypeDescribe, kafka.ACLOperationTypeWrite},
		kafka.ResourceTypeGroup:           {kafka.ACLOperationTypeRead, kafka.ACLOperationTypeDescribe},
	} {
		for _, op := range operations {
			acls = append(acls, kafka.ACLEntry{ResourceType: resource, ResourceName: "dt.scjg.", ResourcePatternType: kafka.PatternTypePrefixed,
				Principal: "User:scjg", Host: "*", Operation: op, PermissionType: kafka.ACLPermissionTypeAllow})
		}
	}
	res, err := admin.CreateACLs(t.Context(), &kafka.CreateACLsRequest{ACLs: acls})
	if err == nil {
		err = errors.Join(res.Errors...)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// secure is the configuration of a user of the listener with TLS and SASL.
func secure(t testing.TB, mechanism, user, password string) broker.Config {
	t.Helper()
	return broker.Config{
		Brokers: []string{env(t, "DATONG_TEST_KAFKA_SECURE")}, Timeout: 5 * time.Second,
		TLS:  &broker.TLS{CA: env(t, "DATONG_TEST_KAFKA_CA")},
		SASL: &broker.SASL{Mechanism: mechanism, Username: user, Password: password},
	}
}

func TestADepartmentPublishesAndReadsUnderItsPrefix(t *testing.T) {
	grant(t)
	c := brokertest.Connect(t, secure(t, "SCRAM-SHA-512", "scjg", "scjg-secret"))
	to := "dt.scjg." + name(t)
	if err := c.EnsureTopic(t.Context(), broker.StandardTopic(to, broker.TopicOptions{Partitions: 2, Replication: 1})); err != nil {
		t.Fatal(err)
	}
	p := started(t, c, "dt.scjg."+name(t), broker.ProducerOptions{})
	commit(t, p, txn(to, 2, 4, "x"))
	if diff := cmp.Diff(want(2, run{"x", 4}), values(t, c, to)); diff != "" {
		t.Error(diff)
	}
	group := "dt.scjg." + name(t)
	at := broker.TopicPartition{Topic: to, Partition: 1}
	if err := c.CommitOffsets(t.Context(), group, map[broker.TopicPartition]int64{at: 2}); err != nil {
		t.Fatal(err)
	}
	offsets, err := c.FetchOffsets(t.Context(), group, map[string][]int32{to: {0, 1}})
	if diff := cmp.Diff(map[broker.TopicPartition]int64{at: 2, {Topic: to}: -1}, offsets); diff != "" || err != nil {
		t.Error(diff, err)
	}
	g, err := c.JoinGroup(broker.GroupConfig{ID: group, Topics: []string{to}})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	gen, err := g.Next(t.Context())
	if err != nil || len(gen.Assigned[to]) != 2 || gen.Offsets[at] != 2 {
		t.Errorf("got %+v, %v", gen, err)
	}
}

func TestWhatIsOutsideThePrefixIsDeniedByName(t *testing.T) {
	grant(t)
	c := brokertest.Connect(t, secure(t, "SCRAM-SHA-512", "scjg", "scjg-secret"))
	own := "dt.scjg." + name(t)
	if err := c.EnsureTopic(t.Context(), broker.Topic{Name: own, Partitions: 1, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	foreign := "dt.other." + name(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	denied := func(what, where string, err error) {
		t.Helper()
		var p *connectors.Problem
		if !errors.Is(err, broker.ErrAuthorization) || !errors.As(err, &p) || p.Where != where || p.Try.En == "" {
			t.Errorf("%s: got %v, want a missing right on %s", what, err, where)
		}
	}
	denied("create a topic", "topic "+foreign, c.EnsureTopic(ctx, broker.Topic{Name: foreign, Partitions: 1, Replication: 1}))
	denied("start a producer", "transactional id "+foreign, c.NewProducer(foreign, broker.ProducerOptions{}).Start(ctx))
	denied("commit offsets", "group "+foreign, c.CommitOffsets(ctx, foreign, map[broker.TopicPartition]int64{{Topic: own}: 1}))
	_, err := c.FetchOffsets(ctx, foreign, map[string][]int32{own: {0}})
	denied("fetch offsets", "group "+foreign, err)
	g, err := c.JoinGroup(broker.GroupConfig{ID: foreign, Topics: []string{own}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = g.Next(ctx)
	denied("join a group", "group "+foreign, err)
	if err := g.Close(); err != nil {
		t.Error(err)
	}

	p := started(t, c, own, broker.ProducerOptions{})
	x := txn(own, 1, 1, "x")
	x.Add(foreign, 0, broker.AppendPlainBody(nil, []byte("k"), []byte("v")))
	err = p.Commit(ctx, x)
	denied("publish", "topic "+foreign, err)
	if !errors.Is(err, broker.ErrTransactionLost) {
		t.Errorf("got %v", err)
	}
	if err := p.Recover(ctx); err != nil {
		t.Error(err)
	}
	commit(t, p, txn(own, 1, 1, "y"))
	if diff := cmp.Diff(want(1, run{"y", 1}), values(t, c, own)); diff != "" {
		t.Error(diff)
	}
	if _, err := c.EndOffsets(ctx, foreign); !errors.Is(err, broker.ErrNoTopic) {
		t.Errorf("a topic that may not be seen: %v", err)
	}
}

func TestLoginsThatWorkAndThatDoNot(t *testing.T) {
	plainText := broker.Config{Brokers: []string{env(t, "DATONG_TEST_KAFKA_SECURE")}, Timeout: 2 * time.Second}
	noCA := secure(t, "PLAIN", "plainuser", "plain-secret")
	noCA.TLS = &broker.TLS{}
	noLogin := secure(t, "PLAIN", "plainuser", "plain-secret")
	noLogin.SASL, noLogin.Timeout = nil, 2*time.Second
	mutual := broker.Config{
		Brokers: []string{env(t, "DATONG_TEST_KAFKA_SECURE_MUTUAL_TLS")}, Timeout: 5 * time.Second,
		TLS: &broker.TLS{CA: env(t, "DATONG_TEST_KAFKA_CA"), Cert: env(t, "DATONG_TEST_KAFKA_CERT"), Key: env(t, "DATONG_TEST_KAFKA_KEY")},
	}
	noCert := mutual
	noCert.TLS = &broker.TLS{CA: mutual.TLS.CA}
	for name, c := range map[string]struct {
		cfg  broker.Config
		want error
	}{
		"PLAIN":              {secure(t, "PLAIN", "plainuser", "plain-secret"), nil},
		"SCRAM-SHA-512":      {secure(t, "SCRAM-SHA-512", "scjg", "scjg-secret"), nil},
		"own certificate":    {mutual, nil},
		"no certificate":     {noCert, broker.ErrAuthentication},
		"wrong password":     {secure(t, "SCRAM-SHA-512", "scjg", "wrong"), broker.ErrAuthentication},
		"unknown user":       {secure(t, "PLAIN", "nobody", "wrong"), broker.ErrAuthentication},
		"mechanism disabled": {secure(t, "SCRAM-SHA-256", "scjg", "scjg-secret"), broker.ErrAuthentication},
		"unknown authority":  {noCA, broker.ErrAuthentication},
		"no login":           {noLogin, broker.ErrUnreachable},
		"no encryption":      {plainText, broker.ErrAuthentication},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, err := brokertest.Connect(t, c.cfg).ClusterID(t.Context())
			if !errors.Is(err, c.want) || (err == nil) != (id != "") {
				t.Errorf("got %q, %v, want %v", id, err, c.want)
			}
		})
	}
}

// A connection that stalls inside the SASL exchange must not stop the client's metadata for good.
func TestAStallInsideTheLoginHeals(t *testing.T) {
	grant(t)
	cfg := secure(t, "SCRAM-SHA-512", "scjg", "scjg-secret")
	other := brokertest.Connect(t, cfg)
	faults := brokertest.NewFaults()
	cfg.Brokers = []string{env(t, "DATONG_TEST_KAFKA_SECURE_PLAIN_SASL")}
	cfg.TLS, cfg.Dial, cfg.Timeout = nil, faults.Dial, time.Second
	c := brokertest.Connect(t, cfg)
	if _, err := c.ClusterID(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The metadata connection is lost, and the next one stalls.
	stalled := faults.Stall(brokertest.SASLAuthenticate, 1)
	faults.LoseRequest(brokertest.Metadata, 1)
	<-stalled.Hit()

	to := "dt.scjg." + name(t)
	if err := other.EnsureTopic(t.Context(), broker.Topic{Name: to, Partitions: 1, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(15 * time.Second); ; {
		if _, err := c.EndOffsets(t.Context(), to); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("the client still does not see a new topic: %v", err)
		}
	}
}
