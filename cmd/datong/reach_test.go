package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
)

func TestOnlyWhatMayHealItselfIsOutside(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("connection refused"), true},
		{fmt.Errorf("list topics: %w", broker.ErrUnreachable), true},
		{fmt.Errorf("log in: %w", broker.ErrAuthentication), false},
		{fmt.Errorf("open: %w", connectors.ErrStop), false},
		{fmt.Errorf("open: %w", connectors.ErrPosition), false},
	} {
		if got := outside(c.err); got != c.want {
			t.Errorf("%v: got %v, want %v", c.err, got, c.want)
		}
	}
}

func TestAKeyIsUniqueWhenTheSourcesKeyIsAmongItsColumns(t *testing.T) {
	table := &connectors.Table{Unique: true, Key: []int{0, 2}, Columns: []connectors.Column{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	for _, c := range []struct {
		columns []string
		want    bool
	}{{[]string{"a", "c"}, true}, {[]string{"c", "b", "a"}, true}, {[]string{"a"}, false}, {nil, false}} {
		if got := uniqueOn(table, c.columns); got != c.want {
			t.Errorf("%v: got %v, want %v", c.columns, got, c.want)
		}
	}
	table.Unique = false
	if uniqueOn(table, []string{"a", "c"}) {
		t.Error("a key that the source does not guarantee is not unique")
	}
}
