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

// distance is the number of letters to insert, drop, change or exchange with the next to get from a to b.
func distance(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := d[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			d[i][j] = min(change, d[i-1][j]+1, d[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
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
