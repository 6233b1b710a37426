package sqltable

import (
	"context"
	"time"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// clock is the database's own, which alone can be compared with the times in its rows.
type clock struct {
	now    int64 // Unix microseconds
	east   int64 // seconds that its local time is ahead of UTC
	oldest int64 // microseconds since the oldest transaction still running began, where the database tells
}

// maxReadOnlyHold is how long a transaction that has written nothing keeps the watermark back. One that is open for
// longer is taken for a report or a backup, which will not write any more.
const maxReadOnlyHold = 10 * time.Minute

// clock reads the database's clock. It must be read after the highest watermark: a transaction that begins in between
// writes later watermarks, and one that ended in between can be read.
func (db *database) clock(ctx context.Context) (c clock, err error) {
	switch db.dialect {
	case sqldb.Postgres:
		// Transactions of other accounts show only to members of pg_read_all_stats; Check says so.
		err = db.QueryRowxContext(ctx, `
			SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, extract(timezone FROM now())::bigint,
				coalesce((extract(epoch FROM clock_timestamp() - (
					SELECT min(xact_start) FROM pg_stat_activity
					WHERE pid <> pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'
						AND (backend_xid IS NOT NULL OR xact_start > clock_timestamp() - $1 * interval '1 second')
				)) * 1000000)::bigint, 0)`, int64(maxReadOnlyHold.Seconds())).Scan(&c.now, &c.east, &c.oldest)
	case sqldb.MySQL:
		err = db.QueryRowxContext(ctx, `
			SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED),
				COALESCE(TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', @@global.time_zone)), 0)`).Scan(&c.now, &c.east)
	case sqldb.SQLite: // knows no zone: what its texts mean is what times without one mean everywhere here
		c.east = chinaStandardTime
		err = db.QueryRowxContext(ctx, `SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)`).Scan(&c.now)
	}
	if err != nil {
		return clock{}, failed("read the clock of", sqldb.Redact(db.configured), err)
	}
	c.oldest = max(c.oldest, 0)
	return c, nil
}

// latest returns the highest watermark of the kind that can be true now; a row beyond it (2099-12-31) must not carry the
// watermark away with it. A time without a zone may be the database's local time or China's.
func (c *clock) latest(kind connectors.Kind, slack int64) int64 {
	switch kind {
	case connectors.KindTimestamp:
		return c.now + slack
	case connectors.KindDate, connectors.KindDateTime, connectors.KindText:
		return c.now + max(c.east, chinaStandardTime)*1e6 + slack
	}
	return -noMark - 1
}

// instant returns a watermark as a time of change, never later than the database's now; now for what is no time.
func (c *clock) instant(v connectors.Value) int64 {
	n, ok := ordinal(v)
	if !ok || isID(v.Kind()) {
		return c.now
	}
	if v.Kind() != connectors.KindTimestamp {
		n -= c.east * 1e6
	}
	return min(n, c.now)
}
