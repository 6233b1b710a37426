package dictionary_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// The examples of the README are a directory that works.
func TestTheReadmeIsTrue(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	if len(examples) != 2 {
		t.Fatalf("got %d examples, want an entity and an extension", len(examples))
	}
	dir := t.TempDir()
	for path, content := range map[string][]byte{
		"entities/parking.yaml":  examples[0][1],
		"entities/more.yaml":     examples[1][1],
		"dictionary.yaml":        []byte("name: yangquan\nversion: 2.1.0\n"),
		"codes.yaml":             []byte("parking_kind: {title: {zh: 类别}, standard: datong}\n"),
		"codes/parking_kind.csv": []byte("code,zh,en,parent,valid_from,valid_to\n1,路内,,,,\n2,路外,,,,\n"),
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if d := extend(t, dir); d.Version != "1.0.0+yangquan.2.1.0" || len(d.Entity("parking").Elements) != 6 {
		t.Errorf("version %s, elements %d", d.Version, len(d.Entity("parking").Elements))
	}
}
