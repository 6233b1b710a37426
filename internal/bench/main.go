// Command bench measures the speed and memory of the main job, each figure beside its limit in the same run, on a budget
// of two processors for the program, the database and the broker together.
//
//	eval "$(deploy/testbed/testbed env)" && go run ./internal/bench [--quick] [--only NAME,…]
//
// The last lines of its output are name<TAB>value<TAB>limit<TAB>ratio.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
)

// benchmark is one group of figures that are measured together.
type benchmark struct {
	name string
	run  func(context.Context, *session) ([]figure, error)
}

var benchmarks = []benchmark{
	{"map", benchMap},
	{"table", benchTable},
	{"file", benchFile},
	{"delivery", benchDelivery},
	{"memory", benchMemory},
	{"latency", benchLatency},
}

// options are the command line's.
type options struct {
	quick  bool
	only   string
	rounds int
	cores  string

	profiles string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) == 2 && os.Args[1] == childArgument {
		if err := child(ctx, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1) //nolint:gocritic // nothing is deferred that matters
		}
		return
	}
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	opt, err := parse(args)
	if err != nil {
		return err
	}
	if err := pinSelf(opt.cores); err != nil {
		return err
	}
	restore, err := pinServers(ctx, opt.cores, out)
	if err != nil {
		return err
	}
	defer restore()
	s, err := open(ctx, opt, out)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.machine(ctx); err != nil {
		return err
	}
	var all []figure
	for _, b := range benchmarks {
		if !opt.wants(b.name) {
			continue
		}
		s.say("\n%s", b.name)
		figures, err := b.run(ctx, s)
		if err != nil {
			return fmt.Errorf("measure %s: %w", b.name, err)
		}
		all = append(all, figures...)
	}
	report(out, all)
	return nil
}

func parse(args []string) (options, error) {
	var opt options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.BoolVar(&opt.quick, "quick", false, "smaller sizes and one round: shows that it works, measures little")
	flags.StringVar(&opt.only, "only", "", "measure only these, separated by commas: "+strings.Join(names(), ", "))
	flags.IntVar(&opt.rounds, "rounds", 3, "how often each figure is measured; the median counts")
	flags.StringVar(&opt.cores, "cores", "0,1", "processors for this program and the servers; empty: all, and leave the servers alone")
	flags.StringVar(&opt.profiles, "profiles", "", "directory for profiles of the processes that are measured")
	if err := flags.Parse(args); err != nil {
		return opt, err
	}
	if opt.quick {
		opt.rounds = 1
	}
	for name := range strings.SplitSeq(opt.only, ",") {
		if name != "" && !slices.Contains(names(), name) {
			return opt, fmt.Errorf("there is no benchmark %q; there are %s", name, strings.Join(names(), ", "))
		}
	}
	if opt.rounds < 1 || flags.NArg() > 0 {
		return opt, errors.New("usage: bench [--quick] [--only NAME,…] [--rounds N] [--cores LIST]")
	}
	return opt, nil
}

func names() []string {
	list := make([]string, len(benchmarks))
	for i, b := range benchmarks {
		list[i] = b.name
	}
	return list
}

func (o *options) wants(name string) bool {
	return o.only == "" || slices.Contains(strings.Split(o.only, ","), name)
}
