package delivery

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
)

// admin is a client that may do to a broker what the program never does.
func admin(t *testing.T, address string) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// forget deletes a partition's records up to its end, as retention does.
func forget(t *testing.T, c *kgo.Client, topic string, partition int32) {
	t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 10_000
	req.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: topic, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Partition: partition, Offset: -1}}}}
	res, err := req.RequestWith(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if code := res.Topics[0].Partitions[0].ErrorCode; code != 0 {
		t.Fatalf("deleting records of %s was answered with %d", topic, code)
	}
}

// grow gives a topic more partitions.
func grow(t *testing.T, c *kgo.Client, topic string, partitions int) {
	t.Helper()
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = 10_000
	req.Topics = []kmsg.CreatePartitionsRequestTopic{{Topic: topic, Count: int32(partitions)}}
	res, err := req.RequestWith(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if code := res.Topics[0].ErrorCode; code != 0 {
		t.Fatalf("giving %s more partitions was answered with %d", topic, code)
	}
}

func newWorldWithAdmin(t *testing.T) (*world, *kgo.Client) {
	client, server := brokertest.StartWith(t, broker.Config{})
	return newWorldOn(t, client), admin(t, server.Addr())
}

// Records that retention has deleted before they were delivered are lost: that is said, not passed over.
func TestStopsAtAGapThatRetentionLeft(t *testing.T) {
	w, c := newWorldWithAdmin(t)
	w.partitions = 1
	w.topicWith("sp", 1, "delete")
	w.publish("sp", "1", "好")
	d, stop := w.start(w.options())
	w.settle(d)
	stop()
	w.publish("sp", "2", "好", "3", "好")
	forget(t, c, w.name("sp"), 0)
	w.publish("sp", "4", "好")
	d, _ = w.start(w.options())
	w.eventually(func() bool { return d.Status().State == Halted })
	s := d.Status()
	for _, text := range []string{s.Error, s.ErrorZh} {
		if !strings.Contains(text, "datong delivery rebuild") || !strings.Contains(text, w.name("sp")+"/0") || !strings.Contains(text, "cleanup.policy") {
			t.Errorf("error = %q, want the place and the cure", text)
		}
	}
	w.want("sp:1=好")
	if read, err := ReadStatus(t.Context(), w.options()); err != nil || read.Error != s.Error {
		t.Errorf("status without a process = %q, %v, want %q", read.Error, err, s.Error)
	}
	if err := d.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.eventually(func() bool { return d.Status().State == Idle })
	w.want("sp:4=好")
}

// The gap comes while the delivery runs, and cannot write.
func TestStopsAtAGapThatComesWhileItRuns(t *testing.T) {
	w, c := newWorldWithAdmin(t)
	w.partitions = 1
	w.topicWith("sp", 1, "delete")
	d, _ := w.start(w.options())
	w.publish("sp", "1", "好")
	w.settle(d)
	reached, goOn := make(chan struct{}), make(chan struct{})
	w.hook.set(once("write", func() error { close(reached); <-goOn; return fmt.Errorf("connection reset") }))
	w.publish("sp", "2", "好")
	<-reached
	forget(t, c, w.name("sp"), 0)
	close(goOn)
	w.eventually(func() bool { return d.Status().State == Halted })
	if s := d.Status(); !strings.Contains(s.Error, "retention") {
		t.Errorf("error = %q", s.Error)
	}
}

// In a compacted topic a newer record stands behind every gap.
func TestGoesOnBehindAGapThatCompactionLeft(t *testing.T) {
	w, c := newWorldWithAdmin(t)
	w.partitions = 1
	w.topicWith("sp", 1, "compact")
	w.publish("sp", "1", "好")
	d, stop := w.start(w.options())
	w.settle(d)
	stop()
	w.publish("sp", "1", "较好")
	forget(t, c, w.name("sp"), 0)
	w.publish("sp", "1", "更好")
	d, _ = w.start(w.options())
	w.settle(d)
	w.want("sp:1=更好")
}

// When a topic has grown, most keys go into another partition. What waits of them in the old one is overtaken by what
// comes in the new one, and never put over it.
func TestATopicThatHasGrown(t *testing.T) {
	w, c := newWorldWithAdmin(t)
	w.refuse("坏")
	records, _ := many(20, "坏")
	w.publish("scjg", records...)
	d, _ := w.start(w.options())
	w.settle(d)
	grow(t, c, w.name("scjg"), 5)
	w.partitions = 5
	w.eventually(func() bool { return d.Status().Partitions == 5 && d.Status().State == Idle })
	w.publish("scjg", records[:20]...)
	w.publish("scjg", "000001", "好", "000002", "", "000011", "好", "000012", "")
	w.settle(d)
	w.want("scjg:000001=好", "scjg:000011=好")
	w.wantAccounted(d.Status(), 16, 0)
	w.refuse("")
	r := w.retry(d)
	if r.Chosen != 16 || r.Delivered < 8 || r.Delivered+r.Refused != 16 {
		t.Errorf("retry = %+v, want what is of the grown topic, at least", r)
	}
	w.wantAccounted(d.Status(), r.Refused, 0)
}
