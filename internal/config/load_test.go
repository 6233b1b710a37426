package config

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
)

var update = flag.Bool("update", false, "rewrite the wanted problems in testdata/problems")

// sampleRegistry holds connectors that take every type of option and reach nothing.
func sampleRegistry(t testing.TB) *connectors.Registry {
	t.Helper()
	help := connectors.Text{Zh: "说明", En: "what it means"}
	options := []connectors.Option{
		{Name: "url", Type: connectors.SecretOption, Required: true, Example: "${env:SAMPLE_URL}", Help: help},
		{Name: "format", Type: connectors.StringOption, Default: "csv", Values: []string{"csv", "json"}, Help: help},
		{Name: "fetch", Type: connectors.IntOption, Default: "100", Help: help},
		{Name: "header", Type: connectors.BoolOption, Default: "true", Help: help},
		{Name: "every", Type: connectors.DurationOption, Default: "5s", Help: help},
		{Name: "tables", Type: connectors.ListOption, Help: help},
		{Name: "kinds", Type: connectors.ListOption, Default: "[a, b]", Values: []string{"a", "b", "c"}, Help: help},
		{Name: "columns", Type: connectors.MapOption, Help: help},
	}
	both := &connectors.Connector{
		Name: "sample", SourceOptions: options, SinkOptions: options,
		OpenSource: func(context.Context, connectors.SourceRequest) (connectors.Source, error) { return nil, nil },
		OpenSink:   func(context.Context, connectors.SinkRequest) (connectors.Sink, error) { return nil, nil },
		ValidateSource: func(s connectors.Settings) []connectors.Problem {
			if connectors.Setting[string](s, "format") == "json" && connectors.Setting[bool](s, "header") {
				return []connectors.Problem{{Where: "header", What: connectors.Text{Zh: "JSON 没有表头", En: "JSON has no header"}}}
			}
			return nil
		},
	}
	reader := &connectors.Connector{Name: "reader", OpenSource: both.OpenSource}
	reg, err := connectors.NewRegistry(both, reader)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

// writeFiles writes an archive's files, except what is wanted, below a new directory.
func writeFiles(t testing.TB, a *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range a.Files {
		if strings.HasPrefix(f.Name, "want.") {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestEveryMistakeIsReportedAtItsPlaceInBothLanguages(t *testing.T) {
	t.Setenv("SAMPLE_SECRET", "hunter2")
	paths, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := writeFiles(t, a)
			_, err = Load(dir, sampleRegistry(t))
			got := map[string]string{}
			for _, lang := range []string{"en", "zh"} {
				var lines strings.Builder
				for _, p := range Problems(err) {
					lines.WriteString(strings.ReplaceAll(p.In(lang), dir, "ex") + "\n")
				}
				got["want."+lang] = lines.String()
			}
			if strings.Contains(got["want.en"], "hunter2") {
				t.Error("a secret is shown")
			}
			compareWanted(t, path, a, got)
		})
	}
}

func compareWanted(t *testing.T, path string, a *txtar.Archive, got map[string]string) {
	t.Helper()
	for i, f := range a.Files {
		text, wanted := got[f.Name]
		if !wanted {
			continue
		}
		if *update {
			a.Files[i].Data = []byte(text)
		} else if diff := cmp.Diff(string(f.Data), text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f.Name, diff)
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOptionsArriveAsTheirTypesWithDefaultsApplied(t *testing.T) {
	t.Setenv("SAMPLE_SECRET", "hunter2")
	dir := writeFiles(t, txtar.Parse([]byte(`
-- datong.yaml --
brokers: embedded
-- deliveries/platform.yaml --
sink:
  connector: sample
  url: postgres://u:${env:SAMPLE_SECRET}@h/db?x=$${y}
  tables: one
  columns: {a: b}
  fetch: "7"
batch: {rows: 10, interval: 1s}
`)))
	x, err := Load(dir, sampleRegistry(t))
	if err != nil {
		t.Fatal(err)
	}
	got := x.Deliveries[0]
	want := connectors.Settings{
		"url": "postgres://u:hunter2@h/db?x=${y}", "format": "csv", "fetch": int64(7), "header": true, "every": 5 * time.Second,
		"tables": []string{"one"}, "kinds": []string{"a", "b"}, "columns": map[string]string{"a": "b"},
	}
	if diff := cmp.Diff(want, got.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if got.Name != "platform" || got.BatchRows != 10 || got.BatchInterval != time.Second {
		t.Errorf("delivery %s batch %d %v", got.Name, got.BatchRows, got.BatchInterval)
	}
}

func TestASecretIsReadFromAFileWithoutItsLineBreak(t *testing.T) {
	dir := writeFiles(t, txtar.Parse([]byte(`
-- secret --
hunter2
-- datong.yaml --
brokers: [a:1, b:2]
prefix: gov
site: front-1
topics: {partitions: 3, replication: 2, compression: zstd}
transaction_timeout: 20s
security: {sasl: {mechanism: PLAIN, username: u, password: "${file:secret}"}}
-- deliveries/platform.yaml --
sink: {connector: sample, url: x}
`)))
	x, err := Load(dir, sampleRegistry(t))
	if err != nil {
		t.Fatal(err)
	}
	if x.Broker.SASL.Password != "hunter2" {
		t.Errorf("password has %d bytes", len(x.Broker.SASL.Password))
	}
	if diff := cmp.Diff([]string{"a:1", "b:2"}, x.Broker.Brokers); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Topics{TopicOptions: broker.TopicOptions{Partitions: 3, Replication: 2}, Compression: "zstd"}, x.Topics); diff != "" {
		t.Error(diff)
	}
	if x.Embedded || x.Prefix != "gov" || x.Site != "front-1" || x.Broker.ClientID != "datong-front-1" || x.TransactionTimeout != 20*time.Second {
		t.Errorf("exchange %+v", x)
	}
}

func TestLimitsOfAPipeline(t *testing.T) {
	dir := writeFiles(t, txtar.Parse([]byte(`
-- datong.yaml --
brokers: embedded
-- departments/a/divisions.yaml --
source: {connector: sample, url: x}
mapping:
  entity: division
  fields: {code: C, year: Y, name: N, level: L}
commit: {interval: 1s, rows: 10, bytes: 1MiB}
max_refused: 5%
max_deletes: {rows: 7}
limits: {rows_per_second: 100, windows: ["22:00-06:00", "9:00-17:30"]}
`)))
	x, err := Load(dir, sampleRegistry(t))
	if err != nil {
		t.Fatal(err)
	}
	p := x.Pipelines[0]
	if p.ID() != "a/divisions" || p.CommitInterval != time.Second || p.CommitRows != 10 || p.CommitBytes != 1<<20 || p.RowsPerSecond != 100 {
		t.Errorf("pipeline %+v", p)
	}
	if got, want := []Limit{p.MaxRefused, p.MaxDeletes}, []Limit{{5, 1000}, {10, 7}}; !slices.Equal(got, want) {
		t.Errorf("limits: got %v, want %v", got, want)
	}
	want := []Window{{22 * time.Hour, 6 * time.Hour}, {9 * time.Hour, 17*time.Hour + 30*time.Minute}}
	if diff := cmp.Diff(want, p.Windows); diff != "" {
		t.Errorf("windows (-want +got):\n%s", diff)
	}
}

func TestBrokersMayComeAsOneTextFromTheEnvironment(t *testing.T) {
	t.Setenv("KAFKA", "k1:9092, k2:9092")
	dir := writeFiles(t, txtar.Parse([]byte("-- datong.yaml --\nbrokers: ${env:KAFKA}\n-- deliveries/a.yaml --\nsink: {connector: sample, url: x}\n")))
	x, err := Load(dir, sampleRegistry(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"k1:9092", "k2:9092"}, x.Broker.Brokers); diff != "" {
		t.Error(diff)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("brokers: embedded\n", "sink: {connector: sample, url: x}\n", "source: {connector: sample, url: x}\nmapping: {entity: legal_entity, fields: {uscc: A}}\n")
	f.Add("brokers: [a:1]\nsecurity: {tls: {}}\n", "sink: {connector: sample, tables: {a: 1}}", "mappings: [{}]\nlimits: {windows: [\"22:00-06:00\"]}")
	f.Add("a: &a [*a]\n", "? [x]\n: y\n", "max_refused: {percent: 50%}\ncommit: {bytes: 16MiB}")
	reg := sampleRegistry(f)
	f.Fuzz(func(t *testing.T, site, delivery, pipeline string) {
		dir := writeFiles(t, &txtar.Archive{Files: []txtar.File{
			{Name: "datong.yaml", Data: []byte(site)},
			{Name: "deliveries/d.yaml", Data: []byte(delivery)},
			{Name: "departments/a/p.yaml", Data: []byte(pipeline)},
		}})
		x, err := Load(dir, reg)
		if (x == nil) != (err != nil) {
			t.Fatalf("exchange %v with error %v", x, err)
		}
		for _, p := range Problems(err) {
			if p.Where == "" || p.What.Zh == "" || p.What.En == "" {
				t.Errorf("a problem without place or text: %#v", p)
			}
		}
	})
}
