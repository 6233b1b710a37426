//go:build services

package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"
)

// Modes in which a silo is read.
const (
	watermark  = "watermark"
	difference = "difference"
)

// silo is a department's system: a table of permits that several writers change while it is read. Every state of a row
// has a version from one sequence, so that the order of a key's states can be seen anywhere downstream.
//
// One row in forty is born with a day of issue that no calendar has, for the pipeline's quarantine, and one in fifty with
// a holder that the platform's database refuses; they stay so until they are mended. Where a watermark is read a permit
// is revoked and later renewed, because a hard delete would not be seen; else it is deleted and inserted again.
type silo struct {
	*database
	department string
	mode       string
	next       atomic.Int64 // number of the next permit
}

const permits = `
CREATE SEQUENCE versions;
CREATE TABLE permits (
	no      text PRIMARY KEY,
	holder  text NOT NULL,
	amount  numeric(14,2),
	issued  text,
	state   text NOT NULL DEFAULT 'valid',
	note    text,
	version bigint NOT NULL DEFAULT nextval('versions'),
	changed timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON permits (changed);
CREATE TABLE last_good (LIKE permits INCLUDING ALL);
CREATE TABLE gone (no text PRIMARY KEY);`

// noDay is a day of issue that does not exist.
const noDay = "20250230"

func newSilo(t testing.TB, server, department, mode string) *silo {
	t.Helper()
	s := &silo{database: newDatabase(t, server), department: department, mode: mode}
	s.exec(t, permits)
	return s
}

// insert adds n permits.
func (s *silo) insert(ctx context.Context, db sqlx.ExtContext, n int) error {
	from := s.next.Add(int64(n)) - int64(n)
	_, err := db.ExecContext(ctx, `
		INSERT INTO permits (no, holder, amount, issued, note)
		SELECT 'P' || lpad(n::text, 8, '0'),
			CASE WHEN n % 50 = 7 THEN 'rejected' ELSE '持有人' END || ' ' || n,
			(n * 7919 % 100000000) / 100.0,
			CASE WHEN n % 40 = 3 THEN '`+noDay+`' ELSE to_char(date '2015-01-01' + (n % 3000)::int, 'YYYYMMDD') END,
			(SELECT string_agg(md5(n::text || i::text), ' ') FROM generate_series(1, 8) i)
		FROM generate_series($1::bigint, $2::bigint) n`, from, from+int64(n)-1)
	return err
}

// fill inserts n permits at once, before anything runs.
func (s *silo) fill(t testing.TB, n int) {
	t.Helper()
	if err := s.insert(t.Context(), s, n); err != nil {
		t.Fatal(err)
	}
}

const touched = ", version = nextval('versions'), changed = clock_timestamp() WHERE no = ANY($1)"

// What a writer may do to the permits of a list, beside inserting. Renewing and inserting again takes as many as there
// are in the list, of those that were revoked or deleted.
var (
	update = `UPDATE permits SET holder = split_part(holder, ' ', 1) || ' ' || currval('versions'), amount = amount + 0.01` + touched
	mend   = `UPDATE permits SET holder = '持有人 ' || no, issued = '20250228'` + touched + ` AND (issued = '` + noDay + `' OR holder LIKE 'rejected%')`
	spoil  = `UPDATE permits SET issued = '` + noDay + `'` + touched
	revoke = `UPDATE permits SET state = 'revoked'` + touched
	renew  = `WITH l AS (SELECT array_agg(no) FROM (
			SELECT no FROM permits WHERE state = 'revoked' LIMIT cardinality($1::text[]) FOR UPDATE SKIP LOCKED) r)
		UPDATE permits SET state = 'valid', holder = '持有人 ' || no, issued = '20250228',
			version = nextval('versions'), changed = clock_timestamp() WHERE no = ANY((TABLE l)::text[])`
	remove = `WITH d AS (DELETE FROM permits WHERE no = ANY($1) RETURNING no) INSERT INTO gone SELECT no FROM d`
	again  = `WITH g AS (DELETE FROM gone WHERE no IN (
			SELECT no FROM gone LIMIT cardinality($1::text[]) FOR UPDATE SKIP LOCKED) RETURNING no)
		INSERT INTO permits (no, holder, amount, issued, note) SELECT no, '持有人 ' || no, 1.5, '20250228', 'again' FROM g`
)

// statement is a change of many permits.
type statement struct {
	text  string
	share int // in a hundred changed permits
}

// mix is what writers do: a third of the updates go to ten hot permits.
func (s *silo) mix() []statement {
	if s.mode == watermark {
		return []statement{{update, 60}, {revoke, 10}, {renew, 8}, {mend, 2}}
	}
	return []statement{{update, 60}, {remove, 8}, {again, 8}, {mend, 2}}
}

const (
	hot        = 10
	perChange  = 40 // permits that one transaction changes, about
	insertions = perChange / 5
)

