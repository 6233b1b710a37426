package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/datong-dx/datong/connectors"
)

// Errors that callers decide by.
var (
	// ErrFenced says that a newer instance of the same task lives. It is final: the task stops and never takes itself back.
	ErrFenced = errors.New("fenced by a newer instance of the same task")
	// ErrTransactionLost says that the transaction is not known to be committed. The caller calls [Producer.Recover],
	// reads its position again and goes on from there. It may have been committed after all: the position tells.
	ErrTransactionLost = errors.New("transaction lost")
	// ErrUnreachable says that no broker answered in time.
	ErrUnreachable = errors.New("broker unreachable")
	// ErrNoTopic says that a topic or partition does not exist or that the principal may not see it (no Describe right):
	// Kafka answers both alike.
	ErrNoTopic = errors.New("no such topic, or not visible")
	// ErrAuthentication says that the broker and the client do not accept each other: credentials, mechanism, certificate.
	ErrAuthentication = errors.New("broker refused the login")
	// ErrNotKafka says that something else than Kafka answers at the address.
	ErrNotKafka = errors.New("not Kafka")
	// ErrAuthorization says that the principal lacks a right; the [connectors.Problem] around it names which.
	ErrAuthorization = errors.New("not authorized")
	// ErrCorrupt says that what a broker holds cannot be decoded; the error around it names topic, partition and offset.
	ErrCorrupt = errors.New("corrupt record batch")
	// ErrTopicDiffers says that an existing topic has not the settings it must have.
	ErrTopicDiffers error = connectors.Mark("topic has other settings")
	// ErrClosed says that the client or reader was closed.
	ErrClosed = errors.New("closed")
)

// errMissing marks an answer that did not come: the broker may have acted on the request or may still do so.
var errMissing = errors.New("answer missing")

// retriableCodes are the answers of a broker that did not act, or whose repetition it recognises by sequence number or
// transaction state, so that the same request may be sent again.
var retriableCodes = map[kafka.Error]bool{
	kafka.UnknownTopicOrPartition:      true, // 3: a new topic that has not reached this broker
	kafka.LeaderNotAvailable:           true, // 5
	kafka.NotLeaderForPartition:        true, // 6
	kafka.RequestTimedOut:              true, // 7: appended but not yet replicated
	kafka.BrokerNotAvailable:           true, // 8
	kafka.ReplicaNotAvailable:          true, // 9
	kafka.NetworkException:             true, // 13
	kafka.GroupLoadInProgress:          true, // 14
	kafka.GroupCoordinatorNotAvailable: true, // 15
	kafka.NotCoordinatorForGroup:       true, // 16
	kafka.NotEnoughReplicas:            true, // 19: also a failed check of the partition with the coordinator
	kafka.NotEnoughReplicasAfterAppend: true, // 20
	kafka.NotController:                true, // 41
	kafka.ConcurrentTransactions:       true, // 51: the markers of the previous transaction are still being written
	kafka.KafkaStorageError:            true, // 56
	kafka.FencedLeaderEpoch:            true, // 74
	kafka.UnknownLeaderEpoch:           true, // 75
	kafka.OffsetNotAvailable:           true, // 78
	89:                                 true, // THROTTLING_QUOTA_EXCEEDED
}

// retriable tells whether trying the same call again can help.
func retriable(err error) bool {
	var code kafka.Error
	switch {
	case errors.As(err, &code):
		return retriableCodes[code]
	case errors.Is(err, ErrClosed), errors.Is(err, ErrAuthentication), errors.Is(err, ErrNotKafka), errors.Is(err, errTooOld):
		return false
	case errors.Is(err, errMissing), unrouted(err):
		return true
	}
	return false
}

// unrouted tells whether a request was never sent, because the client does not know yet where to.
func unrouted(err error) bool {
	return errors.Is(err, protocol.ErrNoTopic) || errors.Is(err, protocol.ErrNoPartition) || errors.Is(err, protocol.ErrNoLeader)
}

// classify gives an error of the transport its meaning: an answer with a code and a request that was never sent stay as
// they are, a refused login becomes [ErrAuthentication], everything else is an answer that is missing.
func classify(err error) error {
	var code kafka.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &code):
		if code == kafka.SASLAuthenticationFailed || code == kafka.UnsupportedSASLMechanism || code == kafka.IllegalSASLState {
			return fmt.Errorf("%w: %w", ErrAuthentication, err)
		}
		return err
	case errors.Is(err, ErrClosed), errors.Is(err, ErrAuthentication), errors.Is(err, ErrNotKafka), errors.Is(err, errTooOld), errors.Is(err, errMissing), unrouted(err):
		return err
	case untrusted(err):
		return fmt.Errorf("%w: %w", ErrAuthentication, err)
	}
	return fmt.Errorf("%w: %w", errMissing, err)
}

// untrusted tells whether TLS ended a connection for a reason that stays until someone changes a certificate or address.
func untrusted(err error) bool {
	var (
		verify *tls.CertificateVerificationError
		ca     x509.UnknownAuthorityError
		host   x509.HostnameError
		header tls.RecordHeaderError
		op     *net.OpError
	)
	return errors.As(err, &verify) || errors.As(err, &ca) || errors.As(err, &host) || errors.As(err, &header) ||
		errors.As(err, &op) && op.Op == "remote error" // an alert of the other side, whose type package tls keeps to itself
}

// resource is what a right is about, for messages.
type resource struct {
	kind string // "topic", "transactional id", "group"
	name string
	op   string // the ACL operation that is needed
}

var resourceZh = map[string]string{"topic": "主题", "transactional id": "事务标识", "group": "消费组", "cluster": "集群"}

// explain turns a broker's final answer about a resource into an error for a person; other errors stay as they are.
func (c *Client) explain(err error, r resource) error {
	var code kafka.Error
	if !errors.As(err, &code) {
		return err
	}
	switch code {
	case kafka.TopicAuthorizationFailed, kafka.GroupAuthorizationFailed, kafka.ClusterAuthorizationFailed, kafka.TransactionalIDAuthorizationFailed:
		return c.denied(r, code.Title(), err)
	}
	return err
}

// denied names the right that the client's principal lacks and how to grant it.
func (c *Client) denied(r resource, text string, err error) error {
	flag := map[string]string{"topic": "--topic", "transactional id": "--transactional-id", "group": "--group", "cluster": "--cluster"}[r.kind]
	who := c.principal()
	grant := fmt.Sprintf("kafka-acls.sh --add --allow-principal User:%s --operation %s %s %s", who, r.op, flag, r.name)
	return &connectors.Problem{
		Where: r.kind + " " + r.name,
		What: connectors.Text{
			Zh: fmt.Sprintf("用户 %s 对%s %s 没有 %s 权限", who, resourceZh[r.kind], r.name, r.op),
			En: fmt.Sprintf("principal %s lacks the right %s", who, r.op),
		},
		Try: connectors.Text{Zh: grant, En: grant},
		Err: &cause{text, fmt.Errorf("%w: %w", ErrAuthorization, err)},
	}
}
