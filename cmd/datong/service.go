package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/internal/control"
	"github.com/datong-dx/datong/internal/exchange"
)

// service returns who answers for an exchange directory: the process that runs it, or else this one, from the topics.
func (a *app) service(ctx context.Context, dir string) (control.Service, error) {
	if _, err := os.Stat(filepath.Join(dir, "datong.yaml")); errors.Is(err, fs.ErrNotExist) {
		_, err := config.Load(dir, a.registry)
		return nil, withCode(exitUsage, err)
	}
	s, err := a.ask(ctx, dir)
	if errors.Is(err, exchange.ErrHeld) { // by a process that has begun to run it since
		return a.ask(ctx, dir)
	}
	return s, err
}

// ask is service for a directory that exists.
func (a *app) ask(ctx context.Context, dir string) (control.Service, error) {
	client, err := control.Dial(ctx, dir)
	if err != nil {
		return nil, err
	}
	if client != nil {
		return client, nil
	}
	x, err := config.Load(dir, a.registry)
	if err != nil {
		return nil, withCode(exitUsage, err)
	}
	if !x.Embedded {
		x.Broker.Timeout = brokerTimeout // a person waits
	}
	idle, err := exchange.OpenIdle(ctx, x, a.logger(slog.LevelWarn, false))
	if err != nil {
		return nil, err // never an exchange that is nil inside the interface
	}
	return idle, nil
}

// with runs fn with who answers for the directory.
func (a *app) with(cmd *cobra.Command, dir string, fn func(ctx context.Context, s control.Service) error) error {
	s, err := a.service(cmd.Context(), dir)
	if err != nil {
		return err
	}
	defer s.Close()
	return fn(cmd.Context(), s)
}

// audited keeps who does what, before it is done.
func (a *app) audited(ctx context.Context, s control.Service, e exchange.AuditEntry) error {
	e.Time, e.Who = time.Now(), whoami()
	return s.Audit(ctx, e)
}

// whoami names the system's user.
func whoami() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "uid " + strconv.Itoa(os.Getuid())
}

// logger writes to standard error.
func (a *app) logger(level slog.Level, asJSON bool) *slog.Logger {
	opt := &slog.HandlerOptions{Level: level}
	if asJSON {
		return slog.New(slog.NewJSONHandler(a.stderr, opt))
	}
	return slog.New(slog.NewTextHandler(a.stderr, opt))
}
