//go:build services

package realdata

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/internal/quarantine"
)

// published returns the records that a topic holds now, by key, each as the values of the columns with | between them.
func (x *exchange) published(department, entity string, columns []string) map[string]string {
	x.t.Helper()
	records := map[string]string{}
	topic := x.prefix + "." + department + "." + entity
	_, err := x.broker.Scan(x.t.Context(), topic, nil, func(_ int32, r *broker.Record) error {
		key := strings.ReplaceAll(string(r.Key), "\x1f", "|")
		if r.Value == nil {
			delete(records, key)
			return nil
		}
		var elements map[string]any
		if err := json.Unmarshal(r.Value, &elements); err != nil {
			return fmt.Errorf("the record at offset %d: %w", r.Offset, err)
		}
		records[key] = joined(elements, columns)
		return nil
	})
	if err != nil {
		x.t.Fatal(err)
	}
	return records
}

// table returns the rows of a department on the platform in the same form.
func (x *exchange) table(department, entity string, columns []string) map[string]string {
	x.t.Helper()
	key := columns[:1]
	if entity == "division" {
		key = columns[:2]
	}
	var rows []struct{ Key, Row string }
	query := fmt.Sprintf("SELECT %s AS key, %s AS row FROM %s WHERE department = $1", joinedSQL(key), joinedSQL(columns), entity)
	if err := x.db.SelectContext(x.t.Context(), &rows, query, department); err != nil {
		x.t.Fatal(err)
	}
	table := make(map[string]string, len(rows))
	for _, r := range rows {
		table[r.Key] = r.Row
	}
	return table
}

// joinedSQL is the expression that joins columns as joined does values.
func joinedSQL(columns []string) string {
	return "coalesce(" + strings.Join(columns, "::text, '') || '|' || coalesce(") + "::text, '')"
}

// joined writes the named values with | between them, nothing for one that is absent.
func joined(values map[string]any, names []string) string {
	texts := make([]string, len(names))
	for i, name := range names {
		if v := values[name]; v != nil {
			texts[i] = fmt.Sprint(v)
		}
	}
	return strings.Join(texts, "|")
}

// refusal is what is in quarantine for one cause.
type refusal struct {
	cause, message, place string
	count                 int64
}

// refusals groups what waits in the departments' quarantines, the most frequent cause first.
func (x *exchange) refusals() []*refusal {
	x.t.Helper()
	groups := map[string]*refusal{}
	for _, department := range append([]string{"portal"}, divisionDepartments...) {
		err := quarantine.Scan(x.t.Context(), x.broker, quarantine.Topic(x.prefix, department), nil, func(it *quarantine.Item) error {
			c, first := it.Cause(), it.Violations[0]
			name := strings.Join([]string{c.Department, c.Element, c.Rule, c.Shape}, " ")
			if groups[name] == nil {
				groups[name] = &refusal{cause: name, message: first.En, place: it.Place()}
			}
			groups[name].count++
			return nil
		})
		if err != nil {
			x.t.Fatal(err)
		}
	}
	list := make([]*refusal, 0, len(groups))
	for _, g := range groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b *refusal) int { return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.cause, b.cause)) })
	return list
}
