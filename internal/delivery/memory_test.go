//go:build services

package delivery

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
)

// TestMemoryIsBounded delivers 300,000 records beside a quarantine of 200,000, all of which is then retried, in a process
// of its own. The race detector takes several times as much memory and time.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	const limit = 200 << 10 // KiB
	records, items := 300_000, 200_000
	if raceEnabled {
		records, items = 10_000, 5_000
	}
	w := newWorldOn(t, brokertest.Connect(t, broker.Config{Brokers: []string{need(t, "DATONG_TEST_KAFKA")}}))
	p := newPlatform(t, "DATONG_TEST_POSTGRES")
	name := strings.Repeat("名", 90)
	for i := 0; i < records; i += 10_000 {
		list, _ := many(10_000, name)
		for k := 0; k < len(list); k += 2 {
			list[k] = fmt.Sprintf("%06d", i+k/2)
		}
		w.publish("scjg", list...)
	}
	for i := 0; i < items; i += 5_000 {
		w.fillQuarantine(i, i+5_000)
	}
	c := w.command(t, p.url, "", 1)
	c.Env = append(c.Env, "DELIVERY_RETRY=yes")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	peak := peakOf(t, string(out))
	t.Logf("peak memory %d MiB", peak>>10)
	if peak > limit && !raceEnabled {
		t.Errorf("peak memory %d MiB, want at most %d", peak>>10, limit>>10)
	}
	if n := len(p.rows(t)); n != records {
		t.Errorf("%d rows, want %d", n, records)
	}
	w.wantWaiting()
}

// tellPeak prints how much memory this process has had at most. What the system tells a parent of its child counts the
// parent's own memory in, which the child has for the moment before it becomes another program.
func tellPeak(t *testing.T) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, peakLine) {
			fmt.Print(line)
		}
	}
}

const peakLine = "VmHWM:"

// peakOf reads what tellPeak printed, in KiB.
func peakOf(t *testing.T, out string) (peak int) {
	t.Helper()
	_, line, found := strings.Cut(out, peakLine)
	if _, err := fmt.Sscanf(line, "%d kB", &peak); err != nil || !found {
		t.Fatalf("the child did not tell its peak: %v", err)
	}
	return peak
}

// fillQuarantine puts items of which the topic has nothing left.
func (w *world) fillQuarantine(from, to int) {
	w.t.Helper()
	var list []*Item
	for i := from; i < to; i++ {
		record := []byte(`{"name":"` + rand.Text() + rand.Text() + strings.Repeat("名", 40) + rand.Text() + rand.Text() + `"}`)
		key := fmt.Sprintf("gone%06d", i)
		list = append(list, &Item{
			Delivery: "platform", Entity: entity, Department: "scjg", Key: key + "\x1f2024", Topic: w.name("scjg"), Record: record,
			Partition: broker.Partition([]byte(key+"\x1f2024"), w.partitions), Source: "/scjg/pipe/set", Reason: "no reason", Time: time.Now(),
		})
	}
	w.putItem(list...)
}
