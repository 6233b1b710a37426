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
	d, stop := w.start(w.options())
	w.settle(d)
	moved := w.movesTo(5)
	stale := w.waiting()[itemKey("scjg", moved)]

	grow(t, c, w.name("scjg"), 5)
	w.partitions = 5
	w.eventually(func() bool { return d.Status().Partitions == 5 && d.Status().State == Idle })
	w.publish("scjg", records...)
	w.publish("scjg", "000001", "好", "000002", "", "000011", "好", "000012", "", moved, "好")
	w.settle(d)
	w.want("scjg:000001=好", "scjg:000011=好", "scjg:"+moved+"=好")
	w.wantAccounted(d.Status(), 15, 0)

	stop()
	w.putItem(stale) // as a process may have left it that holds only the old partition
	d, _ = w.start(w.options())
	w.settle(d)
	w.refuse("")
	if r := w.retry(d); r != (Answer{Chosen: 16, Delivered: 15, Refused: 1}) {
		t.Errorf("retry = %+v", r)
	}
	for _, row := range w.store.Rows(entity) {
		if row[1] == moved && row[3] != "好" {
			t.Errorf("%s is %s: an older state was put over a newer one", moved, row[3])
		}
	}
}

// movesTo returns a code, of those of many, whose key goes into another partition when there are more.
func (w *world) movesTo(partitions int) string {
	for i := 3; ; i++ {
		key := fmt.Appendf(nil, "%06d\x1f2024", i)
		if i != 11 && i != 12 && broker.Partition(key, w.partitions) != broker.Partition(key, partitions) {
			return fmt.Sprintf("%06d", i)
		}
	}
}
