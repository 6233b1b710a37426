//go:build services

package delivery

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/datong-dx/datong/broker"
)

// TestChild is what TestKilledAtEveryStep kills: a delivery in a process of its own.
func TestChild(t *testing.T) {
	step, address := os.Getenv("DELIVERY_KILL"), os.Getenv("DELIVERY_URL")
	if address == "" {
		return // only as a child
	}
	debug.SetMemoryLimit(170 << 20) // as the program does: what varies is the garbage
	client, err := broker.Connect(broker.Config{Brokers: []string{need(t, "DATONG_TEST_KAFKA")}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	w := &world{t: t, client: client, prefix: os.Getenv("DELIVERY_PREFIX"), hook: &hook{}, published: map[string]int64{}, partitions: 3}
	at, err := strconv.Atoi(os.Getenv("DELIVERY_AT"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	w.hook.set(func(now string) error {
		if now == step {
			if n++; n == at {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}
		return nil
	})
	opt := w.into(address)
	if step != "" {
		opt.BatchRows = 40 // so that there are many steps
	}
	d, _ := w.start(opt)
	w.settle(d)
	if os.Getenv("DELIVERY_RETRY") != "" {
		w.retry(d)
		tellPeak(t)
	}
}

func TestKilledAtEveryStep(t *testing.T) {
	onServers(t, func(t *testing.T, w *world, p *platform) {
		d, stop := w.start(w.into(p.url)) // makes the table
		w.publish("scjg", "440000", "广东")
		w.settle(d)
		stop()
		p.refuseBad(t)
		names, bad := map[string]string{"440000": "广东"}, map[string]bool{}
		var all []string
		for i := range 3000 {
			code, name := fmt.Sprintf("44%04d", i*7%400+1), fmt.Sprint("名", i)
			switch {
			case i%90 == 13:
				name = "坏"
				bad[code] = true
			case i%17 == 3:
				name = ""
				delete(names, code)
				delete(bad, code)
			default:
				names[code] = name
				delete(bad, code)
			}
			all = append(all, code, name)
		}
		w.publish("scjg", all...)
		kills := 0
		for i, step := range []string{"open", "write", "refused", "committed", "refused", "committed", ""} {
			if !w.child(t, p.url, step, i%4+1) {
				kills++
			}
		}
		if kills < 5 {
			t.Errorf("only %d children were killed", kills)
		}
		// An item may have been left behind by a kill between the commit and its closing: a retry sees to it.
		d, _ = w.start(w.into(p.url))
		w.settle(d)
		w.retry(d)
		var want []string
		for code := range bad {
			want = append(want, itemKey("scjg", code))
			// What the platform has of it is what it had before the batch of the refused record.
			delete(names, code)
			p.exec(t, "DELETE FROM "+entity+" WHERE code = '"+code+"'")
		}
		p.want(t, names)
		sortAndCompare(t, slices.Collect(maps.Keys(w.waiting())), want)
		w.wantAccounted(d.Status(), int64(len(want)), 0)
	})
}

// child runs a delivery that is killed when it has come to a step for the n-th time, and says whether it came to its
// end instead.
func (w *world) child(t *testing.T, address, step string, n int) bool {
	t.Helper()
	c := w.command(t, address, step, n)
	out, err := c.CombinedOutput()
	if err == nil {
		return true
	}
	if status, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended with %v:\n%s", err, out)
	}
	return false
}

func (w *world) command(t *testing.T, address, step string, n int) *exec.Cmd {
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$", "-test.v")
	c.Env = append(os.Environ(), "DELIVERY_URL="+address, "DELIVERY_PREFIX="+w.prefix, "DELIVERY_KILL="+step, "DELIVERY_AT="+strconv.Itoa(n))
	return c
}
