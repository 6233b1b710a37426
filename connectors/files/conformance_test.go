package files

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/connectortest"
)

// settingsOf returns the connector's settings with the given ones changed, as the configuration would make them.
func settingsOf(t testing.TB, changed map[string]any) connectors.Settings {
	t.Helper()
	s := connectors.Settings{}
	for _, o := range options() {
		switch o.Type {
		case connectors.IntOption:
			n := int64(0)
			fmt.Sscan(o.Default, &n)
			s[o.Name] = n
		case connectors.DurationOption:
			d, err := time.ParseDuration(o.Default)
			if err != nil {
				t.Fatal(err)
			}
			s[o.Name] = d
		case connectors.ListOption:
			var list []string
			if o.Default != "" {
				list = []string{o.Default}
			}
			s[o.Name] = list
		case connectors.MapOption:
			s[o.Name] = map[string]string{}
		default:
			s[o.Name] = o.Default
		}
	}
	for name, v := range changed {
		if _, ok := s[name]; !ok {
			t.Fatalf("no option %q", name)
		}
		s[name] = v
	}
	return s
}

// form is how the conformance suite's rows are written.
type form struct {
	ext      string
	write    func(rows []connectortest.Row) []byte
	poison   []byte
	encoding encoding.Encoding // nil: UTF-8
	settings map[string]any
}

func asCSV(rows []connectortest.Row) []byte {
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	w.Write([]string{"id", "text"})
	for _, r := range rows {
		w.Write([]string{fmt.Sprint(r.ID), r.Text})
	}
	w.Flush()
	return buf.Bytes()
}

func asJSONLines(rows []connectortest.Row) []byte {
	var buf bytes.Buffer
	for _, r := range rows {
		json.NewEncoder(&buf).Encode(map[string]any{"id": r.ID, "text": r.Text})
	}
	return buf.Bytes()
}

func asJSON(rows []connectortest.Row) []byte {
	lines := strings.ReplaceAll(strings.TrimSpace(string(asJSONLines(rows))), "\n", ",\n  ")
	return []byte(`{"code": 0, "data": {"items": [` + lines + `]}}`)
}

var forms = map[string]form{
	"csv":          {ext: "csv", write: asCSV, poison: []byte("id,text\n1,2,3\n")},
	"gb18030 csv":  {ext: "csv", write: asCSV, poison: []byte("id,text\n1,2,3\n"), encoding: simplifiedchinese.GB18030, settings: map[string]any{"encoding": "gbk"}},
	"utf-16 csv":   {ext: "csv", write: asCSV, poison: []byte("id,text\n1,2,3\n"), encoding: unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), settings: map[string]any{"encoding": "utf-16"}},
	"json lines":   {ext: "jsonl", write: asJSONLines, poison: []byte("{\"id\": 1, }\n")},
	"json":         {ext: "json", write: asJSON, poison: []byte(`{"data": {"items": [{"id": 1, }]}}`), settings: map[string]any{"record_path": "data.items"}},
	"json encoded": {ext: "json", write: asJSON, poison: []byte(`{"data": {"items": [{"id": 1, }]}}`), encoding: simplifiedchinese.GB18030, settings: map[string]any{"record_path": "data.items", "encoding": "gb18030"}},
}

func (f form) encode(t testing.TB, content []byte) []byte {
	if f.encoding == nil {
		return content
	}
	out, err := f.encoding.NewEncoder().Bytes(content)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// drop makes a drop folder as the suite's outside system: each write is a file.
func drop(t testing.TB, f form, changed map[string]any) *connectortest.System {
	dir := t.TempDir()
	settings := map[string]any{"path": "in/*." + f.ext}
	for _, more := range []map[string]any{f.settings, changed} {
		for k, v := range more {
			settings[k] = v
		}
	}
	in := filepath.Join(dir, "in")
	if err := os.Mkdir(in, 0o755); err != nil {
		t.Fatal(err)
	}
	n := 0
	put := func(t testing.TB, content []byte) {
		n++
		writeFile(t, filepath.Join(in, fmt.Sprintf("part_%03d.%s", n, f.ext)), f.encode(t, content))
	}
	insert := func(t testing.TB, rows ...connectortest.Row) { put(t, f.write(rows)) }
	openAt := func(settings connectors.Settings) func(context.Context, connectors.Position) (connectors.Source, error) {
		return func(_ context.Context, pos connectors.Position) (connectors.Source, error) {
			src, err := open(connectors.SourceRequest{Settings: settings, Position: pos, Dir: dir}, 3)
			if err != nil {
				return nil, err
			}
			return src, nil
		}
	}
	elsewhere := settingsOf(t, settings)
	elsewhere["path"] = "other/*." + f.ext
	return &connectortest.System{
		Open:          openAt(settingsOf(t, settings)),
		OpenElsewhere: openAt(elsewhere),
		Insert:        insert,
		Update:        insert,
		Poison:        func(t testing.TB) { put(t, f.poison) },
		Released: func(t testing.TB) int {
			files, err := filepath.Glob(filepath.Join(in, "*."+f.ext))
			if err != nil {
				t.Fatal(err)
			}
			return len(files)
		},
	}
}

// writeFile makes a file appear whole, as a well-behaved department does.
func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path+".tmp", content, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
}

const byNumber = `_(\d+)\.`

func TestFiniteConforms(t *testing.T) {
	for name, f := range forms {
		t.Run(name, func(t *testing.T) {
			connectortest.Run(t, connectortest.Harness{
				New: func(t testing.TB) *connectortest.System {
					return drop(t, f, map[string]any{"order": byNumber, "done": "done"})
				},
				Finite: true, Updates: true, Poison: true, Identity: true, Acks: true,
			})
		})
	}
}

func TestWatchedConforms(t *testing.T) {
	for _, name := range []string{"csv", "json"} {
		t.Run(name, func(t *testing.T) {
			connectortest.Run(t, connectortest.Harness{
				New: func(t testing.TB) *connectortest.System {
					return drop(t, forms[name], map[string]any{"order": byNumber, "watch": 5 * time.Millisecond, "settle": time.Millisecond})
				},
				Incremental: true, Updates: true, Poison: true, Identity: true, Acks: true,
			})
		})
	}
}

// TestFullConforms reads one full file: every write of the suite makes the file anew with all rows.
func TestFullConforms(t *testing.T) {
	for _, name := range []string{"csv", "gb18030 csv", "json lines", "json"} {
		t.Run(name, func(t *testing.T) {
			connectortest.Run(t, connectortest.Harness{
				New:    func(t testing.TB) *connectortest.System { return fullFile(t, forms[name]) },
				Finite: true, Scans: true, Identity: true,
			})
		})
	}
}

func fullFile(t testing.TB, f form) *connectortest.System {
	s := drop(t, f, map[string]any{"mode": "full", "path": "in/all." + f.ext})
	src, err := s.Open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(src.(*Source).folder.dir, "in", "all."+f.ext)
	src.Close()
	var rows []connectortest.Row
	writeFile(t, path, f.encode(t, f.write(nil)))
	s.Insert = func(t testing.TB, more ...connectortest.Row) {
		rows = append(rows, more...)
		writeFile(t, path, f.encode(t, f.write(rows)))
	}
	s.Update, s.Poison, s.Released = nil, nil, nil
	return s
}
