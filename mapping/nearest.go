package mapping

import (
	"strings"

	"github.com/datong-dx/datong/connectors"
)

// nearest returns the name most like the wanted one, or "" when none is near enough to be worth a suggestion.
func nearest(want string, names []string) string {
	best, bestAt := "", max(1, len([]rune(want))/3)+1
	for _, name := range names {
		if d := distance(fold(want), fold(name)); d < bestAt {
			best, bestAt = name, d
		}
	}
	return best
}

func fold(s string) []rune {
	return []rune(strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s)))
}

// distance is the number of letters to insert, drop or change to get from a to b.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			change := diagonal
			if x != y {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// suggest is the cure for a name that is not known: the nearest one, or the list when it is short.
func suggest(want string, names []string) connectors.Text {
	if near := nearest(want, names); near != "" {
		return connectors.Text{Zh: "是否想写 " + near, En: "did you mean " + near}
	}
	if len(names) == 0 || len(names) > 40 {
		return connectors.Text{}
	}
	list := strings.Join(names, ", ")
	return connectors.Text{Zh: "可用：" + list, En: "one of " + list}
}
