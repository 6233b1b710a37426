package sqldb

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/datong-dx/datong/connectors"
)

// Explain tells a person what an error of any of the drivers means and what to try; nil where the error's own words are
// all there is. The problem wraps the error, and [connectors.ErrStop] where trying again cannot help. It shows what the
// server said, never an address with its password.
func Explain(where string, err error) *connectors.Problem {
	why, said := recognize(err)
	if why == unknown {
		return nil
	}
	a := advices[why]
	inner := err
	if Classify(err) == Stop {
		inner = errors.Join(err, connectors.ErrStop)
	}
	return &connectors.Problem{Where: where, What: a.what, Try: a.try, Err: &cause{said, inner}}
}

// IsNoTable says that an error is about a table or view that there is not.
func IsNoTable(err error) bool {
	why, _ := recognize(err)
	return why == noTable
}

// cause is an error that shows only what the server or the network said.
type cause struct {
	said string
	err  error
}

func (c *cause) Error() string { return c.said }
func (c *cause) Unwrap() error { return c.err }

// recognize finds what an error is about, and what the server or the network said of it.
func recognize(err error) (trouble, string) {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgresTroubles[pg.Code], pg.Message + " (SQLSTATE " + pg.Code + ")"
	}
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return mysqlTroubles[my.Number], my.Error()
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return sqliteTrouble(lite), lite.Error()
	}
	return unanswered(err)
}

// unanswered is about a server that could not even be asked.
func unanswered(err error) (trouble, string) {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return noHost, "lookup " + dns.Name + ": " + dns.Err
	}
	if ca, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return untrusted, ca.Error()
	}
	if host, ok := errors.AsType[x509.HostnameError](err); ok {
		return untrusted, host.Error()
	}
	said := err.Error()
	op, network := errors.AsType[*net.OpError](err)
	if network {
		said = op.Error()
	}
	timeout, _ := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return nobody, said
	case errors.Is(err, mysql.ErrNoTLS), strings.Contains(said, "server refused TLS connection"):
		return noTLS, "the server refused TLS"
	case errors.Is(err, mysql.ErrMalformPkt), strings.Contains(said, "unknown message type"), strings.Contains(said, "unexpected message type"),
		strings.Contains(said, "invalid message"):
		return otherServer, "the answer cannot be read"
	case errors.Is(err, context.DeadlineExceeded), timeout != nil && timeout.Timeout(), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return silent, "timeout"
	case errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), network:
		return cutOff, lastLine(said)
	}
	return unknown, ""
}

// lastLine leaves out what a driver says of attempts before the last one.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

var postgresTroubles = map[string]trouble{
	"28P01": refusedLogin, "28000": refusedLogin,
	"3D000": noDatabase, "3F000": noSchema,
	"42P01": noTable, "42703": noColumn, "42601": badQuery,
	"42501": noRight, "25006": readOnly,
	"57014": tooSlow, "53300": full, "57P03": starting, "57P01": cutOff, "57P02": cutOff,
	"55P03": locked, "40P01": locked, "53100": diskFull,
}

var mysqlTroubles = map[uint16]trouble{
	1045: refusedLogin, 1698: refusedLogin, 1524: refusedLogin, 1820: refusedLogin, 1862: refusedLogin, 3118: refusedLogin, 4151: refusedLogin,
	1044: noRight, 1142: noRight, 1143: noRight, 1227: noRight, 1370: noRight,
	1130: notLetIn, 1129: notLetIn,
	1049: noDatabase, 1146: noTable, 1054: noColumn, 1064: badQuery,
	1290: readOnly, 1792: readOnly, 1836: readOnly,
	1969: tooSlow, 3024: tooSlow, 1317: tooSlow, 1040: full, 1203: full, 1205: locked, 1213: locked, 1021: diskFull,
}

// sqliteTrouble goes by the primary result code (sqlite.org/rescode.html); for an SQL error only the text tells more.
func sqliteTrouble(err *sqlite.Error) trouble {
	switch err.Code() & 0xff {
	case 14: // CANTOPEN
		return noFile
	case 26: // NOTADB
		return notDatabase
	case 5, 6: // BUSY, LOCKED
		return locked
	case 8: // READONLY
		return readOnlyFile
	case 3, 23: // PERM, AUTH
		return noFileRight
	case 11: // CORRUPT
		return corrupt
	case 13: // FULL
		return diskFull
	case 9: // INTERRUPT
		return tooSlow
	}
	switch text := err.Error(); {
	case strings.Contains(text, "no such table"):
		return noTable
	case strings.Contains(text, "no such column"):
		return noColumn
	case strings.Contains(text, "syntax error"):
		return badQuery
	}
	return unknown
}
