//go:build !linux

package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

func serverTimes(context.Context) map[string]time.Duration { return nil }

func pinSelf(string) error { return nil }

func pinServers(_ context.Context, _ string, out io.Writer) (restore func(), err error) {
	fmt.Fprintln(out, "this system cannot bind processes to processors: the figures are those of the whole machine")
	return func() {}, nil
}
