package demo

import (
	"context"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/internal/sqldb"
)

// system is a department's own SQLite database, which the demonstration writes and the exchange only reads.
type system struct{ db *sqlx.DB }

// openSystem makes a database with a table for every sheet, whose first column is the key.
func openSystem(path string, sheets ...*sheet) (*system, error) {
	db, _, err := sqldb.Open("sqlite:"+path, 1)
	if err != nil {
		return nil, err
	}
	for _, s := range sheets {
		statement := fmt.Sprintf("CREATE TABLE %s (%s TEXT NOT NULL PRIMARY KEY, %s TEXT)",
			s.name, s.columns[0], strings.Join(s.columns[1:], " TEXT, "))
		if _, err := db.Exec(statement); err != nil {
			db.Close()
			return nil, fmt.Errorf("create the table %s of a department: %w", s.name, err)
		}
	}
	return &system{db}, nil
}

func (s *system) close() error { return s.db.Close() }

// change is one statement of a transaction: the row as it stands now, or its deletion.
type change struct {
	row
	deleted bool
}

// write makes the changes in one transaction.
func (s *system) write(ctx context.Context, changes []change) error {
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin a transaction of a department: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	prepared := map[string]*sqlx.Stmt{}
	for i := range changes {
		if err := execute(ctx, tx, prepared, &changes[i]); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit a transaction of a department: %w", err)
	}
	return nil
}

// execute makes one change, with a statement that is prepared once for a transaction.
func execute(ctx context.Context, tx *sqlx.Tx, prepared map[string]*sqlx.Stmt, c *change) error {
	text, values := c.statement()
	stmt := prepared[text]
	if stmt == nil {
		var err error
		if stmt, err = tx.PreparexContext(ctx, text); err != nil {
			return fmt.Errorf("prepare a change of %s: %w", c.name, err)
		}
		prepared[text] = stmt
	}
	if _, err := stmt.ExecContext(ctx, values...); err != nil {
		return fmt.Errorf("change a row of %s: %w", c.name, err)
	}
	return nil
}

func (c *change) statement() (text string, values []any) {
	if c.deleted {
		return fmt.Sprintf("DELETE FROM %s WHERE %s = ?", c.name, c.columns[0]), []any{c.values[0]}
	}
	for _, v := range c.values {
		values = append(values, v)
	}
	return fmt.Sprintf("INSERT OR REPLACE INTO %s VALUES (?%s)", c.name, strings.Repeat(", ?", len(c.values)-1)), values
}
