//go:build services

package delivery

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/sqltable"
	"github.com/datong-dx/datong/internal/sqldb"
)

// platform is an empty database of one test on a server.
type platform struct {
	dialect sqldb.Dialect
	name    string
	url     string // for deliveries
	db      *sqlx.DB
}

func need(t testing.TB, variable string) string {
	t.Helper()
	if os.Getenv(variable) == "" {
		t.Fatalf("%s is not set: run deploy/testbed/testbed up, then source its env", variable)
	}
	return os.Getenv(variable)
}

// newPlatform makes a schema (PostgreSQL) or database (MySQL) that goes with the test.
func newPlatform(t testing.TB, variable string) *platform {
	t.Helper()
	address := need(t, variable)
	name := "delivery_" + strings.ToLower(rand.Text()[:10])
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(address, "mysql") {
		u.Path = "/" + name
	} else {
		q := u.Query()
		q.Set("search_path", name)
		u.RawQuery = q.Encode()
	}
	server, dialect, err := sqldb.Open(address, 1)
	if err != nil {
		t.Fatal(err)
	}
	kind := map[sqldb.Dialect]string{sqldb.MySQL: "DATABASE", sqldb.Postgres: "SCHEMA"}[dialect]
	if _, err := server.Exec("CREATE " + kind + " " + name); err != nil {
		t.Fatal(err)
	}
	p := &platform{dialect: dialect, name: name}
	if p.db, _, err = sqldb.Open(u.String(), 2); err != nil {
		t.Fatal(err)
	}
	if dialect == sqldb.Postgres { // by which the deliveries' sessions are told from all others on the server
		q := u.Query()
		q.Set("application_name", name)
		u.RawQuery = q.Encode()
	}
	p.url = u.String()
	t.Cleanup(func() {
		drop := "DROP " + kind + " " + name
		if dialect == sqldb.Postgres {
			drop += " CASCADE"
		}
		if _, err := server.Exec(drop); err != nil {
			t.Log(err)
		}
		p.db.Close()
		server.Close()
	})
	return p
}

