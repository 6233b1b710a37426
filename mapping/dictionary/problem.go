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

// addProblem notes a problem of a file that is told already.
func (p *problems) addProblem(problem *connectors.Problem) {
	file, _, _ := strings.Cut(problem.Where, ":")
	p.list = append(p.list, located{position{file: file}, *problem})
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
