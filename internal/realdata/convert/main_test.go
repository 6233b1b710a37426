package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// place writes files into a folder of the test's own and returns it.
func place(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFilesAreConverted(t *testing.T) {
	dir := place(t, map[string]string{
		"items.js":     "// 事项\nconst items = [{department: '区甲局', items: [{name: '示例', link: 'http://a/?b=1&c=2'}]}];",
		"province.sql": "INSERT INTO area ('id', 'name') VALUES ('1', '示例省');",
		"county.sql":   "INSERT INTO area ('id', 'name') VALUES (2, NULL);\nINSERT INTO other (x) VALUES (.5);",
	})
	out := filepath.Join(dir, "new", "out")
	var stdout, stderr bytes.Buffer
	if code := run([]string{"-o", out, dir + "/items.js", dir + "/province.sql", dir + "/county.sql"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	for name, want := range map[string]string{
		"items.json":  `[{"department":"区甲局","items":[{"name":"示例","link":"http://a/?b=1&c=2"}]}]` + "\n",
		"area.jsonl":  `{"id":"1","name":"示例省"}` + "\n" + `{"id":2,"name":null}` + "\n",
		"other.jsonl": `{"x":".5"}` + "\n",
	} {
		got, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	if want := "area.jsonl, 2 rows\n"; !strings.Contains(stdout.String(), want) {
		t.Errorf("standard output lacks %q:\n%s", want, &stdout)
	}
}

func TestWhatIsWrongIsSaidAndNothingWritten(t *testing.T) {
	dir := place(t, map[string]string{
		"good.js": "[]", "bad.js": "x = [\nload()]", "bad.sql": "INSERT INTO a (x) VALUES (1);\nINSERT INTO a (x) VALUES (1, 2);",
		"path.sql": "INSERT INTO `../a` (x) VALUES (1);", "a.csv": "x\n1\n",
	})
	for _, tt := range []struct{ file, want string }{
		{"bad.js", "bad.js: line 2: load is a name, and only literals are read"},
		{"bad.sql", "bad.sql: line 2: the row has 2 values for 1 columns"},
		{"path.sql", `path.sql: line 1: table "../a" cannot be the name of a file`},
		{"a.csv", "a.csv: only .js and .sql files are converted"},
		{"none.js", "none.js: no such file or directory"},
	} {
		var stderr bytes.Buffer
		out := filepath.Join(dir, "out")
		if code := run([]string{"-o", out, dir + "/good.js", dir + "/" + tt.file}, &bytes.Buffer{}, &stderr); code != 1 || !strings.Contains(stderr.String(), tt.want) {
			t.Errorf("exit code %d, want 1, and standard error %q, want %q", code, &stderr, tt.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: something was written", tt.file)
		}
	}
	if code := run([]string{"a.js"}, &bytes.Buffer{}, &bytes.Buffer{}); code != 2 {
		t.Errorf("exit code %d without -o, want 2", code)
	}
}
