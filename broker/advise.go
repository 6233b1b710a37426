package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/segmentio/kafka-go"

	"github.com/datong-dx/datong/connectors"
)

// advise tells a person why no broker answers, or why it lets nobody in, and what to change; other errors stay as they
// are. It hides codes of the protocol, and the addresses of this machine, which say nothing to who must act.
func (c *Client) advise(err error) error {
	if _, told := errors.AsType[*connectors.Problem](err); told || errors.Is(err, ErrClosed) {
		return err
	}
	for _, ask := range []func(error) (*connectors.Problem, bool){c.refusedLogin, c.refusedCertificate, c.wrongProtocol, c.silence} {
		if p, ok := ask(err); ok {
			p.Where = strings.Join(c.cfg.Brokers, ",")
			return p
		}
	}
	return err
}

// cause is an error that shows only what matters of the one that it stands for.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }

func advice(err error, text, zh, en, tryZh, tryEn string) (*connectors.Problem, bool) {
	return &connectors.Problem{
		What: connectors.Text{Zh: zh, En: en},
		Try:  connectors.Text{Zh: tryZh, En: tryEn},
		Err:  &cause{text, err},
	}, true
}

func (c *Client) refusedLogin(err error) (*connectors.Problem, bool) {
	code, ok := errors.AsType[kafka.Error](err)
	if !ok || c.cfg.SASL == nil {
		return nil, false
	}
	user, mechanism := c.cfg.SASL.Username, c.cfg.SASL.Mechanism
	switch code {
	case kafka.SASLAuthenticationFailed:
		return advice(err, "SASL_AUTHENTICATION_FAILED",
			fmt.Sprintf("Kafka 不接受用户 %s 或其口令（%s）", user, mechanism), fmt.Sprintf("the broker refuses the user %s or its password (%s)", user, mechanism),
			"检查 security.sasl 的 username 和 password；SCRAM 的口令按机制分别保存，也检查 mechanism",
			"check username and password under security.sasl; SCRAM keeps a password for each mechanism, so check mechanism too")
	case kafka.UnsupportedSASLMechanism:
		return advice(err, "UNSUPPORTED_SASL_MECHANISM",
			fmt.Sprintf("Kafka 未启用登录机制 %s", mechanism), fmt.Sprintf("the broker does not offer the mechanism %s", mechanism),
			"把 security.sasl.mechanism 改为 Kafka 启用的一种：SCRAM-SHA-512、SCRAM-SHA-256 或 PLAIN",
			"set security.sasl.mechanism to one that it offers: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN")
	case kafka.IllegalSASLState:
		return advice(err, "ILLEGAL_SASL_STATE",
			"这个端口不接受登录", "this port takes no login",
			"改用 Kafka 的 SASL 端口，或去掉 security.sasl", "use the broker's port for SASL, or leave out security.sasl")
	}
	return nil, false
}

func (c *Client) refusedCertificate(err error) (*connectors.Problem, bool) {
	if host, ok := errors.AsType[x509.HostnameError](err); ok {
		return advice(err, host.Error(),
			"Kafka 的证书不是签给这个名称的", "the broker's certificate is made out to another name",
			"在 brokers 中使用证书上的名称，或设置 security.tls.server_name", "use the certificate's name under brokers, or set security.tls.server_name")
	}
	if ca, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return advice(err, ca.Error(),
			"Kafka 的证书由不受信任的机构签发", "the broker's certificate was signed by an authority that is not trusted here",
			"用 security.tls.ca 指明签发机构的证书（PEM）", "name the authority's certificate (PEM) under security.tls.ca")
	}
	if verify, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return advice(err, verify.Err.Error(),
			"Kafka 的证书无效", "the broker's certificate is not valid",
			"检查证书的有效期和本机时间", "check the certificate's dates and this machine's clock")
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return advice(err, op.Err.Error(),
			"Kafka 在加密握手时拒绝了本程序", "the broker refuses this client while encryption is set up",
			"若 Kafka 要求客户端证书，设置 security.tls 的 cert 和 key", "when it asks for a client certificate, set cert and key under security.tls")
	}
	return nil, false
}

func (c *Client) wrongProtocol(err error) (*connectors.Problem, bool) {
	_, header := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case errors.Is(err, errWantsTLS):
		return advice(err, "it answers with an alert of TLS",
			"这个端口要求加密连接", "this port wants an encrypted connection",
			"设置 security.tls，例如 tls: {ca: certs/ca.pem}", "set security.tls, such as tls: {ca: certs/ca.pem}")
	case header:
		return advice(err, "it does not answer with TLS",
			"这个端口不是加密的", "this port is not encrypted",
			"改用 Kafka 的 TLS 端口，或去掉 security.tls", "use the broker's port for TLS, or leave out security.tls")
	case errors.Is(err, ErrNotKafka):
		return advice(err, errNoKafkaText(err),
			"这个地址上的不是 Kafka", "what answers there is not Kafka",
			"检查 brokers 的主机和端口；Kafka 的端口通常是 9092 或 9093", "check host and port under brokers; Kafka's port is usually 9092 or 9093")
	}
	return nil, false
}

func errNoKafkaText(err error) string {
	if began, ok := errors.AsType[*strangerError](err); ok {
		return began.Error()
	}
	return ErrNotKafka.Error()
}

func (c *Client) silence(err error) (*connectors.Problem, bool) {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return advice(err, "lookup "+dns.Name+": "+dns.Err,
			"无法连接 Kafka：查不到主机名", "Kafka cannot be reached: the host name cannot be found",
			"检查 brokers 中的主机名和本机的 DNS", "check the host names under brokers, and this machine's DNS")
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return advice(err, innermost(err),
			"无法连接 Kafka：这个地址上没有程序在监听", "Kafka cannot be reached: nothing listens at this address",
			"检查 brokers 的主机和端口、Kafka 是否在运行，以及防火墙", "check host and port under brokers, that Kafka runs, and the firewall")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		zh, en := c.closedAdvice()
		return advice(err, "connection closed", "无法连接 Kafka：对方不应答就断开了连接", "Kafka cannot be reached: it ends the connection without an answer", zh, en)
	case errors.Is(err, context.DeadlineExceeded), timedOut(err):
		return advice(err, "timeout",
			"无法连接 Kafka：没有及时应答", "Kafka cannot be reached: no answer in time",
			"检查主机、端口和防火墙；Kafka 的 advertised.listeners 也须从本机可达",
			"check host, port and firewall; what the broker calls advertised.listeners must be reachable from here too")
	}
	return nil, false
}

// closedAdvice goes by what is configured: a broker does not say why it ends a connection that it does not understand.
func (c *Client) closedAdvice() (zh, en string) {
	switch {
	case c.cfg.SASL == nil && c.cfg.TLS == nil:
		return "这个端口可能要求登录或加密：设置 security.sasl 或 security.tls", "the port may want a login or encryption: set security.sasl or security.tls"
	case c.cfg.SASL == nil:
		return "这个端口可能不是加密的，或要求登录：检查端口，或设置 security.sasl", "the port may not be encrypted, or want a login: check the port, or set security.sasl"
	case c.cfg.TLS == nil:
		return "这个端口可能要求加密：设置 security.tls", "the port may want encryption: set security.tls"
	}
	return "这个端口可能不是加密的：检查 brokers 的端口", "the port may not be encrypted: check the port under brokers"
}

// innermost is the network's own words, without the layers above.
func innermost(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Error()
	}
	return err.Error()
}

func timedOut(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}
