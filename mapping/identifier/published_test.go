package identifier_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datong-dx/datong/mapping/identifier"
)

// published finds a table of what other validators' own tests expect: $DATONG_REAL_DATA/validator-vectors/vectors.tsv, or
// the same below a directory beside the repository. It is not part of the repository, because it holds numbers of people.
func published(t *testing.T) []string {
	t.Helper()
	const name = "validator-vectors/vectors.tsv"
	found, _ := filepath.Glob(filepath.Join("..", "..", "..", "*", "data", name))
	if dir := os.Getenv("DATONG_REAL_DATA"); dir != "" {
		found = []string{filepath.Join(dir, name)}
	}
	if len(found) == 0 {
		t.Log("no published vectors found: set DATONG_REAL_DATA to check them")
		return nil
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n")[1:]
}

// differences are the published expectations that we answer otherwise, by the line of the table, and why.
var differences = map[int]string{
	232: bornEarlier, 237: bornEarlier, 274: bornEarlier, 275: bornEarlier,
	344: notMobile, 345: notMobile, 346: notMobile, 347: notMobile, 348: notMobile, 349: notMobile,
	355: separated, 359: separated, 360: separated,
}

const (
	// The division names where the number was first given, which need not be where or when its holder was born; and
	// which divisions existed when is no matter of the format.
	bornEarlier = "that validator compares the division's years with the year of birth"
	notMobile   = "that validator knows prefixes 92 and 98, which no operator has: a mobile number begins with 1"
	separated   = "hyphens are left out before the number is checked"
)

func TestPublishedVectorsAreAnsweredOrTheDifferenceIsExplained(t *testing.T) {
	formats := map[string]string{"uscc": "uscc", "resident-id": "citizen_id", "mobile": "mobile"}
	for i, line := range published(t) {
		number, p := i+2, strings.Split(line, "\t")
		kind, value, expected, note := p[0], p[1], p[2], p[5]
		if kind == "id15-to-18" {
			if got := string(identifier.Lookup("citizen_id").Normalise(nil, []byte(value))); got != expected {
				t.Errorf("line %d: the old number is completed wrongly", number)
			}
			continue
		}
		_, rule := ruleOf(identifier.Lookup(formats[kind]), value)
		agrees := (rule == "") == (expected != "invalid")
		if why := differences[number]; agrees == (why != "") {
			t.Errorf("line %d (%s, %s): expected %s, got rule %q, explained by %q", number, kind, note, expected, rule, why)
		}
	}
}
