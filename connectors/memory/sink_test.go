package memory

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/connectortest"
)

func TestSinkConformance(t *testing.T) {
	connectortest.RunSink(t, connectortest.SinkHarness{New: func(testing.TB) *connectortest.SinkSystem {
		store := NewStore()
		return &connectortest.SinkSystem{
			Open:   func(context.Context) (connectors.Sink, error) { return NewSink(store), nil },
			Rows:   func(t testing.TB) []connectortest.Row { return storedRows(t, store) },
			Refuse: func(_ testing.TB, id int) { store.Refuse(refusing(id)) },
		}
	}})
}

func refusing(id int) func(*connectors.Row) error {
	return func(row *connectors.Row) error {
		if row.Values[0].Int() == int64(id) {
			return errors.New("refused")
		}
		return nil
	}
}

func storedRows(t testing.TB, store *Store) []connectortest.Row {
	t.Helper()
	var rows []connectortest.Row
	for _, values := range store.Rows("people") {
		id, err := strconv.Atoi(values[0])
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, connectortest.Row{ID: id, Text: values[1]})
	}
	slices.SortFunc(rows, func(a, b connectortest.Row) int { return a.ID - b.ID })
	return rows
}
