package config

import (
	"strings"
	"unicode/utf8"
)

// Nearest returns the candidate that is most like the given name, or "" when none is near enough to be what somebody
// meant: at most two slips in a short name, one in three letters of a long one.
func Nearest(name string, candidates []string) string {
	best, at := "", max(2, utf8.RuneCountInString(name)/3)+1
	for _, c := range candidates {
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d < at && d < utf8.RuneCountInString(c) {
			best, at = c, d
		}
	}
	return best
}

// distance counts the insertions, deletions, changes and swaps of neighbours between a and b (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
