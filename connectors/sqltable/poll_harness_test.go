package sqltable

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// got is one row as a test compares it.
type got struct {
	id       int64
	text     string
	doubtful bool
}

// reading is a source with everything that was read of it.
type reading struct {
	connectors.Source
	set   connectors.Settings
	rows  []got
	pos   connectors.Position
	scans []*connectors.Scan // ended
	last  connectors.Order
}

func read(t testing.TB, pos connectors.Position, set connectors.Settings) *reading {
	t.Helper()
	src, err := openAt(t, pos, set)
	if err != nil {
		t.Fatal(err)
	}
	r := &reading{Source: src, set: set, pos: pos}
	t.Cleanup(func() { r.Close() })
	return r
}

// reopen closes the source and opens it at the last position.
func (r *reading) reopen(t testing.TB) {
	t.Helper()
	r.Close()
	src, err := openAt(t, r.pos, r.set)
	if err != nil {
		t.Fatal(err)
	}
	r.Source = src
}

// next reads one batch and says whether the source has caught up with it.
func (r *reading) next(t testing.TB) (caughtUp bool, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	b, err := r.Read(ctx)
	if err != nil {
		return false, err
	}
	defer b.Release()
	for i := range b.Rows {
		row := &b.Rows[i]
		id, text := row.Table.Index("id"), row.Table.Index("text")
		r.rows = append(r.rows, got{row.Values[id].Int(), string(row.Values[text].AppendText(nil)), row.Doubtful})
		r.last = row.Order
	}
	if b.End != nil {
		r.scans = append(r.scans, b.End)
	}
	r.pos = slices.Clone(b.Position)
	return b.CaughtUp, nil
}

// until reads until the condition holds.
func (r *reading) until(t testing.TB, condition func() bool) {
	t.Helper()
	for !condition() {
		if _, err := r.next(t); err != nil {
			t.Fatalf("read: %v after %d rows, the last of them %v", err, len(r.rows), r.rows[max(0, len(r.rows)-20):])
		}
	}
}

// all reads to the end, or until the source has caught up.
func (r *reading) all(t testing.TB) {
	t.Helper()
	for {
		caughtUp, err := r.next(t)
		if errors.Is(err, io.EOF) || caughtUp {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// count returns how often a row was read.
func (r *reading) count(id int64) (n int) {
	for _, row := range r.rows {
		if row.id == id {
			n++
		}
	}
	return n
}

// people makes the table that these tests poll, with explicit watermarks.
func people(t testing.TB, p *place) connectors.Settings {
	t.Helper()
	timestamp, _ := p.types()
	p.exec(t, "CREATE TABLE people (id bigint NOT NULL PRIMARY KEY, text varchar(200), changed "+timestamp+")")
	p.exec(t, "CREATE INDEX people_changed ON people (changed)")
	return connectors.Settings{"url": p.url, "tables": []string{"people"}, "mode": modeWatermark, "watermark": "changed", "chunk": int64(7)}
}

// at writes a watermark so many seconds after a moment, in a layout that every database takes.
func at(seconds float64) string {
	base := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return base.Add(time.Duration(seconds * float64(time.Second))).Format("2006-01-02 15:04:05.000000")
}

func put(t testing.TB, p *place, id int, text string, seconds float64) {
	t.Helper()
	p.exec(t, "DELETE FROM people WHERE id = ?", id)
	p.exec(t, "INSERT INTO people VALUES (?, ?, ?)", id, text, at(seconds))
}
