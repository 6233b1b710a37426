package sqldb

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/connectors"
)

func TestQuoteTable(t *testing.T) {
	tests := []struct {
		dialect    Dialect
		name, want string
	}{
		{Postgres, "scjg.qyjbxx", `"scjg"."qyjbxx"`},
		{Postgres, `scjg."qy.jbxx"`, `"scjg"."qy.jbxx"`},
		{Postgres, `a"b`, `"a""b"`},
		{MySQL, "scjg.qyjbxx", "`scjg`.`qyjbxx`"},
		{MySQL, "a`b", "`a``b`"},
		{SQLite, "企业 名录", `"企业 名录"`},
	}
	for _, tt := range tests {
		if got := tt.dialect.QuoteTable(tt.name); got != tt.want {
			t.Errorf("%v.QuoteTable(%q) = %s, want %s", tt.dialect, tt.name, got, tt.want)
		}
	}
}

func TestPlaceholder(t *testing.T) {
	got := []string{Postgres.Placeholder(12), MySQL.Placeholder(12), SQLite.Placeholder(12)}
	if diff := cmp.Diff(got, []string{"$12", "?", "?"}); diff != "" {
		t.Error(diff)
	}
}

func TestBadAddressesAreProblemsWithoutTheSecret(t *testing.T) {
	for _, address := range []string{
		"", "oracle://u:geheim@h/d", "postgres://u:ge/heim@h:99999999/d", "postgres://u:geheim@h/d?sslmode=geheim2",
		"postgres://u:geheim@h:x/d", "mysql://u:geheim@/d", "mysql://u:geheim@h/d?tls=nosuch", "sqlite:", "host=h password=geheim",
		"postgres:///d?password=geheim",
	} {
		_, _, err := Open(address, 1)
		problem := (*connectors.Problem)(nil)
		if !errors.As(err, &problem) || !errors.Is(err, connectors.ErrStop) {
			t.Errorf("Open(%q) = %v, want a Problem that is ErrStop", address, err)
			continue
		}
		if strings.Contains(err.Error(), "geheim ") || strings.Contains(err.Error(), "ge/heim") {
			t.Errorf("Open shows the password: %v", err)
		}
		if redacted := Redact(address); strings.Contains(redacted, "heim") {
			t.Errorf("Redact(%q) = %q shows the password", address, redacted)
		}
	}
}

func TestRedact(t *testing.T) {
	tests := map[string]string{
		"postgres://u:p@h:5432/d?sslmode=disable": "postgres://u@h:5432/d",
		"mysql://u:p@h/d":                         "mysql://u@h/d",
		"sqlite:/data/a b.db":                     "sqlite:/data/a b.db",
	}
	for address, want := range tests {
		if got := Redact(address); got != want {
			t.Errorf("Redact(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestResolve(t *testing.T) {
	tests := map[string]string{
		"sqlite:data/a.db?x=1":  "sqlite:/exchange/data/a.db?x=1",
		"sqlite:/abs/a.db":      "sqlite:/abs/a.db",
		"postgres://u@h/d":      "postgres://u@h/d",
		"sqlite:../审批/审批局 1.db": "sqlite:/审批/审批局 1.db",
	}
	for address, want := range tests {
		if got := Resolve(address, "/exchange"); got != want {
			t.Errorf("Resolve(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestClassify(t *testing.T) {
	pg := func(code string) error { return fmt.Errorf("write: %w", &pgconn.PgError{Code: code}) }
	my := func(number uint16, state string) error {
		err := &mysql.MySQLError{Number: number}
		copy(err.SQLState[:], state)
		return err
	}
	tests := []struct {
		name string
		err  error
		want Class
	}{
		{"no error", nil, Retry},
		{"a broken connection", errors.New("EOF"), Retry},
		{"PostgreSQL: value too long", pg("22001"), Refused},
		{"PostgreSQL: unique violation", pg("23505"), Refused},
		{"PostgreSQL: a trigger raises", pg("P0001"), Refused},
		{"PostgreSQL: wrong password", pg("28P01"), Stop},
		{"PostgreSQL: missing table", pg("42P01"), Stop},
		{"PostgreSQL: no such database", pg("3D000"), Stop},
		{"PostgreSQL: deadlock", pg("40P01"), Retry},
		{"PostgreSQL: administrator's shutdown", pg("57P01"), Retry},
		{"PostgreSQL: too many connections", pg("53300"), Retry},
		{"MySQL: data too long", my(1406, "22001"), Refused},
		{"MySQL: duplicate", my(1062, "23000"), Refused},
		{"MySQL: wrong string", my(1366, "HY000"), Refused},
		{"MariaDB: CHECK", my(4025, "23000"), Refused},
		{"MySQL: a trigger signals", my(1644, "45000"), Refused},
		{"MySQL: access denied", my(1045, "28000"), Stop},
		{"MySQL: missing column", my(1054, "42S22"), Stop},
		{"MySQL: deadlock", my(1213, "40001"), Retry},
		{"MySQL: too many connections of the account", my(1203, "42000"), Retry},
	}
	for _, tt := range tests {
		if got := Classify(tt.err); got != tt.want {
			t.Errorf("%s: Classify = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSQLite(t *testing.T) {
	address := "sqlite:" + filepath.Join(t.TempDir(), "审批局 #1?.db")
	address = strings.ReplaceAll(address, "?", "") // a question mark begins the parameters
	if _, err := query(t, openReadOnly(t, address), "SELECT 1"); Classify(err) == Refused || err == nil {
		t.Fatalf("reading a file that does not exist = %v, want an error", err)
	}
	db, dialect, err := Open(address, 2)
	if err != nil || dialect != SQLite {
		t.Fatal(dialect, err)
	}
	defer db.Close()
	db.MustExec("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)")
	db.MustExec("INSERT INTO t VALUES (1, 2)")
	mode, err := query(t, db, "PRAGMA journal_mode")
	if err != nil || mode != "wal" {
		t.Errorf("journal mode = %q, %v, want wal", mode, err)
	}
	if _, err := db.Exec("INSERT INTO t VALUES (1, 2)"); Classify(err) != Refused {
		t.Errorf("Classify(%v) = %v, want Refused", err, Classify(err))
	}
	if _, err := db.Exec("SELECT * FROM missing"); Classify(err) != Stop {
		t.Errorf("Classify(%v) = %v, want Stop", err, Classify(err))
	}
	reader := openReadOnly(t, address)
	if n, err := query(t, reader, "SELECT n FROM t"); err != nil || n != "2" {
		t.Errorf("read = %q, %v, want 2", n, err)
	}
	if _, err := reader.Exec("DELETE FROM t"); Classify(err) != Stop {
		t.Errorf("writing through a read-only pool = %v, want Stop", err)
	}
}

func query(t *testing.T, db *sqlx.DB, statement string) (string, error) {
	t.Helper()
	var s string
	err := db.Get(&s, statement)
	return s, err
}

func openReadOnly(t *testing.T, address string) *sqlx.DB {
	t.Helper()
	db, _, err := OpenReadOnly(address, 1, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
