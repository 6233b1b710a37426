package sqldb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/datong-dx/datong/connectors"
)

func TestEveryTroubleHasItsAdvice(t *testing.T) {
	for why := unknown + 1; why <= corrupt; why++ {
		a, known := advices[why]
		if !known || a.what.Zh == "" || a.what.En == "" || a.try.Zh == "" || a.try.En == "" {
			t.Errorf("trouble %d: %+v", why, a)
		}
	}
}

func TestWhatADriversErrorMeans(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for _, c := range []struct {
		err  error
		what trouble
		stop bool
	}{
		{&pgconn.PgError{Code: "28P01"}, refusedLogin, true},
		{&pgconn.PgError{Code: "3D000"}, noDatabase, true},
		{&pgconn.PgError{Code: "42P01"}, noTable, true},
		{&pgconn.PgError{Code: "42501"}, noRight, true},
		{&pgconn.PgError{Code: "25006"}, readOnly, true},
		{&pgconn.PgError{Code: "57014"}, tooSlow, false},
		{&pgconn.PgError{Code: "57P03"}, starting, false},
		{&pgconn.PgError{Code: "23505"}, unknown, false},
		{&mysql.MySQLError{Number: 1045, SQLState: [5]byte{'2', '8', '0', '0', '0'}}, refusedLogin, true},
		{&mysql.MySQLError{Number: 1146, SQLState: [5]byte{'4', '2', 'S', '0', '2'}}, noTable, true},
		{&mysql.MySQLError{Number: 1969}, tooSlow, false},
		{&mysql.MySQLError{Number: 1062}, unknown, false},
		{mysql.ErrNoTLS, noTLS, false},
		{mysql.ErrMalformPkt, otherServer, false},
		{refused, nobody, false},
		{&net.DNSError{Name: "db.invalid", Err: "no such host"}, noHost, false},
		{context.DeadlineExceeded, silent, false},
		{io.ErrUnexpectedEOF, cutOff, false},
		{errors.New("something else"), unknown, false},
	} {
		p := Explain("here", fmt.Errorf("read: %w", c.err))
		if p == nil {
			if c.what != unknown {
				t.Errorf("%v is not explained", c.err)
			}
			continue
		}
		if p.Where != "here" || p.What != advices[c.what].what || !errors.Is(p, c.err) || errors.Is(p, connectors.ErrStop) != c.stop {
			t.Errorf("%v: got %v", c.err, p)
		}
	}
}

func TestAnExplanationHoldsNoPassword(t *testing.T) {
	for _, address := range []string{"postgres://who:hunter2@127.0.0.1:1/none", "mysql://who:hunter2@127.0.0.1:1/none"} {
		db, _, err := Open(address, 1)
		if err != nil {
			t.Fatal(err)
		}
		p := Explain(Redact(address), db.PingContext(t.Context()))
		if p == nil || strings.Contains(p.Error()+p.In("zh"), "hunter2") || !strings.Contains(p.Error(), "who@127.0.0.1:1/none: the database cannot be reached: nothing listens") {
			t.Errorf("got %v", p)
		}
		db.Close()
	}
}

func TestAFileThatIsNoDatabaseIsTold(t *testing.T) {
	db, _, err := OpenReadOnly("sqlite:"+filepath.Join(t.TempDir(), "none.db"), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if p := Explain("file", db.PingContext(t.Context())); p == nil || p.What != advices[noFile].what || errors.Is(p, connectors.ErrStop) {
		t.Errorf("got %v", p)
	}
}
