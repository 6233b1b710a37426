package sqltable

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/fault"
	"github.com/datong-dx/datong/internal/sqldb"
)

// errValue says that a value is not of its column's kind and cannot be made so: the row is refused before the
// database sees it.
var errValue = errors.New("value of another kind than its column")

// Write applies the changes in one transaction that begins by locking the offsets of their partitions.
func (s *sqlSink) Write(ctx context.Context, changes *connectors.Changes, refused func(context.Context, []connectors.Refusal) error) error {
	jobs, err := s.plan(changes.Rows)
	if err != nil {
		return err
	}
	if err := s.prepare(ctx, jobs); err != nil {
		return err
	}
	err = s.transaction(ctx, func() error {
		if err := s.lockOffsets(ctx, changes.Offsets); err != nil {
			return err
		}
		refusals, err := s.apply(ctx, jobs)
		if err != nil {
			return err
		}
		if len(refusals) > 0 {
			slices.SortFunc(refusals, func(a, b connectors.Refusal) int { return a.Row - b.Row })
			if err := refused(ctx, refusals); err != nil {
				return fmt.Errorf("put %d refused rows into quarantine: %w", len(refusals), err)
			}
		}
		if err := s.putOffsets(ctx, changes.Offsets, true); err != nil {
			return failed("update", offsetsTable, err)
		}
		fault.Point("sink-before-commit", len(changes.Rows))
		return nil
	})
	if err == nil {
		fault.Point("sink-after-commit", len(changes.Rows))
	}
	return err
}

// job is what is done to one table: either upserts or deletes.
type job struct {
	table  *sinkTable
	remove bool
	rows   []*connectors.Row
	index  []int // of each row in the changes
}

// plan sorts the rows by what is done with them. Deletes come first: a record that takes over the value of a unique
// column, in an index that someone has added, finds it free.
func (s *sqlSink) plan(rows []connectors.Row) ([]*job, error) {
	var removes, upserts []*job
	byTable := map[*connectors.Table][2]*job{}
	for i := range rows {
		r := &rows[i]
		pair, known := byTable[r.Table]
		if !known {
			t := s.tables[r.Table.Name]
			if t == nil || len(t.Columns) != len(r.Table.Columns) {
				return nil, fmt.Errorf("write to %s: the table was not ensured in this shape", r.Table.Name)
			}
			pair = [2]*job{{table: t}, {table: t, remove: true}}
			byTable[r.Table] = pair
			upserts, removes = append(upserts, pair[0]), append(removes, pair[1])
		}
		j := pair[0]
		if r.Op == connectors.OpDelete {
			j = pair[1]
		}
		j.rows, j.index = append(j.rows, r), append(j.index, i)
	}
	return slices.DeleteFunc(append(removes, upserts...), func(j *job) bool { return len(j.rows) == 0 }), nil
}

// prepare lets the bulk writer make what it needs outside the transaction.
func (s *sqlSink) prepare(ctx context.Context, jobs []*job) error {
	if _, err := s.session(ctx); err != nil {
		return err
	}
	for _, j := range jobs {
		if j.remove {
			continue
		}
		if err := s.bulk.prepare(ctx, j.table, len(j.rows)); err != nil {
			s.drop()
			return failed("prepare writing to", j.table.Name, err)
		}
	}
	return nil
}

// apply does all jobs, leaving out the rows that the database refuses.
func (s *sqlSink) apply(ctx context.Context, jobs []*job) ([]connectors.Refusal, error) {
	var refusals []connectors.Refusal
	for _, j := range jobs {
		more, err := s.attempt(ctx, j)
		if err != nil {
			return nil, failed("write to", j.table.Name, err)
		}
		refusals = append(refusals, more...)
	}
	return refusals, nil
}

const (
	setSavepoint     = "SAVEPOINT datong"
	undoSavepoint    = "ROLLBACK TO SAVEPOINT datong"
	releaseSavepoint = "RELEASE SAVEPOINT datong"
)

// attempt does a job behind a savepoint. When the database refuses its content, the job is cut in halves until the
// rows that it does not want stand alone.
func (s *sqlSink) attempt(ctx context.Context, j *job) ([]connectors.Refusal, error) {
	if err := s.exec(ctx, setSavepoint); err != nil {
		return nil, err
	}
	err := s.run(ctx, j)
	if err == nil {
		return nil, s.exec(ctx, releaseSavepoint)
	}
	if sqldb.Classify(err) != sqldb.Refused && !errors.Is(err, errValue) {
		return nil, err
	}
	if err := s.exec(ctx, undoSavepoint); err != nil {
		return nil, err
	}
	if err := s.exec(ctx, releaseSavepoint); err != nil {
		return nil, err
	}
	if len(j.rows) == 1 {
		return []connectors.Refusal{{Row: j.index[0], Reason: withoutContent(err)}}, nil
	}
	half := len(j.rows) / 2
	refusals, err := s.attempt(ctx, &job{j.table, j.remove, j.rows[:half], j.index[:half]})
	if err != nil {
		return nil, err
	}
	more, err := s.attempt(ctx, &job{j.table, j.remove, j.rows[half:], j.index[half:]})
	return append(refusals, more...), err
}

func (s *sqlSink) run(ctx context.Context, j *job) error {
	if j.remove {
		return s.bulk.remove(ctx, j.table, j.rows)
	}
	return s.bulk.upsert(ctx, j.table, j.rows)
}

// refusal is why a database refused a row, without anything that stood in the row.
type refusal struct {
	code string // SQLSTATE; empty where the database has none
	text string
}

func (r *refusal) Error() string {
	if r.code == "" {
		return r.text
	}
	return r.text + " (SQLSTATE " + r.code + ")"
}

var (
	doubleQuoted = regexp.MustCompile(`(?s)".*"`)
	singleQuoted = regexp.MustCompile(`(?s)'.*' for `)
)

// withoutContent takes out of a refusal what the databases quote of the row: PostgreSQL in messages of class 22 and in
// every detail, MySQL before the words “for column” and “for key”.
func withoutContent(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		text := pg.Message
		if strings.HasPrefix(pg.Code, "22") {
			text = doubleQuoted.ReplaceAllString(text, `"…"`)
		}
		if pg.ColumnName != "" && !strings.Contains(text, pg.ColumnName) {
			text += " in column " + pg.ColumnName
		}
		return &refusal{pg.Code, text}
	}
	if errors.Is(err, errValue) {
		return err
	}
	return &refusal{text: singleQuoted.ReplaceAllString(err.Error(), "… for ")}
}
