package exchange

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/datong-dx/datong/internal/quarantine"
)

// Group is what was refused for one cause.
type Group struct {
	quarantine.Cause

	Delivery string    `json:"delivery,omitempty"` // when the platform refused the records
	Count    int64     `json:"count"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Example  string    `json:"example,omitempty"` // where one of the rows was read
	Zh       string    `json:"zh"`
	En       string    `json:"en"`
}

// causes counts refused rows by their cause.
type causes struct {
	mu sync.Mutex
	m  map[groupKey]*Group
}

// groupKey parts causes that break the same rule in ways that read differently.
type groupKey struct {
	quarantine.Cause

	delivery, text string
}

func newCauses() *causes { return &causes{m: map[groupKey]*Group{}} }

// add counts a refused row, by the first of the rules that it breaks.
func (c *causes) add(it *quarantine.Item) {
	g := Group{Cause: it.Cause(), First: it.RefusedAt, Last: it.RefusedAt, Example: it.Place()}
	if len(it.Violations) > 0 {
		g.Zh, g.En = it.Violations[0].Zh, it.Violations[0].En
	}
	c.count(g)
}

func (c *causes) count(g Group) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := groupKey{g.Cause, g.Delivery, g.En}
	known := c.m[key]
	if known == nil {
		known = &g
		c.m[key] = known
	}
	known.Count++
	if g.First.Before(known.First) {
		known.First = g.First
	}
	if g.Last.After(known.Last) {
		known.Last = g.Last
	}
}

// groups returns the causes, the most frequent first.
func (c *causes) groups() []Group {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]Group, 0, len(c.m))
	for _, g := range c.m {
		list = append(list, *g)
	}
	slices.SortFunc(list, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Department, b.Department), cmp.Compare(a.Pipeline, b.Pipeline),
			cmp.Compare(a.Element, b.Element), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.En, b.En))
	})
	return list
}
