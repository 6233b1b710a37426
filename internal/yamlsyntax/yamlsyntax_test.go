package yamlsyntax

import (
	"errors"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestProblem(t *testing.T) {
	const look = " (try: look at the indentation, colons and quotes of this line and the one before)"
	for content, want := range map[string]string{
		"a: 1\nb: c: d\n": "x.yaml:2: not valid YAML: mapping values are not allowed in this context" + look,
		"a:\n\tb: 1\n":    "x.yaml:2: not valid YAML: found character that cannot start any token (try: this line is indented by a tab; YAML takes spaces only)",
		"a: [1\n":         "x.yaml:1: not valid YAML: did not find expected ',' or ']'" + look,
		"a: \xce\xde\n":   "x.yaml: not valid YAML: invalid trailing UTF-8 octet (try: save the file as UTF-8)",
	} {
		var n yaml.Node
		err := yaml.Unmarshal([]byte(content), &n)
		if err == nil {
			t.Errorf("%q is YAML", content)
			continue
		}
		if got := Problem("x.yaml", []byte(content), err); got.Error() != want || got.In("zh") == want {
			t.Errorf("%q:\n got %v\nwant %s", content, got, want)
		}
	}
	if got := Problem("x.yaml", nil, errors.New("something else")).Where; got != "x.yaml" {
		t.Errorf("an error without a line is at %s", got)
	}
}
