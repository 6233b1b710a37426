package sqltable

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// offsetsTable is the sink's own table: for each partition the next offset to read, and what the delivery keeps with it.
// It stands beside the tables that it speaks of and is written in their transactions.
const offsetsTable = "_datong_offsets"

// offsetColumns are the columns that name a partition, quoted for a dialect.
func (s *sqlSink) offsetColumns() string {
	q := s.dialect.Quote
	return q("cluster") + ", " + q("topic") + ", " + q("partition")
}

func (s *sqlSink) offsetsName() string { return s.qualified(offsetsTable) }

// createOffsets makes the offsets table where it is missing. Names of clusters and topics are compared byte by byte.
func (s *sqlSink) createOffsets(ctx context.Context) error {
	text, moment, state := "text", "timestamptz", "bytea"
	switch s.dialect {
	case sqldb.MySQL:
		// 249 is the longest name that Kafka takes for a topic.
		text, moment, state = "varchar(249) CHARACTER SET ascii COLLATE ascii_bin", "datetime(6)", "mediumblob"
	case sqldb.SQLite:
		moment, state = "text", "blob"
	}
	q := s.dialect.Quote
	return s.exec(ctx, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (%s %s NOT NULL, %s %s NOT NULL, %s integer NOT NULL, "+
		"next_offset bigint NOT NULL, state %s, updated_at %s NOT NULL, PRIMARY KEY (%s))",
		s.offsetsName(), q("cluster"), text, q("topic"), text, q("partition"), state, moment, s.offsetColumns()))
}

// Offsets returns how far each partition was taken in. A topic known from another cluster is a problem: its offsets
// mean nothing in this one.
func (s *sqlSink) Offsets(ctx context.Context, partitions []connectors.Partition) ([]connectors.Offset, error) {
	if _, err := s.session(ctx); err != nil {
		return nil, err
	}
	columns, err := s.inspect(ctx, s.tableName(offsetsTable))
	if err != nil {
		return nil, failed("look for", offsetsTable, err)
	}
	if len(columns) == 0 {
		return inOrder(partitions, nil), nil
	}
	offsets, err := s.selectOffsets(ctx, partitions, "")
	if err != nil {
		return nil, failed("read", offsetsTable, err)
	}
	for i, p := range partitions {
		if offsets[i].Next < 0 {
			if err := s.refuseOtherCluster(ctx, p); err != nil {
				return nil, err
			}
		}
	}
	return offsets, nil
}

func (s *sqlSink) refuseOtherCluster(ctx context.Context, p connectors.Partition) error {
	var others []string
	q := s.dialect.Quote
	statement := fmt.Sprintf("SELECT DISTINCT %s FROM %s WHERE %s = ? AND %s <> ?",
		q("cluster"), s.offsetsName(), q("topic"), q("cluster"))
	if err := s.conn.SelectContext(ctx, &others, s.db.Rebind(statement), p.Topic, p.Cluster); err != nil {
		return failed("read", offsetsTable, err)
	}
	if len(others) == 0 {
		return nil
	}
	return stop(p.Topic,
		fmt.Sprintf("this database was filled from Kafka cluster %s, and the brokers now are cluster %s", strings.Join(others, ", "), p.Cluster),
		fmt.Sprintf("本库的数据来自 Kafka 集群 %s，而现在的代理属于集群 %s", strings.Join(others, "、"), p.Cluster),
		"correct brokers: in datong.yaml; or, when the new cluster is meant, fill the tables anew with `datong delivery rebuild`",
		"更正 datong.yaml 中的 brokers:；若确已换集群，用 `datong delivery rebuild` 重新装载")
}

// lockOffsets locks the offset row of every partition, in order, until the transaction ends, and compares it with what
// the caller believes. A partition never seen is inserted first, so that of two who begin it one waits and then sees.
func (s *sqlSink) lockOffsets(ctx context.Context, moves []connectors.Advance) error {
	partitions := make([]connectors.Partition, len(moves))
	var unseen []connectors.Advance
	for i, m := range moves {
		partitions[i] = m.Partition
		if m.From < 0 {
			unseen = append(unseen, connectors.Advance{Partition: m.Partition, Next: -1})
		}
	}
	if err := s.putOffsets(ctx, unseen, false); err != nil {
		return failed("insert into", offsetsTable, err)
	}
	forUpdate := " FOR UPDATE"
	if s.dialect == sqldb.SQLite {
		forUpdate = "" // BEGIN IMMEDIATE has locked the whole file
	}
	offsets, err := s.selectOffsets(ctx, partitions, forUpdate)
	if err != nil {
		return failed("lock", offsetsTable, err)
	}
	for i, m := range moves {
		// A row that is missing was taken away by a rebuild.
		if next := offsets[i].Next; next != m.From && !(m.From < 0 && next < 0) {
			return fmt.Errorf("move %s/%d from offset %d: the database stands at %d: %w",
				m.Topic, m.ID, m.From, next, connectors.ErrFenced)
		}
	}
	return nil
}

