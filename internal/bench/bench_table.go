package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx

	"github.com/datong-dx/datong/broker"
)

// benchTable reads a PostgreSQL table to its standard topic, beside a bare loop over the same rows, and beside producing
// the same records without reading or mapping anything.
func benchTable(ctx context.Context, s *session) ([]figure, error) {
	n := s.size(1_000_000, 100_000)
	if err := s.fillTable(ctx, "register", 0, n); err != nil {
		return nil, err
	}
	if err := s.fillNumbered(ctx, "numbered", "register"); err != nil {
		return nil, err
	}
	rows, err := s.encodedRows(min(n, 64<<10))
	if err != nil {
		return nil, err
	}
	return s.repeat(func(round int) ([]figure, error) {
		bare, err := s.bareLoop(ctx, "register", n)
		if err != nil {
			return nil, err
		}
		produced, err := s.bareProduce(ctx, rows, n)
		if err != nil {
			return nil, err
		}
		published, err := s.tableToTopic(ctx, "register", n, round)
		if err != nil {
			return nil, err
		}
		numbered, err := s.tableToTopic(ctx, "numbered", n, round)
		if err != nil {
			return nil, err
		}
		return []figure{
			{"table_to_topic_rows_per_s", published, bare, atLeast(0.30), "a bare loop over the same rows, database/sql into sql.RawBytes"},
			{"table_to_topic_beside_produce_rows_per_s", published, produced, atLeast(0), "the same records committed alone: no reading, no mapping"},
			{"numbered_table_to_topic_rows_per_s", numbered, bare, atLeast(0.30), "the same loop; the table's key is a number, so each entity key is compared with those before"},
		}, nil
	})
}

// fillNumbered copies the register to a table whose key is a number and not the entity's.
func (s *session) fillNumbered(ctx context.Context, table, from string) error {
	if err := s.exec(ctx, fmt.Sprintf("CREATE TABLE %s AS SELECT row_number() OVER () AS id, * FROM %s", table, from)); err != nil {
		return err
	}
	if err := s.exec(ctx, fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (id)", table)); err != nil {
		return err
	}
	return s.exec(ctx, "VACUUM ANALYZE "+table)
}

func (s *session) tableToTopic(ctx context.Context, table string, n, round int) (float64, error) {
	prefix := fmt.Sprintf("%s-%s-%d", s.name, table, round)
	d, err := s.spawn(ctx, job{Prefix: prefix, Connector: "sqltable", Settings: map[string]string{"url": s.url, "tables": table}})
	if err != nil {
		return 0, err
	}
	if d.Status.Published != int64(n) {
		return 0, fmt.Errorf("published %d of %d rows", d.Status.Published, n)
	}
	return perSecond(n, d.Pipeline), s.deleteTopics(ctx, prefix)
}

// bareLoop is the limit of reading a table: every row is scanned, and nothing done with it.
func (s *session) bareLoop(ctx context.Context, table string, want int) (float64, error) {
	db, err := sql.Open("pgx", s.url)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	start := time.Now()
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+table)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	raw, dest := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range raw {
		dest[i] = &raw[i]
	}
	n := 0
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return 0, err
		}
		n++
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if n != want {
		return 0, fmt.Errorf("scanned %d of %d rows", n, want)
	}
	return perSecond(n, time.Since(start)), nil
}

// encoded is a record ready to be sent.
type encoded struct {
	partition int32
	body      []byte
}

const partitions = 8

// encodedRows makes the records of the register's first rows.
func (s *session) encodedRows(n int) ([]encoded, error) {
	mapper, first, err := newMapper()
	if err != nil {
		return nil, err
	}
	first.Release()
	en, list := newEncoder(mapper), make([]encoded, 0, n)
	b := newEnterprises().batch(registerTable(), 0, n)
	for i := range b.Rows {
		body, key := en.body(&b.Rows[i])
		list = append(list, encoded{broker.Partition(key, partitions), append([]byte(nil), body...)})
	}
	return list, nil
}

// bareProduce is the limit of publishing: the same transactions of records that are encoded already.
func (s *session) bareProduce(ctx context.Context, rows []encoded, n int) (float64, error) {
	// Kafka deletes a topic in its own time, so every round has one of its own.
	topic := fmt.Sprintf("%s-produce-%s.%s.%s", s.name, strings.ToLower(rand.Text()[:4]), department, entity)
	if err := s.client.EnsureTopic(ctx, broker.StandardTopic(topic, broker.TopicOptions{Partitions: partitions})); err != nil {
		return 0, err
	}
	p := s.client.NewProducer(s.name+"-produce", broker.ProducerOptions{})
	if err := p.Start(ctx); err != nil {
		return 0, err
	}
	var txn broker.Txn
	var spent time.Duration
	sent := 0
	for sent < n {
		txn.Reset()
		for _, r := range rows {
			txn.Add(topic, r.partition, r.body)
		}
		start := time.Now()
		if err := p.Commit(ctx, &txn); err != nil {
			return 0, err
		}
		spent += time.Since(start)
		sent += len(rows)
	}
	return perSecond(sent, spent), s.deleteTopics(ctx, topic)
}

func perSecond(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }
