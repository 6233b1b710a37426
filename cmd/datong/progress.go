package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/datong-dx/datong/internal/exchange"
)

// progress is one line at the bottom of a terminal that tells how far a run is. Log lines go above it. Where no terminal
// looks on there is only the log.
type progress struct {
	a        *app
	terminal bool

	mu   sync.Mutex
	line string
}

const (
	progressEvery = 500 * time.Millisecond
	clearLine     = "\r\x1b[K"
)

func (a *app) newProgress() *progress {
	f, ok := a.stderr.(*os.File)
	return &progress{a: a, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

// Write puts a log line above the progress line.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line != "" {
		fmt.Fprint(p.a.stderr, clearLine)
	}
	n, err := p.a.stderr.Write(b)
	fmt.Fprint(p.a.stderr, p.line)
	return n, err
}

// say writes a line for a person.
func (p *progress) say(text string) { fmt.Fprintln(p, text) }

func (p *progress) logger(asJSON bool) *slog.Logger {
	if asJSON {
		return slog.New(slog.NewJSONHandler(p, nil))
	}
	return slog.New(slog.NewTextHandler(p, nil))
}

// show keeps the line up to date until the returned function is called.
func (p *progress) show(ctx context.Context, x *exchange.Exchange) (stop func()) {
	if !p.terminal {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				p.set("")
				return
			case <-tick.C:
				if s, err := x.Status(ctx); err == nil {
					t := &s.Total
					p.set(p.a.sayf("读取 %d · 发布 %d · 未变 %d · 隔离 %d · 送达 %d", "read %d · published %d · unchanged %d · quarantined %d · delivered %d",
						t.Read, t.Published, t.Unchanged, t.Quarantined, t.Delivered))
				}
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

func (p *progress) set(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = line
	fmt.Fprint(p.a.stderr, clearLine+line)
}

var _ io.Writer = (*progress)(nil)
