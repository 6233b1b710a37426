package pipeline

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/broker/embedded"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/memory"
	"github.com/datong-dx/datong/mapping"
	"github.com/datong-dx/datong/mapping/dictionary"
)

const thingEntity = `
entity: thing
title: {zh: 物, en: Thing}
definition: {zh: 测试用, en: For tests}
standard: datong
key: [id]
elements:
  id: {title: {zh: 号, en: Id}, definition: {zh: 号, en: Id}, type: string, length: 20, obligation: mandatory}
  name: {title: {zh: 名, en: Name}, definition: {zh: 名, en: Name}, type: string, length: 10, obligation: mandatory}
  note: {title: {zh: 注, en: Note}, definition: {zh: 注, en: Note}, type: string}
`

const thingMapping = `
entity: thing
when: row["kind"] != "skip"
fields:
  id: id
  name: name
  note: {from: kind}
`

// plan compiles a mapping over the dictionary of things.
func plan(t testing.TB, text string) *mapping.Plan {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "entities"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "entities", "thing.yaml"), []byte(thingEntity), 0o600); err != nil {
		t.Fatal(err)
	}
	dict, err := dictionary.Builtin().Extend(dir)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	spec, err := mapping.ParseSpec(doc.Content[0], "things.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := mapping.Compile(spec, dict, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// world is a department system, a broker and what is needed to run pipelines between them.
type world struct {
	t      testing.TB
	store  *memory.Store
	client *broker.Client
	opt    Options
}

func newWorld(t testing.TB) *world {
	t.Helper()
	b, err := embedded.Start(t.Context(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := broker.Connect(broker.Config{Brokers: []string{b.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w := &world{t: t, client: client}
	w.newStore()
	w.opt = Options{
		Department: "dept", Name: "things", Prefix: "test", Dictionary: "1.0.0",
		Plans:     []*mapping.Plan{plan(t, thingMapping)},
		Connector: w.connector("memory"), Client: client, Log: slog.New(slog.DiscardHandler),
		Topics: broker.TopicOptions{Partitions: 3}, UntilIdle: true, TempDir: t.TempDir(),
	}
	return w
}

// newStore gives the world an empty source in place of the one before.
func (w *world) newStore() {
	w.t.Helper()
	w.store = memory.NewStore()
	if err := w.store.Create(&connectors.Table{
		Name: "things", Columns: []connectors.Column{{Name: "id"}, {Name: "name"}, {Name: "kind"}}, Key: []int{0}, Unique: true,
	}); err != nil {
		w.t.Fatal(err)
	}
}

// connector reads the world's store.
func (w *world) connector(name string) *connectors.Connector {
	return &connectors.Connector{
		Name: name,
		OpenSource: func(_ context.Context, r connectors.SourceRequest) (connectors.Source, error) {
			return memory.NewSource(w.store, r.Position, 7)
		},
	}
}

func (w *world) put(id, name, kind string) {
	w.t.Helper()
	if err := w.store.Put("things", time.Now().UnixMicro(), text(id), text(name), text(kind)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) remove(id string) {
	w.t.Helper()
	if err := w.store.Delete("things", time.Now().UnixMicro(), text(id), text(""), text("")); err != nil {
		w.t.Fatal(err)
	}
}

func text(s string) connectors.Value { return connectors.String([]byte(s)) }

// run runs the pipeline until the source is idle and returns its counts.
func (w *world) run() Status {
	w.t.Helper()
	p := New(w.opt)
	if err := p.Run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	s := p.Status()
	if s.Unaccounted != 0 {
		w.t.Errorf("unaccounted = %d, want 0: %+v", s.Unaccounted, s)
	}
	return s
}

// topic returns what a read-committed consumer holds of the topic: key → value. It fails when an event id comes twice.
func (w *world) topic() map[string]string {
	w.t.Helper()
	state, ids := map[string]string{}, map[string]bool{}
	_, err := w.client.Scan(w.t.Context(), "test.dept.thing", nil, func(_ int32, r *broker.Record) error {
		id := string(r.Header(broker.HeaderID))
		if ids[id] {
			w.t.Errorf("ce_id %s of key %s came twice", id, r.Key)
		}
		ids[id] = true
		if r.Value == nil {
			delete(state, string(r.Key))
		} else {
			state[string(r.Key)] = string(r.Value)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return state
}
