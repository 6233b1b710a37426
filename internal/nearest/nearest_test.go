package nearest

import (
	"strings"
	"testing"

	"github.com/datong-dx/datong/connectors"
)

func TestNameIsWhatSomebodyMeant(t *testing.T) {
	known := []string{"brokers", "prefix", "site", "http", "transaction_timeout", "统一社会信用代码", "x"}
	for want, near := range map[string]string{
		"broker": "brokers", "borkers": "brokers", "transaction_timout": "transaction_timeout", "TransactionTimeout": "transaction_timeout",
		"Prefix": "prefix", "统一社会信用代号": "统一社会信用代码", "X": "x", "y": "", "url": "", "databases": "", "": "",
	} {
		if got := Name(want, known); got != near {
			t.Errorf("%q: got %q, want %q", want, got, near)
		}
	}
}

func TestSuggestListsWhatIsFew(t *testing.T) {
	if got := Suggest("colour", []string{"form", "size"}); got != (connectors.Text{Zh: "选用 form, size", En: "one of form, size"}) {
		t.Errorf("suggested %v", got)
	}
	if got := Suggest("colour", strings.Fields(strings.Repeat("number ", listed+1))); got != (connectors.Text{}) {
		t.Errorf("suggested %v of too many", got)
	}
}
