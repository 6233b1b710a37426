package sqltable

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// refuseNegative is a statement by which someone at the platform refuses negative numbers of staff.
func refuseNegative(p *platform) string {
	if p.dialect == sqldb.SQLite { // which cannot add a constraint
		return `CREATE TRIGGER negative BEFORE INSERT ON {firm} WHEN NEW.staff < 0 BEGIN SELECT RAISE(ABORT, 'staff is negative'); END`
	}
	return `ALTER TABLE {firm} ADD CONSTRAINT not_negative CHECK (staff >= 0)`
}

func TestSinkLeavesOutWhatTheDatabaseRefuses(t *testing.T) {
	for _, n := range []int{1, 7, 1000, 5000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			onEach(t, func(t *testing.T, p *platform) {
				table := firm()
				s := p.ready(t, table)
				p.exec(t, refuseNegative(p))
				write(t, s, advance(0, -1, 1), upsert(table, "gone", "", 0))
				rows := []connectors.Row{remove(table, "gone")}
				var bad []int
				for i := range n {
					staff := int64(i)
					if i%499 == 0 || i == n-1 {
						staff, bad = -1, append(bad, len(rows))
					}
					rows = append(rows, upsert(table, fmt.Sprintf("K%05d", i), "名", staff))
				}
				var got []int
				calls := 0
				err := s.Write(t.Context(), &connectors.Changes{Rows: rows, Offsets: []connectors.Advance{advance(0, 1, 2)}},
					func(ctx context.Context, list []connectors.Refusal) error {
						calls++
						for _, r := range list {
							got = append(got, r.Row)
						}
						wantRows(t, p, "SELECT COUNT(*) FROM {firm}", "1") // before the commit
						return nil
					})
				if err != nil || calls != 1 {
					t.Fatalf("write: %v, refused called %d times, want once", err, calls)
				}
				if diff := cmp.Diff(got, bad); diff != "" {
					t.Errorf("refused rows (-got +want):\n%s", diff)
				}
				wantRows(t, p, "SELECT COUNT(*) FROM {firm}", fmt.Sprint(n-len(bad)))
				wantOffsets(t, s, 2)
			})
		})
	}
}

func TestSinkCommitsNothingWhenQuarantineFails(t *testing.T) {
	onEach(t, func(t *testing.T, p *platform) {
		table := firm()
		s := p.ready(t, table)
		p.exec(t, refuseNegative(p))
		down := errors.New("no broker")
		err := s.Write(t.Context(), &connectors.Changes{
			Rows:    []connectors.Row{upsert(table, "A", "甲", 1), upsert(table, "B", "乙", -1)},
			Offsets: []connectors.Advance{advance(0, -1, 2)},
		}, func(context.Context, []connectors.Refusal) error { return down })
		if !errors.Is(err, down) {
			t.Errorf("write = %v, want %v", err, down)
		}
		wantRows(t, p, allFirms)
		wantOffsets(t, s, -1)
	})
}

func TestSinkSaysWhyWithoutTheRow(t *testing.T) {
	const secret = "机密内容机密内容机密内容机密内容机密内容机密内容"
	onEach(t, func(t *testing.T, p *platform) {
		if p.dialect == sqldb.SQLite {
			return // refuses neither
		}
		table := firm()
		s := p.ready(t, table)
		p.exec(t, "ALTER TABLE {firm} ADD COLUMN must int NOT NULL DEFAULT 1")
		notNull := "ALTER TABLE {firm} ALTER COLUMN staff SET NOT NULL"
		if p.dialect == sqldb.MySQL {
			notNull = "ALTER TABLE {firm} MODIFY COLUMN staff bigint NOT NULL"
		}
		p.exec(t, notNull)
		missing := upsert(table, "B", "乙", 0)
		missing.Values[3] = connectors.Null()
		kind := upsert(table, "C", "丙", 0)
		kind.Values[3] = text(secret)
		rows := []connectors.Row{upsert(table, "A", secret, 1), missing, kind, upsert(table, "D", "丁", 4)}
		want := 3
		if p.dialect == sqldb.Postgres {
			rows, want = append(rows, upsert(table, "E", "零\x00", 5), upsert(table, "F", "坏\xff", 6)), 5
		}
		var reasons []string
		err := s.Write(t.Context(), &connectors.Changes{Rows: rows, Offsets: []connectors.Advance{advance(0, -1, 2)}},
			func(_ context.Context, list []connectors.Refusal) error {
				for _, r := range list {
					reasons = append(reasons, r.Reason.Error())
				}
				return nil
			})
		if err != nil {
			t.Fatal(err)
		}
		wantRows(t, p, allFirms, "D|丁|4")
		if len(reasons) != want || strings.Contains(strings.Join(reasons, " "), "机密") {
			t.Errorf("reasons = %q, want %d without content", reasons, want)
		}
		t.Logf("%q", reasons)
	})
}

func TestRefusalsQuoteNothingOfTheRow(t *testing.T) {
	for _, err := range []error{
		errors.New("Duplicate entry '张三' for key 'x'"),
		errors.New("Incorrect integer value: '张三' for column 'staff' at row 1"),
		&pgconn.PgError{Code: "22P02", Message: `invalid input syntax for type integer: "张三"`},
		&pgconn.PgError{Code: "23505", Message: `duplicate key value violates unique constraint "one_name"`, Detail: "Key (name)=(张三) already exists."},
	} {
		if got := withoutContent(err).Error(); strings.Contains(got, "张三") || got == "" {
			t.Errorf("reason = %q", got)
		}
	}
}
