package sqldb

import (
	"errors"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// Class is what a database's error asks for.
type Class uint8

// Classes of errors.
const (
	Retry   Class = iota // the connection, a lock, a limit, a restart: the same may work later
	Refused              // the database refuses a row for its content: SQLSTATE classes 22 and 23 and their equals, or a trigger
	Stop                 // nothing helps until a person acts: account, permission, missing table or column, syntax
)

// Classify tells what an error of any of the drivers asks for. An error that no driver made, and nil, are [Retry].
func Classify(err error) Class {
	var pg *pgconn.PgError
	var my *mysql.MySQLError
	var lite *sqlite.Error
	switch {
	case errors.As(err, &pg):
		return classifyPostgres(pg.Code)
	case errors.As(err, &my):
		return classifyMySQL(my)
	case errors.As(err, &lite):
		return classifySQLite(lite.Code())
	case errors.Is(err, mysql.ErrPktTooLarge):
		return Stop
	}
	return Retry
}

// classifyPostgres goes by the SQLSTATE, whose first two characters are its class (PostgreSQL, appendix A).
func classifyPostgres(code string) Class {
	if code == "54000" || code == "P0001" { // program_limit_exceeded: a value too long for its index; a trigger's RAISE
		return Refused
	}
	if len(code) != 5 {
		return Retry
	}
	switch code[:2] {
	case "22", "23":
		return Refused
	case "0A", "0L", "0P", "28", "2F", "38", "39", "3B", "3D", "3F", "42", "44", "54", "F0", "HV", "P0":
		return Stop
	}
	if code == "25006" || code == "55000" { // read_only_sql_transaction, object_not_in_prerequisite_state
		return Stop
	}
	return Retry
}

// mysqlClasses holds the errors whose SQLSTATE says nothing (HY000) or misleads. Numbers are those of the MySQL and
// MariaDB server error references.
var mysqlClasses = map[uint16]Class{
	1203: Retry,   // ER_TOO_MANY_USER_CONNECTIONS
	1226: Retry,   // ER_USER_LIMIT_REACHED
	1265: Refused, // WARN_DATA_TRUNCATED
	1364: Refused, // ER_NO_DEFAULT_FOR_FIELD
	1366: Refused, // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD
	1367: Refused, // ER_ILLEGAL_VALUE_FOR_TYPE
	1411: Refused, // ER_WRONG_VALUE_FOR_TYPE
	1644: Refused, // ER_SIGNAL_EXCEPTION: a trigger's SIGNAL
	3140: Refused, // ER_INVALID_JSON_TEXT
	3819: Refused, // ER_CHECK_CONSTRAINT_VIOLATED
	4025: Refused, // ER_CONSTRAINT_FAILED (MariaDB)
	1153: Stop,    // ER_NET_PACKET_TOO_LARGE
	1193: Stop,    // ER_UNKNOWN_SYSTEM_VARIABLE
	1356: Stop,    // ER_VIEW_INVALID
	1524: Stop,    // ER_PLUGIN_IS_NOT_LOADED
	1698: Stop,    // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
	1792: Stop,    // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
	1820: Stop,    // ER_MUST_CHANGE_PASSWORD
	1862: Stop,    // ER_MUST_CHANGE_PASSWORD_LOGIN
	3118: Stop,    // ER_ACCOUNT_HAS_BEEN_LOCKED
	4151: Stop,    // ER_ACCOUNT_HAS_BEEN_LOCKED (MariaDB)
}

func classifyMySQL(err *mysql.MySQLError) Class {
	if class, known := mysqlClasses[err.Number]; known {
		return class
	}
	switch string(err.SQLState[:2]) {
	case "21", "22", "23":
		return Refused
	case "28", "3D", "42":
		return Stop
	}
	return Retry
}

// classifySQLite goes by the primary result code, the low byte of the extended one (sqlite.org/rescode.html).
func classifySQLite(code int) Class {
	switch code & 0xff {
	case 18, 19, 20: // TOOBIG, CONSTRAINT, MISMATCH
		return Refused
	case 1, 3, 8, 11, 21, 23, 25, 26: // ERROR, PERM, READONLY, CORRUPT, MISUSE, AUTH, RANGE, NOTADB
		return Stop
	}
	return Retry
}
