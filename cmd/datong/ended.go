package main

import (
	"errors"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/internal/exchange"
	"github.com/datong-dx/datong/internal/pipeline"
)

// ended reports why tasks of a run did not end well, each with its name, and gives the run its exit code: wrong setup
// before a failure before what could not be reached, because that is the order in which a person must act.
func (a *app) ended(err error) error {
	list := taskErrors(err)
	if len(list) == 0 {
		return nil
	}
	codes := map[int]bool{}
	for _, e := range list {
		codes[runCode(e.Err)] = true
		for _, p := range config.Problems(e.Err) {
			for _, named := range at(e.Task, connectors.Text{}, p) {
				a.problem(named)
			}
		}
	}
	for _, code := range []int{exitUsage, exitFailed} {
		if codes[code] {
			return withCode(code, errShown)
		}
	}
	return withCode(exitUnreachable, errShown)
}

// taskErrors takes the error of a run apart. What is no task's own stands without a name.
func taskErrors(err error) []*exchange.TaskError {
	switch e := err.(type) { //nolint:errorlint // the tree is walked here, not searched
	case nil:
		return nil
	case *exchange.TaskError:
		return []*exchange.TaskError{e}
	case interface{ Unwrap() []error }:
		var list []*exchange.TaskError
		for _, inner := range e.Unwrap() {
			list = append(list, taskErrors(inner)...)
		}
		return list
	}
	return []*exchange.TaskError{{Err: err}}
}

// runCode is the exit code of an error that nobody gave one.
func runCode(err error) int {
	switch {
	case misconfigured(err):
		return exitUsage
	case errors.Is(err, pipeline.ErrGaveUp), errors.Is(err, broker.ErrUnreachable):
		return exitUnreachable
	}
	return exitFailed
}
