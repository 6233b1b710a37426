package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/datong-dx/datong/connectors"
)

// problems collects everything that is wrong, so that one run of `datong check` shows it all.
type problems struct{ list []error }

// add appends one problem found at a place.
func (p *problems) add(where string, what, try connectors.Text) {
	p.list = append(p.list, &connectors.Problem{Where: where, What: what, Try: try})
}

// join appends every problem inside err, which other packages return joined.
func (p *problems) join(err error) {
	if err != nil {
		p.list = append(p.list, err)
	}
}

// err returns all problems as one error, nil when there are none. Those of one file stand together, by line.
func (p *problems) err() error {
	all := Problems(errors.Join(p.list...))
	first := map[string]int{} // file → where its first problem stood
	places := make(map[*connectors.Problem]place, len(all))
	for i, problem := range all {
		at := parsePlace(problem.Where)
		if _, met := first[at.file]; !met {
			first[at.file] = i
		}
		places[problem] = at
	}
	slices.SortStableFunc(all, func(a, b *connectors.Problem) int {
		x, y := places[a], places[b]
		return cmp.Or(cmp.Compare(first[x.file], first[y.file]), cmp.Compare(x.line, y.line), cmp.Compare(x.column, y.column))
	})
	joined := make([]error, len(all))
	for i := range all {
		joined[i] = all[i]
	}
	return errors.Join(joined...)
}

// place is where in a file a problem stands; line and column are 0 when they are not known.
type place struct {
	file         string
	line, column int
}

var filePlace = regexp.MustCompile(`^(.*?):(\d+)(?::(\d+))?(?:: |$)`)

func parsePlace(where string) place {
	m := filePlace.FindStringSubmatch(where)
	if m == nil {
		return place{file: where}
	}
	line, _ := strconv.Atoi(m[2]) // the pattern let only digits through; a column that is not there is 0
	column, _ := strconv.Atoi(m[3])
	return place{m[1], line, column}
}

// text formats one message in both languages. Both formats take the same arguments; where the order of words differs
// they are numbered.
func text(zh, en string, args ...any) connectors.Text {
	return connectors.Text{Zh: fmt.Sprintf(zh, args...), En: fmt.Sprintf(en, args...)}
}

// nothing is the cure of a problem whose message already says what to do.
var nothing connectors.Text

// Problems takes an error that [Load], or another package that joins problems, returned apart into single problems, in
// the order in which they were found. What is not a problem yet becomes one.
func Problems(err error) []*connectors.Problem {
	if err == nil {
		return nil
	}
	if p, ok := err.(*connectors.Problem); ok { //nolint:errorlint // the tree is walked here, not searched
		return []*connectors.Problem{p}
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var list []*connectors.Problem
		for _, e := range joined.Unwrap() {
			if _, mark := e.(connectors.Mark); mark { //nolint:errorlint // the tree is walked here, not searched
				continue // the others say why
			}
			list = append(list, Problems(e)...)
		}
		return list
	}
	if _, ok := errors.AsType[*connectors.Problem](err); ok {
		return Problems(errors.Unwrap(err)) // what is around it says how the program got there
	}
	return []*connectors.Problem{{What: connectors.Text{Zh: err.Error(), En: err.Error()}}}
}
