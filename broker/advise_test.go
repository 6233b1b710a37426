package broker_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
	"github.com/datong-dx/datong/connectors"
)

// answering listens and begins every connection with the given bytes, or ends it when there are none.
func answering(t *testing.T, bytes string) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte(bytes))
			c.Close()
		}
	}()
	return l.Addr().String()
}

func TestWhatIsNotTheBrokerItShouldBeIsNamed(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	gone := answering(t, "")
	for name, c := range map[string]struct {
		cfg  broker.Config
		kind error
		want string
	}{
		"nobody":     {broker.Config{Brokers: []string{"127.0.0.1:1"}}, broker.ErrUnreachable, "nothing listens at this address: dial tcp 127.0.0.1:1: connect: connection refused"},
		"no host":    {broker.Config{Brokers: []string{"kafka.invalid:9092"}}, broker.ErrUnreachable, "the host name cannot be found: lookup kafka.invalid"},
		"closes":     {broker.Config{Brokers: []string{gone}}, broker.ErrUnreachable, "it ends the connection without an answer"},
		"PostgreSQL": {broker.Config{Brokers: []string{answering(t, "E\x00\x00\x00\x84SFATAL")}}, broker.ErrNotKafka, `what answers there is not Kafka: it begins with "E\x00\x00\x00\x84SFATAL"`},
		"MySQL":      {broker.Config{Brokers: []string{answering(t, "h\x00\x00\x00\n5.5.5-10")}}, broker.ErrNotKafka, "what answers there is not Kafka"},
		"TLS":        {broker.Config{Brokers: []string{answering(t, "\x15\x03\x03\x00\x02\x02\x28")}}, broker.ErrAuthentication, "this port wants an encrypted connection"},
		"web, TLS":   {broker.Config{Brokers: []string{web.Listener.Addr().String()}, TLS: &broker.TLS{}}, broker.ErrAuthentication, "this port is not encrypted"},
	} {
		t.Run(name, func(t *testing.T) {
			c.cfg.Timeout = time.Second
			began := time.Now()
			_, err := brokertest.Connect(t, c.cfg).Topics(t.Context())
			p, ok := errors.AsType[*connectors.Problem](err)
			if !ok || !errors.Is(err, c.kind) {
				t.Fatalf("got %v, want a problem that is %v", err, c.kind)
			}
			if p.Where != c.cfg.Brokers[0] || !strings.Contains(err.Error(), c.want) || p.Try.Zh == "" || p.Try.En == "" || p.What.Zh == "" {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
