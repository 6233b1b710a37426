package config

import (
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/broker"
)

// security reads how the brokers are spoken to.
func (l *loader) security(o *object) {
	s := o.section("security")
	if s == nil {
		return
	}
	before := len(l.problems.list)
	if t := s.section("tls"); t != nil {
		l.exchange.Broker.TLS = l.tls(t)
		t.done()
	}
	if a := s.section("sasl"); a != nil {
		l.exchange.Broker.SASL = sasl(a)
		a.done()
	}
	s.done()
	if len(l.problems.list) == before {
		l.tryCertificates(s)
	}
}

// tls reads the names of certificate files, which are relative to the exchange directory.
func (l *loader) tls(o *object) *broker.TLS {
	var t broker.TLS
	l.certificate(o, "ca", &t.CA)
	l.certificate(o, "cert", &t.Cert)
	l.certificate(o, "key", &t.Key)
	o.string("server_name", &t.ServerName)
	if o.has("cert") != o.has("key") {
		o.report(o.node, text("tls 的 cert 与 key 必须同时给出", "tls needs cert and key together"),
			text("补上缺少的一个，或两个都去掉", "add the one that is missing, or leave out both"))
	}
	return &t
}

func (l *loader) certificate(o *object, key string, dst *string) {
	n := o.string(key, dst)
	if n == nil {
		return
	}
	if !filepath.IsAbs(*dst) {
		*dst = filepath.Join(l.dir, *dst)
	}
	if info, err := os.Stat(*dst); err != nil {
		o.report(n, text("无法读取 tls.%s 所指的文件 %s：%v", "cannot read the file of tls.%s, %s: %v", key, *dst, cause(err)),
			text("路径相对于交换目录", "the path is relative to the exchange directory"))
	} else if !info.Mode().IsRegular() {
		o.report(n, text("tls.%s 所指的 %s 不是普通文件", "tls.%s names %s, which is no ordinary file", key, *dst), text("写出 PEM 文件", "name the PEM file"))
	}
}

// sasl reads a login.
func sasl(o *object) *broker.SASL {
	var s broker.SASL
	o.choice("mechanism", &s.Mechanism, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
	o.string("username", &s.Username)
	o.string("password", &s.Password)
	for _, key := range []string{"mechanism", "username", "password"} {
		switch n := o.values[key]; {
		case n == nil:
			o.report(o.node, text("sasl 缺少 %s", "sasl lacks %s", key),
				text("写 sasl: {mechanism: SCRAM-SHA-512, username: …, password: ${env:KAFKA_PASSWORD}}", "sasl: {mechanism: SCRAM-SHA-512, username: …, password: ${env:KAFKA_PASSWORD}}"))
		case n.Kind == yaml.ScalarNode && n.Value == "" && !o.broken[n] && key != "mechanism":
			o.report(n, text("sasl 的 %s 是空的", "sasl has an empty %s", key),
				text("检查 ${env:…} 所指的环境变量", "see that the variable of ${env:…} holds something"))
		}
	}
	return &s
}

// tryCertificates lets the broker package read what the files hold, which needs no network.
func (l *loader) tryCertificates(s *object) {
	cfg := l.exchange.Broker
	cfg.Brokers = []string{"localhost:9092"} // not reached; the real list may still be in error
	c, err := broker.Connect(cfg)
	if err == nil {
		c.Close()
		return
	}
	for _, p := range Problems(err) {
		p.Where = s.place(p.Where)
		l.problems.join(p)
	}
}
