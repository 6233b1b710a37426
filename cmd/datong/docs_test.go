package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/all"
	"github.com/datong-dx/datong/internal/config"
)

const repository = "../.."

// readmes are the two READMEs with the locale in which their commands were run.
var readmes = map[string]string{"README.md": "C", "README.zh-CN.md": "zh_CN.UTF-8"}

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fences returns what stands in a document's fenced blocks of a language.
func fences(text, language string) []string {
	var blocks []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// TestReadmeCommandsPrintWhatItShows runs the quick start of both READMEs, command by command.
func TestReadmeCommandsPrintWhatItShows(t *testing.T) {
	for name, locale := range readmes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, block := range fences(document(t, name), "console") {
				for _, c := range transcript(block) {
					sh := exec.CommandContext(t.Context(), "bash", "-c", c.command)
					sh.Dir, sh.Env = dir, append(os.Environ(), "LC_ALL=", "LC_MESSAGES="+locale)
					out, err := sh.CombinedOutput()
					if diff := cmp.Diff(steady(c.output), steady(string(out))); diff != "" || err != nil {
						t.Fatalf("$ %s: %v\n(-README +printed)\n%s", c.command, err, diff)
					}
					freePort(t, filepath.Join(dir, "my-exchange/datong.yaml"))
				}
			}
		})
	}
}

// spans returns what a document marks as code inside its sentences and tables.
func spans(text string) string {
	return strings.Join(regexp.MustCompile("`[^`\n]+`").FindAllString(regexp.MustCompile("(?ms)^```.*?^```").ReplaceAllString(text, ""), -1), "\n")
}

type step struct{ command, output string }

// transcript takes a block apart into commands, which begin with $ and go on with >, and what they print.
func transcript(block string) []step {
	var list []step
	for line := range strings.Lines(block) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			list = append(list, step{command: command})
		} else if more, ok := strings.CutPrefix(line, "> "); ok {
			list[len(list)-1].command += more
		} else {
			list[len(list)-1].output += line
		}
	}
	return list
}

var unsteady = regexp.MustCompile(`time=\S+|127\.0\.0\.1:\d+| +$|\d+\.\ds$`)

// steady takes out of a text what is another at every run.
func steady(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = unsteady.ReplaceAllString(lines[i], "")
	}
	return lines
}

// freePort lets an exchange serve where no other test does.
func freePort(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), "http: 127.0.0.1:8470", "http: 127.0.0.1:0", 1))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestReadmeNamesEveryKey asks the program which keys it knows, by giving it one that it does not know everywhere.
func TestReadmeNamesEveryKey(t *testing.T) {
	dir := t.TempDir()
	for path, text := range map[string]string{
		"datong.yaml":                  "zzzzzzzz: 1\nbrokers: embedded\ntopics: {zzzzzzzz: 1}\nsecurity: {zzzzzzzz: 1, tls: {zzzzzzzz: 1}, sasl: {zzzzzzzz: 1}}\n",
		"deliveries/one.yaml":          "zzzzzzzz: 1\nsink: {connector: sqltable, zzzzzzzz: 1}\nbatch: {zzzzzzzz: 1}\n",
		"departments/a/b.yaml":         "zzzzzzzz: 1\nsource: {connector: memory, name: x}\ncommit: {zzzzzzzz: 1}\nmax_refused: {zzzzzzzz: 1}\nlimits: {zzzzzzzz: 1}\nmapping: {zzzzzzzz: 1, fields: {x: {zzzzzzzz: 1}}}\n",
		"departments/a/c.yaml":         "source: {connector: memory, name: x}\nmapping: {entity: division, fields: {code: A, year: A, name: A, level: A}}\n",
		"departments/a/c.cases/c.yaml": "zzzzzzzz: 1\ngiven: {}\n",
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	reg, err := connectors.NewRegistry(all.Connectors()...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = config.Load(dir, reg)
	problems := config.Problems(err)
	known := regexp.MustCompile(`^one of (.*)$`)
	asked := 0
	for _, p := range problems {
		m := known.FindStringSubmatch(p.Try.En)
		if !strings.Contains(p.What.En, "zzzzzzzz") || m == nil {
			continue
		}
		asked++
		for _, key := range strings.Split(m[1], ", ") {
			for name := range readmes {
				if !regexp.MustCompile(`\b` + key + `\b`).MatchString(spans(document(t, name))) {
					t.Errorf("%s does not name the key %s (%s)", name, key, p.Where)
				}
			}
		}
	}
	if asked < 13 {
		t.Errorf("only %d places told their keys: %v", asked, err)
	}
}

// TestOperatorsFindEveryMetric compares the operators' page with the metrics that the program declares.
func TestOperatorsFindEveryMetric(t *testing.T) {
	declared := regexp.MustCompile(`describe\("(\w+)"|Name:\s+"datong_(\w+)"`).FindAllStringSubmatch(document(t, "internal/exchange/metrics.go"), -1)
	if len(declared) < 14 {
		t.Fatalf("found only %d declarations", len(declared))
	}
	for _, m := range declared {
		for _, name := range []string{"deploy/README.md", "deploy/README.zh-CN.md"} {
			if metric := "`datong_" + m[1] + m[2] + "`"; !strings.Contains(document(t, name), metric) {
				t.Errorf("%s does not name the metric %s", name, metric)
			}
		}
	}
}

// TestDocumentedCodeWorks builds the consumer of the READMEs and the connector of CONTRIBUTING.md where they are said to
// stand, without writing there, and runs the connector's tests.
func TestDocumentedCodeWorks(t *testing.T) {
	consumer := fences(document(t, "README.md"), "go")
	if other := fences(document(t, "README.zh-CN.md"), "go"); len(consumer) != 1 || cmp.Diff(consumer, other) != "" {
		t.Fatal("the READMEs do not show one and the same consumer")
	}
	contributing := document(t, "CONTRIBUTING.md")
	list, err := os.ReadFile(filepath.Join(repository, "connectors/all/all.go"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"internal/consumer/main.go": consumer[0],
		"connectors/all/all.go": strings.NewReplacer(
			"connectors/memory\"\n", "connectors/memory\"\n\t\"github.com/datong-dx/datong/connectors/properties\"\n",
			"memory.Connector(),\n", "memory.Connector(),\n\t\tproperties.Connector(),\n").Replace(string(list)),
	}
	for _, m := range regexp.MustCompile("(?ms)^`(connectors/properties/\\w+\\.go)`:\n\n```go\n(.*?)^```").FindAllStringSubmatch(contributing, -1) {
		files[m[1]] = m[2]
	}
	if len(files) != 5 {
		t.Fatalf("found %d files, want the consumer, the list of connectors and three of the example", len(files))
	}
	overlay, conforms := overlaid(t, files), filepath.Join(t.TempDir(), "conforms")
	for _, command := range [][]string{
		{"go", "build", overlay, "-o", os.DevNull, "./internal/consumer"},
		{"go", "test", overlay, "-vet=off", "./connectors/all"},
		{"go", "test", overlay, "-vet=off", "-c", "-o", conforms, "./connectors/properties"},
		{conforms}, // apart, because the go command would run it in a directory that is not there
	} {
		cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
		cmd.Dir = repository
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
}

// overlaid returns the flag by which the go command sees files in the repository that are not there.
func overlaid(t *testing.T, files map[string]string) string {
	t.Helper()
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replace := map[string]string{}
	for name, text := range files {
		real := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(real, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, name)] = real
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return "-overlay=" + path
}
