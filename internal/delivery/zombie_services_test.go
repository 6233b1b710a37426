//go:build services

package delivery

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
	"github.com/datong-dx/datong/connectors"
)

// Whoever has put something into the quarantine last keeps out whoever had the partition before. The embedded broker does
// not: it lets a fenced producer begin anew.
func TestAZombiePutsNothingIntoTheQuarantine(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, brokertest.Connect(t, broker.Config{Brokers: []string{need(t, "DATONG_TEST_KAFKA")}}))
	d, err := New(w.options())
	if err != nil {
		t.Fatal(err)
	}
	record := func(a *attempt, offset int64) *entry {
		return &entry{part: a.parts[0], offset: offset, key: []byte("1\x1f2024"), source: &source{}}
	}
	put := func(a *attempt, offset int64) error {
		return a.shelf.put(t.Context(), []refused{{record(a, offset), errors.New("no reason")}})
	}
	_, err = d.attempt(t.Context(), w.everything(), func(zombie *attempt, _, _ context.Context) error {
		if err := put(zombie, 7); err != nil {
			return err
		}
		_, err := d.attempt(t.Context(), w.everything(), func(successor *attempt, _, _ context.Context) error {
			return successor.shelf.close(t.Context(), []*entry{record(successor, 7)})
		})
		if err != nil {
			return err
		}
		return put(zombie, 8)
	})
	if !errors.Is(err, connectors.ErrFenced) {
		t.Errorf("putting an item after a successor has closed one = %v, want ErrFenced", err)
	}
	w.wantWaiting()
}

func TestASilentZombieIsFencedByTheDatabase(t *testing.T) {
	onServers(t, func(t *testing.T, w *world, p *platform) {
		woken, stopped := make(chan struct{}), make(chan struct{})
		zombieHook := &hook{}
		var committed atomic.Int32
		sleep := once("write", func() error { close(stopped); <-woken; return nil })
		zombieHook.set(func(step string) error {
			if step == "committed" {
				committed.Add(1)
			}
			return sleep(step)
		})
		w.publish("scjg", "440100", "旧")
		successorHook := w.hook
		w.hook = zombieHook
		zombie, _ := w.start(w.into(p.url))
		<-stopped
		// The zombie's heart still beats; a successor in a group of another name stands for one after a rebalance.
		w.hook = successorHook
		opt := w.into(p.url)
		opt.Name = "successor"
		successor, _ := w.start(opt)
		w.publish("scjg", "440100", "新")
		w.settle(successor)
		close(woken)
		w.settle(zombie)
		sortAndCompare(t, p.rows(t), []string{"scjg:440100=新"})
		if n := committed.Load(); n != 0 {
			t.Errorf("the zombie committed %d times", n)
		}
		if n := zombie.Status().Delivered; n != 2 {
			t.Errorf("delivered = %d, want the successor's 2: the counts are the sink's", n)
		}
	})
}
