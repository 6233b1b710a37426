package dictionary

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/datong-dx/datong/connectors"
)

// position is where something was declared.
type position struct {
	file string
	line int
}

func (p position) String() string {
	if p.line == 0 {
		return p.file
	}
	return fmt.Sprintf("%s:%d", p.file, p.line)
}

// problems gathers everything that is wrong, so that a person can cure it all at once.
type problems struct{ list []located }

type located struct {
	at position
	connectors.Problem
}

// add notes a problem; zh and en are formats that share their arguments.
func (p *problems) add(at position, try connectors.Text, zh, en string, args ...any) {
	p.list = append(p.list, located{at, connectors.Problem{
		Where: at.String(),
		What:  connectors.Text{Zh: fmt.Sprintf(zh, args...), En: fmt.Sprintf(en, args...)},
		Try:   try,
	}})
}

// addCause is add for a problem that has a cause of its own.
func (p *problems) addCause(at position, cause error, zh, en string) {
	p.list = append(p.list, located{at, connectors.Problem{
		Where: at.String(),
		What:  connectors.Text{Zh: zh, En: en},
		Err:   cause,
	}})
}

// err joins the problems in order of their places, or returns nil.
func (p *problems) err() error {
	slices.SortStableFunc(p.list, func(a, b located) int {
		return cmp.Or(strings.Compare(a.at.file, b.at.file), cmp.Compare(a.at.line, b.at.line))
	})
	errs := make([]error, len(p.list))
	for i := range p.list {
		errs[i] = &p.list[i].Problem
	}
	return errors.Join(errs...)
}

// noTry stands where a problem has no cure worth telling.
var noTry connectors.Text

// suggest is the cure for a name that is not known: the nearest one, or the list when it is short.
func suggest(want string, names []string) connectors.Text {
	best, least := "", max(1, len(want)/3)+1
	for _, name := range names {
		if d := distance(want, name); d < least {
			best, least = name, d
		}
	}
	switch {
	case best != "":
		return connectors.Text{Zh: "改为 " + best, En: "did you mean " + best}
	case len(names) == 0 || len(names) > 40:
		return connectors.Text{}
	}
	list := strings.Join(names, ", ")
	return connectors.Text{Zh: "选用 " + list, En: "one of " + list}
}

// distance is the number of bytes to insert, drop or change to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
