package broker

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/datong-dx/datong/connectors"
)

// TLS names the files of an encrypted connection. The zero value trusts the system's authorities.
type TLS struct {
	CA         string // PEM file of the authorities to trust instead of the system's
	Cert, Key  string // PEM files by which this client shows itself; both or none
	ServerName string // name that the brokers' certificates must carry, when it is not the address
}

// SASL is a login. It never prints its password.
type SASL struct {
	Mechanism          string // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	Username, Password string
}

// String returns the login without its password.
func (s SASL) String() string { return s.Mechanism + " " + s.Username }

// GoString is String, so that %#v shows no password either.
func (s SASL) GoString() string { return s.String() }

func (t *TLS) config() (*tls.Config, error) {
	if t == nil {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read the TLS authorities: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, &connectors.Problem{Where: t.CA, What: connectors.Text{Zh: "文件中没有 PEM 证书", En: "holds no PEM certificate"},
				Try: connectors.Text{Zh: "openssl x509 -inform der -in 证书 -out ca.pem", En: "openssl x509 -inform der -in CERT -out ca.pem"}}
		}
	}
	if (t.Cert == "") != (t.Key == "") {
		return nil, &connectors.Problem{What: connectors.Text{Zh: "tls 的 cert 与 key 必须同时给出", En: "tls needs cert and key together"},
			Try: connectors.Text{Zh: "补上缺少的一个，或两个都去掉", En: "add the one that is missing, or leave out both"}}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("read the TLS certificate and key: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

func (s *SASL) mechanism() (sasl.Mechanism, error) {
	if s == nil {
		return nil, nil
	}
	if s.Username == "" || s.Password == "" {
		return nil, &connectors.Problem{What: connectors.Text{Zh: "sasl 缺少 username 或 password", En: "sasl lacks its username or password"},
			Try: connectors.Text{Zh: "password: ${env:KAFKA_PASSWORD}，并检查该环境变量", En: "password: ${env:KAFKA_PASSWORD}, and see that the variable is set"}}
	}
	var algorithm scram.Algorithm
	switch strings.ToUpper(s.Mechanism) {
	case "PLAIN":
		return plain.Mechanism{Username: s.Username, Password: s.Password}, nil
	case "SCRAM-SHA-256":
		algorithm = scram.SHA256
	case "SCRAM-SHA-512":
		algorithm = scram.SHA512
	default:
		return nil, &connectors.Problem{
			What: connectors.Text{Zh: fmt.Sprintf("不支持的 sasl 机制 %q", s.Mechanism), En: fmt.Sprintf("unknown sasl mechanism %q", s.Mechanism)},
			Try:  connectors.Text{Zh: "PLAIN、SCRAM-SHA-256 或 SCRAM-SHA-512", En: "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"}}
	}
	m, err := scram.Mechanism(algorithm, s.Username, s.Password)
	if err != nil {
		return nil, fmt.Errorf("prepare the sasl login of %s: %w", s.Username, err)
	}
	return m, nil
}