// putOffsets inserts offsets; where a row exists it is overwritten or left alone.
func (s *sqlSink) putOffsets(ctx context.Context, moves []connectors.Advance, overwrite bool) error {
	if len(moves) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s, next_offset, state, updated_at) VALUES ", s.offsetsName(), s.offsetColumns())
	args := make([]any, 0, 6*len(moves))
	now := moment(s.dialect, connectors.Timestamp(time.Now().UnixMicro()))
	for i, m := range moves {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("(?, ?, ?, ?, ?, ?)")
		args = append(args, m.Cluster, m.Topic, m.ID, m.Next, m.State, now)
	}
	switch {
	case s.dialect == sqldb.MySQL && overwrite:
		b.WriteString(" ON DUPLICATE KEY UPDATE next_offset = VALUES(next_offset), state = VALUES(state), updated_at = VALUES(updated_at)")
	case s.dialect == sqldb.MySQL:
		b.WriteString(" ON DUPLICATE KEY UPDATE next_offset = next_offset")
	case overwrite:
		fmt.Fprintf(&b, " ON CONFLICT (%s) DO UPDATE SET next_offset = excluded.next_offset, state = excluded.state, updated_at = excluded.updated_at",
			s.offsetColumns())
	default:
		fmt.Fprintf(&b, " ON CONFLICT (%s) DO NOTHING", s.offsetColumns())
	}
	return s.exec(ctx, b.String(), args...)
}

// perSelect bounds the parameters of one statement.
const perSelect = 1000

// selectOffsets reads the offsets of the partitions in their order. MySQL is asked row by row: given a choice of rows it
// may scan the table and wait for locks on rows that were not asked for.
func (s *sqlSink) selectOffsets(ctx context.Context, partitions []connectors.Partition, suffix string) ([]connectors.Offset, error) {
	found := make(map[connectors.Partition]connectors.Offset, len(partitions))
	size := perSelect
	if s.dialect == sqldb.MySQL && suffix != "" {
		size = 1
	}
	for from := 0; from < len(partitions); from += size {
		if err := s.selectSome(ctx, partitions[from:min(from+size, len(partitions))], suffix, found); err != nil {
			return nil, err
		}
	}
	return inOrder(partitions, found), nil
}

// inOrder lists what was found of the partitions.
func inOrder(partitions []connectors.Partition, found map[connectors.Partition]connectors.Offset) []connectors.Offset {
	list := make([]connectors.Offset, len(partitions))
	for i, p := range partitions {
		at, ok := found[p]
		if !ok {
			at.Next = -1
		}
		list[i] = at
	}
	return list
}

func (s *sqlSink) selectSome(ctx context.Context, partitions []connectors.Partition, suffix string, found map[connectors.Partition]connectors.Offset) error {
	var b strings.Builder
	fmt.Fprintf(&b, "SELECT %s, next_offset, state FROM %s WHERE ", s.offsetColumns(), s.offsetsName())
	args := s.wherePartitions(&b, partitions)
	fmt.Fprintf(&b, " ORDER BY %s%s", s.offsetColumns(), suffix)
	rows, err := s.conn.QueryContext(ctx, s.db.Rebind(b.String()), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var p connectors.Partition
		var at connectors.Offset
		if err := rows.Scan(&p.Cluster, &p.Topic, &p.ID, &at.Next, &at.State); err != nil {
			return err
		}
		found[p] = at
	}
	return rows.Err()
}

func (s *sqlSink) wherePartitions(b *strings.Builder, partitions []connectors.Partition) []any {
	q := s.dialect.Quote
	one := fmt.Sprintf("(%s = ? AND %s = ? AND %s = ?)", q("cluster"), q("topic"), q("partition"))
	args := make([]any, 0, 3*len(partitions))
	for i, p := range partitions {
		if i > 0 {
			b.WriteString(" OR ")
		}
		b.WriteString(one)
		args = append(args, p.Cluster, p.Topic, p.ID)
	}
	return args
}

// Rewind forgets the offsets of the partitions, in whatever cluster they were counted, and empties the tables, in one
// transaction: a reader of the platform sees the tables full, or empty, and a delivery that still writes is fenced.
func (s *sqlSink) Rewind(ctx context.Context, tables []*connectors.Table, partitions []connectors.Partition) error {
	if _, err := s.session(ctx); err != nil {
		return err
	}
	if err := s.createOffsets(ctx); err != nil {
		return failed("create", offsetsTable, err)
	}
	return s.transaction(ctx, func() error {
		q := s.dialect.Quote
		forget := fmt.Sprintf("DELETE FROM %s WHERE %s = ? AND %s = ?", s.offsetsName(), q("topic"), q("partition"))
		for _, p := range partitions {
			if err := s.exec(ctx, forget, p.Topic, p.ID); err != nil {
				return failed("delete from", offsetsTable, err)
			}
		}
		for _, t := range tables {
			verb := "DELETE FROM "
			if s.dialect == sqldb.Postgres {
				verb = "TRUNCATE " // at MySQL it would commit
			}
			if err := s.exec(ctx, verb+s.qualified(t.Name)); err != nil {
				return failed("empty", t.Name, err)
			}
		}
		return nil
	})
}