// change makes one transaction of a writer. Deadlocks among writers are as they would be: the loser tries again.
func (s *silo) change(ctx context.Context, rng *rand.Rand) error {
	for {
		err := s.tryChange(ctx, rng)
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "40P01" {
			continue
		}
		return err
	}
}

func (s *silo) tryChange(ctx context.Context, rng *rand.Rand) error {
	tx, err := s.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := s.insert(ctx, tx, insertions); err != nil {
		return err
	}
	for _, m := range s.mix() {
		if _, err := tx.ExecContext(ctx, m.text, s.pick(rng, max(1, perChange*m.share/100), m.text == update)); err != nil {
			return err
		}
	}
	if rng.IntN(5) == 0 { // some commit late, behind others that began after them
		time.Sleep(time.Duration(rng.IntN(40)) * time.Millisecond)
	}
	return tx.Commit()
}

// pick returns the numbers of n permits, in order.
func (s *silo) pick(rng *rand.Rand, n int, hotToo bool) []string {
	list := make([]string, n)
	for i := range list {
		at := rng.Int64N(s.next.Load())
		if hotToo && i%3 == 0 {
			at = rng.Int64N(hot)
		}
		list[i] = fmt.Sprintf("P%08d", at)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// churn changes about n permits now.
func (s *silo) churn(t testing.TB, n int) {
	t.Helper()
	s.spread(t, n, rand.Uint64())
}

const writers = 3

// spread has several writers change about n permits at once.
func (s *silo) spread(t testing.TB, n int, seed uint64) {
	t.Helper()
	var work sync.WaitGroup
	for w := range writers {
		work.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			for range max(1, n/perChange/writers) {
				if err := s.change(t.Context(), rng); err != nil {
					t.Errorf("writer %d of %s: %v", w, s.department, err)
					return
				}
			}
		})
	}
	work.Wait()
}

// write changes permits without pause until stop is called, up to limit of them.
func (s *silo) write(t testing.TB, limit int) (stop func()) {
	t.Helper()
	var enough atomic.Bool
	var work sync.WaitGroup
	work.Go(func() {
		for n := 0; n < limit && !enough.Load(); n += perChange * writers {
			s.churn(t, perChange*writers)
			time.Sleep(5 * time.Millisecond)
		}
	})
	return func() { enough.Store(true); work.Wait() }
}

// spoilSome makes good permits bad. It is for a moment at which the platform has them all, because what it must go on
// to show is what it shows now.
func (s *silo) spoilSome(t testing.TB, n int) {
	t.Helper()
	list := s.texts(t, `SELECT no FROM permits WHERE `+good+` ORDER BY md5(no) LIMIT $1`, n)
	s.exec(t, `DELETE FROM last_good WHERE no = ANY($1)`, list)
	s.exec(t, `INSERT INTO last_good SELECT * FROM permits WHERE no = ANY($1)`, list)
	s.exec(t, spoil, list)
}

const good = `state = 'valid' AND issued <> '` + noDay + `' AND holder NOT LIKE 'rejected%'`

// expected returns what the platform must show of this silo, mapped by other means than the program's: the good permits,
// and of those that were spoiled what they were before.
func (s *silo) expected(t testing.TB) []string {
	t.Helper()
	const mapped = `concat_ws('|', '%s', no, trim(holder), amount, to_date(issued, 'YYYYMMDD'), version, note)`
	columns := fmt.Sprintf(mapped, s.department)
	return s.texts(t, `
		SELECT `+columns+` FROM permits WHERE `+good+`
		UNION ALL
		SELECT `+columns+` FROM last_good WHERE no IN (SELECT no FROM permits WHERE state = 'valid' AND NOT (`+good+`))`)
}

// refused returns the permits that must wait in the pipeline's quarantine.
func (s *silo) refused(t testing.TB) []string {
	t.Helper()
	return s.texts(t, `SELECT no FROM permits WHERE state = 'valid' AND issued = '`+noDay+`' ORDER BY no`)
}

// rejected returns the permits that the platform's database does not take.
func (s *silo) rejected(t testing.TB) []string {
	t.Helper()
	return s.texts(t, `SELECT no FROM permits WHERE state = 'valid' AND issued <> '`+noDay+`' AND holder LIKE 'rejected%' ORDER BY no`)
}

// pipeline is the department's pipeline file.
func (s *silo) pipeline() string {
	how := "mode: difference\n  every: 300ms"
	if s.mode == watermark {
		how = "mode: watermark\n  watermark: changed\n  poll: 50ms"
	}
	return strings.NewReplacer("$URL", s.as("source"), "$HOW", how).Replace(`
source:
  connector: sqltable
  url: "$URL"
  tables: [permits]
  $HOW
commit: {rows: 2000}
max_deletes: "60%"
mapping:
  entity: permit
  when: row["state"] == "valid"
  fields:
    permit_no: no
    holder: holder
    amount: amount
    issued: {from: issued, layouts: [yyyyMMdd]}
    note: note
    version: version
`)
}
