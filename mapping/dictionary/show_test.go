package dictionary_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// golden compares with a file of testdata/show.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "show", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: -want +got:\n%s", name, diff)
	}
}

func TestWhatIsPrinted(t *testing.T) {
	d := extend(t, "testdata/city")
	writers := map[string]func(w io.Writer, lang string) error{
		"list":            d.WriteList,
		"entity":          func(w io.Writer, lang string) error { return d.WriteEntity(w, lang, "case_result") },
		"element":         func(w io.Writer, lang string) error { return d.WriteElement(w, lang, "service_item", "impl_org_uscc") },
		"element-limited": func(w io.Writer, lang string) error { return d.WriteElement(w, lang, "parking", "spaces") },
		"element-dated":   func(w io.Writer, lang string) error { return d.WriteElement(w, lang, "legal_entity", "term_to") },
		"codes":           func(w io.Writer, lang string) error { return d.WriteCodes(w, lang, "item_type", "") },
		"codes-found":     func(w io.Writer, lang string) error { return d.WriteCodes(w, lang, "division", "1403") },
	}
	for name, write := range writers {
		for _, lang := range []string{"zh", "en"} {
			var b bytes.Buffer
			if err := write(&b, lang); err != nil {
				t.Fatal(err)
			}
			golden(t, name+"."+lang+".txt", b.Bytes())
		}
	}
}

func TestWhatIsPrintedAsJSON(t *testing.T) {
	d := extend(t, "testdata/city")
	for name, v := range map[string]any{"entity.json": d.Entity("parking"), "codes.json": d.CodeSet("item_type")} {
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, append(b, '\n'))
	}
}

func TestUnknownNamesSuggestTheNearest(t *testing.T) {
	d := dictionary.Builtin()
	for want, err := range map[string]error{
		"there is no entity legal_entitty (try: did you mean legal_entity)":       d.WriteEntity(io.Discard, "en", "legal_entitty"),
		"entity legal_entity has no element usc (try: did you mean uscc)":         d.WriteElement(io.Discard, "en", "legal_entity", "usc"),
		"there is no code set divisions (try: did you mean division)":             d.WriteCodes(io.Discard, "en", "divisions", ""),
		"there is no entity cse_application (try: did you mean case_application)": d.WriteElement(io.Discard, "en", "cse_application", "case_no"),
	} {
		var p *connectors.Problem
		if !errors.As(err, &p) || p.In("en") != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestAWriterThatFailsIsReported(t *testing.T) {
	d, broken := dictionary.Builtin(), brokenWriter{}
	for _, err := range []error{
		d.WriteList(broken, "zh"), d.WriteEntity(broken, "zh", "division"),
		d.WriteElement(broken, "zh", "division", "code"), d.WriteCodes(broken, "zh", "case_type", ""),
	} {
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("got %v, want the writer's error", err)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
