package config

import (
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/internal/nearest"
)

var (
	// A Kafka topic's name takes these characters; the length leaves room for department and entity within 249.
	prefixName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$`)
	siteName   = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
)

// readSite reads datong.yaml.
func (l *loader) readSite(path string) {
	x := l.exchange
	d, root := readDocument(path, l.dir, &l.problems)
	if root == nil {
		return
	}
	d.substitute(root)
	o := d.object(root, "datong.yaml")
	l.brokers(o)
	if n := o.string("prefix", &x.Prefix); n != nil && !prefixName.MatchString(x.Prefix) {
		o.badName(n, "prefix", text("字母、数字、点、横线和下划线，至多 64 个", "letters, digits, dots, hyphens and underscores, at most 64"))
	}
	if n := o.string("site", &x.Site); n != nil && !siteName.MatchString(x.Site) {
		o.badName(n, "site", text("小写字母、数字和横线，至多 64 个", "lower-case letters, digits and hyphens, at most 64"))
	}
	if n := o.string("http", &x.HTTP); n != nil {
		o.address(n, "http")
	}
	l.security(o)
	if t := o.section("topics"); t != nil {
		t.topics(&x.Topics)
	}
	o.duration("transaction_timeout", &x.TransactionTimeout, time.Second, 15*time.Minute)
	o.done()
}

func (o *object) topics(t *Topics) {
	o.integer("partitions", &t.Partitions, 1, 10_000)
	o.integer("replication", &t.Replication, 1, 1000)
	o.choice("compression", &t.Compression, broker.Compressions...)
	o.duration("delete_retention", &t.DeleteRetention, time.Hour, 10*365*24*time.Hour)
	o.duration("min_compaction_lag", &t.MinCompactionLag, 0, 10*365*24*time.Hour)
	o.size("max_message_bytes", &t.MaxMessageBytes, 1<<20, 64<<20) // parts of quarantine items fit into 1 MiB
	o.done()
}

// section reads a key that holds a mapping, nil when it is missing or was reported.
func (o *object) section(key string) *object {
	n := o.take(key)
	if n == nil {
		return nil
	}
	return o.object(n, key)
}

// brokers reads the list of brokers, or `embedded`. One text may hold several, parted by commas, because that is how an
// environment variable holds them.
func (l *loader) brokers(o *object) {
	var list []string
	nodes := o.list("brokers", &list)
	switch n := o.values["brokers"]; {
	case n == nil:
		o.report(o.node, text("缺少必填项 brokers", "brokers is missing"),
			text("写 brokers: [主机:9092]，试用时写 brokers: embedded", "brokers: [host:9092], or brokers: embedded to try things out"))
	case n.Kind == yaml.SequenceNode && len(n.Content) == 0:
		o.report(n, text("brokers 是空的", "brokers is empty"), text("写 [主机:9092]", "write [host:9092]"))
	case slices.Equal(list, []string{"embedded"}):
		l.exchange.Embedded = true
		return
	}
	for i, n := range nodes {
		for _, addr := range splitList(list[i]) {
			if !o.broker(n, addr) {
				break // said once for each text
			}
			l.exchange.Broker.Brokers = append(l.exchange.Broker.Brokers, addr)
		}
	}
}

// broker reports an address that is not host:port.
func (o *object) broker(n *yaml.Node, addr string) bool {
	if validAddress(addr) {
		return true
	}
	try := text("写成 主机:端口，如 10.1.2.3:9092", "write host:port, such as 10.1.2.3:9092")
	if nearest.Name(addr, []string{"embedded"}) != "" {
		try = text("改为 embedded", "did you mean embedded")
	}
	o.report(n, text("broker 地址 %s 不是“主机:端口”", "the broker %s is not host:port", strconv.Quote(o.shown(n))), try)
	return false
}

// address reports a listening address that is not host:port.
func (o *object) address(n *yaml.Node, key string) {
	if !validAddress(n.Value) && !(strings.HasPrefix(n.Value, ":") && validAddress("x"+n.Value)) {
		o.report(n, text("%s 应为“主机:端口”，实为 %s", "%s must be host:port, found %s", key, strconv.Quote(o.shown(n))),
			text("如 127.0.0.1:8470", "for example 127.0.0.1:8470"))
	}
}

func validAddress(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" || strings.ContainsAny(host, "/@ ") {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}