func (p *platform) exec(t testing.TB, statement string) {
	t.Helper()
	if _, err := p.db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// rows returns the platform's divisions as department:code=name.
func (p *platform) rows(t testing.TB) []string {
	t.Helper()
	var got []string
	concat := "department || ':' || code || '=' || name"
	if p.dialect == sqldb.MySQL {
		concat = "CONCAT(department, ':', code, '=', name)"
	}
	if err := p.db.Select(&got, "SELECT "+concat+" FROM "+entity); err != nil {
		t.Fatal(err)
	}
	return got
}

// onServers runs a test with real Kafka and each of the database servers.
func onServers(t *testing.T, test func(t *testing.T, w *world, p *platform)) {
	t.Parallel()
	for name, variable := range map[string]string{"PostgreSQL": "DATONG_TEST_POSTGRES", "MySQL": "DATONG_TEST_MYSQL"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := broker.Connect(broker.Config{Brokers: []string{need(t, "DATONG_TEST_KAFKA")}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(client.Close)
			test(t, newWorldOn(t, client), newPlatform(t, variable))
		})
	}
}

// into returns the options of a delivery into a database.
func (w *world) into(address string) Options {
	opt := w.options()
	opt.Heartbeat = 500 * time.Millisecond
	opt.Connector = &connectors.Connector{Name: "sqltable", OpenSink: func(ctx context.Context, r connectors.SinkRequest) (connectors.Sink, error) {
		s, err := sqltable.Connector().OpenSink(ctx, r)
		if err != nil {
			return nil, err
		}
		return &hookedSink{s, w.hook}, w.hook.call("open")
	}}
	opt.Settings = connectors.Settings{"url": address, "schema": "", "table_prefix": "", "transaction_timeout": 20 * time.Second}
	return opt
}

// refuseBad makes the platform refuse divisions named 坏, as a constraint that someone has added.
func (p *platform) refuseBad(t testing.TB) {
	p.exec(t, "ALTER TABLE "+entity+" ADD CONSTRAINT not_bad CHECK (name <> '坏')")
}

func (p *platform) acceptBad(t testing.TB) {
	p.exec(t, "ALTER TABLE "+entity+" DROP CONSTRAINT not_bad")
}

func TestDatabaseRefusalsWaitAndAreRetried(t *testing.T) {
	onServers(t, func(t *testing.T, w *world, p *platform) {
		d, _ := w.start(w.into(p.url))
		w.publish("scjg", "440100", "广州")
		w.settle(d)
		p.refuseBad(t)
		w.publish("scjg", "440100", "", "440200", "坏", "440300", "深圳", "440400", "坏")
		w.settle(d)
		sortAndCompare(t, p.rows(t), []string{"scjg:440300=深圳"})
		w.wantWaiting(itemKey("scjg", "440200"), itemKey("scjg", "440400"))
		w.publish("scjg", "440400", "珠海")
		w.settle(d)
		p.acceptBad(t)
		if r := w.retry(d); r != (Answer{Chosen: 1, Delivered: 1}) {
			t.Errorf("retry = %+v", r)
		}
		sortAndCompare(t, p.rows(t), []string{"scjg:440200=坏", "scjg:440300=深圳", "scjg:440400=珠海"})
		w.wantWaiting()
	})
}

// Sessions end between transactions, inside one, and when its commit is known to nobody but the database.
func TestGoesOnWhenSessionsAreKilled(t *testing.T) {
	for _, at := range []string{"write", "refused", "committed"} {
		t.Run("at "+at, func(t *testing.T) {
			onServers(t, func(t *testing.T, w *world, p *platform) {
				d, _ := w.start(w.into(p.url))
				w.publish("scjg", "449999", "好")
				w.settle(d)
				p.refuseBad(t)
				want := map[string]string{"449999": "好"}
				var steps, kills atomic.Int32
				w.hook.set(func(step string) error {
					if step == at && steps.Add(1)%3 == 2 {
						kills.Add(p.killSessions(t))
					}
					return nil
				})
				for i := range 60 {
					w.publish("scjg", fmt.Sprintf("44%04d", i%50), fmt.Sprint("名", i), fmt.Sprintf("44%04d", i%50+50), "坏")
					want[fmt.Sprintf("44%04d", i%50)] = fmt.Sprint("名", i)
				}
				w.settle(d)
				p.want(t, want)
				if kills.Load() == 0 {
					t.Error("no session was killed")
				}
				w.hook.set(nil)
				w.retry(d) // closes what a killed session has left behind
				w.wantAccounted(d.Status(), 50, 0)
			})
		})
	}
}

// killSessions ends the sessions of the test's deliveries, and no others, and says how many there were.
func (p *platform) killSessions(t testing.TB) int32 {
	query := "SELECT CONCAT('KILL ', id) FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()"
	if p.dialect == sqldb.Postgres {
		query = "SELECT 'SELECT pg_terminate_backend(' || pid || ')' FROM pg_stat_activity WHERE application_name = $1"
	}
	var kills []string
	if err := p.db.Select(&kills, query, p.name); err != nil {
		t.Error(err)
	}
	for _, kill := range kills {
		_, _ = p.db.Exec(kill) // a session may have ended by itself
	}
	return int32(len(kills))
}

func (p *platform) want(t testing.TB, names map[string]string) {
	t.Helper()
	var want []string
	for code, name := range names {
		want = append(want, "scjg:"+code+"="+name)
	}
	sortAndCompare(t.(*testing.T), p.rows(t), want)
}

func TestConcurrentDeliveriesShareAndHandOver(t *testing.T) {
	onServers(t, func(t *testing.T, w *world, p *platform) {
		first, _ := w.start(w.into(p.url))
		want := map[string]string{}
		var stop func()
		for i := range 180 {
			if i%60 == 20 {
				_, stop = w.start(w.into(p.url))
			}
			if i%60 == 50 {
				stop()
			}
			code := fmt.Sprintf("44%04d", i%40)
			w.publish("scjg", code, fmt.Sprint("名", i))
			want[code] = fmt.Sprint("名", i)
		}
		w.settle(first)
		p.want(t, want)
	})
}
