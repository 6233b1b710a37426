// Package nearest finds the name that somebody meant by one that is not known.
package nearest

import (
	"strings"

	"github.com/datong-dx/datong/connectors"
)

// listed is how many names a suggestion lists at most.
const listed = 40

// Name returns the known name that is most like the wanted one, or "" when none is near enough to be what somebody meant:
// one slip in a short name, one in three letters of a long one. Case, spaces, hyphens and underscores do not count.
func Name(want string, known []string) string {
	folded := fold(want)
	best, bestAt := "", max(1, len(folded)/3)+1
	for _, name := range known {
		other := fold(name)
		if d := distance(folded, other); d < bestAt && (d < len(other) || d == 0) {
			best, bestAt = name, d
		}
	}
	return best
}

// Suggest is the cure for a name that is not known: the nearest one, or the known ones when they are few.
func Suggest(want string, known []string) connectors.Text {
	if near := Name(want, known); near != "" {
		return connectors.Text{Zh: "改为 " + near, En: "did you mean " + near}
	}
	if len(known) == 0 || len(known) > listed {
		return connectors.Text{}
	}
	list := strings.Join(known, ", ")
	return connectors.Text{Zh: "选用 " + list, En: "one of " + list}
}

var dividers = strings.NewReplacer("_", "", "-", "", " ", "")

func fold(s string) []rune { return []rune(strings.ToLower(dividers.Replace(s))) }

// distance counts the insertions, deletions, changes and swaps of neighbours between a and b (optimal string alignment).
func distance(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
