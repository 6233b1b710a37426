package mapping

import (
	"errors"
	"fmt"

	"github.com/datong-dx/datong/connectors"
)

// problems gathers everything that is wrong, so that a person can cure it all at once.
type problems []error

// add notes a problem; zh and en are formats that share their arguments.
func (p *problems) add(where string, try connectors.Text, zh, en string, args ...any) {
	*p = append(*p, &connectors.Problem{
		Where: where,
		What:  connectors.Text{Zh: fmt.Sprintf(zh, args...), En: fmt.Sprintf(en, args...)},
		Try:   try,
	})
}

// addCause is add for a problem that has a cause of its own.
func (p *problems) addCause(where string, cause error, zh, en string, args ...any) {
	*p = append(*p, &connectors.Problem{
		Where: where,
		What:  connectors.Text{Zh: fmt.Sprintf(zh, args...), En: fmt.Sprintf(en, args...)},
		Err:   cause,
	})
}

func (p problems) err() error { return errors.Join(p...) }
