package main

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/config"
)

// Exit codes of the program.
const (
	exitDone        = 0
	exitFailed      = 1 // the work was done as asked and did not succeed
	exitUsage       = 2 // wrong use of the command line, or wrong configuration
	exitUnreachable = 3 // something outside cannot be reached: a broker, a database, a folder
)

// coded is an error that decides the exit code. An error without one is a failure, exit code 1.
type coded struct {
	code int
	err  error
}

func (c *coded) Error() string { return c.err.Error() }
func (c *coded) Unwrap() error { return c.err }

// withCode gives an error its exit code.
func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &coded{code, err}
}

// errShown is returned by a command that has already told what is wrong.
var errShown = errors.New("already reported")

// exit reports an error the way an operator reads it, and returns the exit code.
func (a *app) exit(err error) int {
	if err == nil {
		return exitDone
	}
	if !errors.Is(err, errShown) {
		a.complain(err)
	}
	if c, ok := errors.AsType[*coded](err); ok {
		return c.code
	}
	return runCode(err)
}

// complain prints every problem inside err, one a line.
func (a *app) complain(err error) {
	for _, p := range config.Problems(err) {
		a.problem(p)
	}
}

// lineBreaks are what a driver puts into its messages; a problem is one line.
var lineBreaks = regexp.MustCompile(`\s*\n\s*`)

// problem prints one problem to standard error.
func (a *app) problem(p *connectors.Problem) {
	kind := a.say("错误：", "error: ")
	if p.Warning {
		kind = a.say("警告：", "warning: ")
	}
	fmt.Fprintln(a.stderr, kind+lineBreaks.ReplaceAllString(p.In(a.lang), " "))
}

// usage is an error of the command line: what is wrong, and where help is.
func (a *app) usage(cmd *cobra.Command, what connectors.Text) error {
	try := connectors.Text{Zh: "`" + cmd.CommandPath() + " --help`", En: "`" + cmd.CommandPath() + " --help`"}
	return withCode(exitUsage, &connectors.Problem{What: what, Try: try})
}
