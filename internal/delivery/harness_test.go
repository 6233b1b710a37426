package delivery

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/brokertest"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/memory"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// world is a broker, topics of one prefix, and a store that a delivery fills with divisions.
type world struct {
	t        *testing.T
	client   *broker.Client
	prefix   string
	store    *memory.Store
	producer *broker.Producer
	order    uint64
	hook     *hook
	// published counts the records sent, by department/pipeline.
	published  map[string]int64
	partitions int // of the topics
	bad        int // rounds, see round
}

func newWorld(t *testing.T) *world { return newWorldOn(t, brokertest.Start(t)) }

func newWorldOn(t *testing.T, client *broker.Client) *world {
	t.Helper()
	w := &world{t: t, client: client, prefix: "d" + strings.ToLower(rand.Text()[:8]), store: memory.NewStore(), hook: &hook{},
		published: map[string]int64{}, partitions: 3}
	w.topic("scjg")
	w.producer = client.NewProducer(w.prefix+".test", broker.ProducerOptions{})
	if err := w.producer.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

const entity = "division"

func (w *world) name(department string) string { return w.prefix + "." + department + "." + entity }

func (w *world) topic(department string) {
	w.t.Helper()
	if err := w.client.EnsureTopic(w.t.Context(), broker.StandardTopic(w.name(department), broker.TopicOptions{Partitions: w.partitions})); err != nil {
		w.t.Fatal(err)
	}
}

// topicWith makes a topic as somebody else may have.
func (w *world) topicWith(department string, partitions int, policy string) {
	w.t.Helper()
	topic := broker.Topic{Name: w.name(department), Partitions: partitions, Replication: 1, Config: map[string]string{"cleanup.policy": policy}}
	if err := w.client.EnsureTopic(w.t.Context(), topic); err != nil {
		w.t.Fatal(err)
	}
}

// publish sends name as the division of a code to a department's topic; an empty name is a delete.
func (w *world) publish(department string, codesAndNames ...string) {
	w.t.Helper()
	var txn broker.Txn
	envelope := broker.NewEnvelope(department, "pipe", "set", entity, "0.1.0")
	for i := 0; i < len(codesAndNames); i += 2 {
		w.order++
		code, name := codesAndNames[i], codesAndNames[i+1]
		key := []byte(code + "\x1f2024")
		var value []byte
		if name != "" {
			value = fmt.Appendf(nil, `{"code":%q,"year":2024,"name":%s}`, code, strconv.Quote(name))
		}
		event := broker.Event{Time: time.Now().UnixMicro(), Order: connectors.Order{Sequence: w.order}}
		txn.Add(w.name(department), broker.Partition(key, w.partitions), envelope.AppendBody(nil, key, value, &event))
		w.published[department+"/pipe"]++
	}
	w.commit(&txn)
}

// raw sends a record that our pipelines would not make.
func (w *world) raw(department, key, value string, headers ...broker.Header) {
	w.t.Helper()
	var txn broker.Txn
	txn.Add(w.name(department), broker.Partition([]byte(key), w.partitions), broker.AppendPlainBody(nil, []byte(key), []byte(value), headers...))
	w.commit(&txn)
}

func (w *world) commit(txn *broker.Txn) {
	w.t.Helper()
	if err := w.producer.Commit(w.t.Context(), txn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) options() Options {
	return Options{
		Name: "platform", Prefix: w.prefix, Site: "main", Client: w.client, Dictionary: dictionary.Builtin(),
		Connector: &connectors.Connector{Name: "memory", OpenSink: func(context.Context, connectors.SinkRequest) (connectors.Sink, error) {
			return &hookedSink{memory.NewSink(w.store), w.hook}, w.hook.call("open")
		}},
		Entities: []string{entity}, Refresh: 100 * time.Millisecond, RetryInterval: time.Hour,
		Heartbeat: 100 * time.Millisecond, SessionTimeout: 6 * time.Second,
		Log: slog.New(slog.NewTextHandler(testWriter{w.t}, nil)),
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// start runs a delivery until the test ends, or stop is called.
func (w *world) start(opt Options) (d *Delivery, stop func()) {
	w.t.Helper()
	d, err := New(opt)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	var running sync.WaitGroup
	running.Go(func() {
		if err := d.Run(ctx); err != nil {
			w.t.Errorf("Run = %v", err)
		}
	})
	stop = func() { cancel(); running.Wait() }
	w.t.Cleanup(stop)
	return d, stop
}

func (w *world) settle(d *Delivery) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	if err := d.WaitIdle(ctx); err != nil {
		w.t.Fatalf("the delivery did not settle: %v; %+v", err, d.Status())
	}
}

// want compares the platform with department:code=name in the order of insertion.
func (w *world) want(rows ...string) {
	w.t.Helper()
	var got []string
	for _, r := range w.store.Rows(entity) {
		got = append(got, r[0]+":"+r[1]+"="+r[3])
	}
	sortAndCompare(w.t, got, rows)
}

// wantAccounted makes sure that every record published is accounted for, once, and that as many wait as should.
func (w *world) wantAccounted(s Status, waiting, discarded int64) {
	w.t.Helper()
	for name, n := range w.published {
		if c := s.Pipelines[name]; c.Delivered+c.Refused != n {
			w.t.Errorf("%s: %d records published, %d delivered and %d refused", name, n, c.Delivered, c.Refused)
		}
	}
	if s.Waiting != waiting || s.Refused != waiting+discarded {
		w.t.Errorf("%d records wait and %d are refused in all, want %d and %d", s.Waiting, s.Refused, waiting, waiting+discarded)
	}
}

// waiting returns the items of the quarantine that wait, by key.
func (w *world) waiting() map[string]*Item {
	w.t.Helper()
	items := map[string]*Item{}
	err := Scan(w.t.Context(), w.client, w.prefix, "main", func(item *Item) error {
		items[strings.Join([]string{item.Delivery, item.Entity, item.Department, item.Key}, separator)] = item
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return items
}

// hook lets a test act at steps of the sink: "open", "write", "refused" (the refused rows are in quarantine, the commit
// comes), "committed". An error it returns is the sink's.
type hook struct {
	mu sync.Mutex
	fn func(step string) error
}

func (h *hook) set(fn func(step string) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fn = fn
}

func (h *hook) call(step string) error {
	h.mu.Lock()
	fn := h.fn
	h.mu.Unlock()
	if fn == nil {
		return nil
	}
	return fn(step)
}

// once returns a hook that does something the first time that a step is reached.
func once(step string, do func() error) func(string) error {
	var o sync.Once
	return func(at string) (err error) {
		if at == step {
			o.Do(func() { err = do() })
		}
		return err
	}
}

type hookedSink struct {
	connectors.Sink
	hook *hook
}

func (s *hookedSink) Write(ctx context.Context, c *connectors.Changes, refused func(context.Context, []connectors.Refusal) error) error {
	if err := s.hook.call("write"); err != nil {
		return err
	}
	err := s.Sink.Write(ctx, c, func(ctx context.Context, list []connectors.Refusal) error {
		if err := refused(ctx, list); err != nil {
			return err
		}
		return s.hook.call("refused")
	})
	if err != nil {
		return err
	}
	return s.hook.call("committed")
}

// refuse makes the store refuse divisions of a name.
func (w *world) refuse(name string) {
	w.store.Refuse(func(r *connectors.Row) error {
		if r.Op != connectors.OpDelete && string(r.Values[3].Bytes()) == name && name != "" {
			return errors.New("the platform does not like this name")
		}
		return nil
	})
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func memoryOf(w *world) connectors.Sink { return memory.NewSink(w.store) }

// memoryPut writes a row past the delivery, as someone with rights on the database may.
func memoryPut(w *world, department, code, name string) error {
	values := make([]connectors.Value, len(tablesOf(w)[entity].Columns))
	values[0], values[1] = connectors.String([]byte(department)), connectors.String([]byte(code))
	values[2], values[3] = connectors.Int(2024), connectors.String([]byte(name))
	return w.store.Put(entity, 0, values...)
}

func tablesOf(w *world) map[string]*entityTable {
	tables, err := entityTables(dictionary.Builtin(), []string{entity})
	if err != nil {
		w.t.Fatal(err)
	}
	return tables
}

// eventually waits until something is seen.
func (w *world) eventually(seen func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !seen() {
		if time.Now().After(deadline) {
			w.t.Fatal("it was not seen in time")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
