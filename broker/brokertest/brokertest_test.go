package brokertest_test

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFaultsHitTheRequestTheyAreFor(t *testing.T) {
	faults := brokertest.NewFaults()
	c, _ := brokertest.StartWith(t, broker.Config{Dial: faults.Dial, Timeout: time.Second})
	if err := c.EnsureTopic(t.Context(), broker.Topic{Name: "t", Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	second := faults.LoseAnswer(brokertest.ListOffsets, 2)
	for range 2 {
		select {
		case <-second.Hit():
			t.Error("the first request was hit")
		default:
		}
		if _, err := c.EndOffsets(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
	}
	<-second.Hit()
	if got := faults.Seen(brokertest.ListOffsets); got != 3 {
		t.Errorf("%d requests, want 3: one was repeated", got)
	}
	unblock := faults.Block(brokertest.ListOffsets)
	if _, err := c.EndOffsets(t.Context(), "t"); !errors.Is(err, broker.ErrUnreachable) {
		t.Errorf("blocked: %v", err)
	}
	unblock()
	if _, err := c.EndOffsets(t.Context(), "t"); err != nil {
		t.Errorf("unblocked: %v", err)
	}
}

func TestRefusalsAreCountedAndEnd(t *testing.T) {
	c, b := brokertest.StartWith(t, broker.Config{})
	p := c.NewProducer("id", broker.ProducerOptions{})
	hits := brokertest.Refuse(b, brokertest.InitProducerID, 51, 2)
	if err := p.Start(t.Context()); err != nil || hits() != 2 {
		t.Errorf("%d hits, %v", hits(), err)
	}
	defer func() {
		if recover() == nil {
			t.Error("an unknown code was taken")
		}
	}()
	brokertest.Refuse(b, brokertest.InitProducerID, 9999, 1)
}
