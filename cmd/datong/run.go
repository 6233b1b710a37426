package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/internal/control"
	"github.com/datong-dx/datong/internal/exchange"
)

// runFlags are how `datong run` is asked to run.
type runFlags struct {
	untilIdle, dry, asJSON bool
	log                    string
}

func newRunCommand(a *app) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run DIR",
		Short: a.say("运行交换：读取、转换、发布、投递", "Run an exchange: read, map, publish, deliver"),
		Long: a.say(`运行交换目录中的全部流水线和投递，直到收到停止信号；停止时先做完手头的事务。
/healthz、/readyz、/metrics 在 datong.yaml 的 http 地址。
--until-idle 在全部数据源读完、全部记录送达后结束。--dry 只读取、转换、计数，不发布，也不写任何库。`,
			`Run every pipeline and delivery of an exchange directory until told to stop; what is in flight is finished first.
/healthz, /readyz and /metrics are at the http address of datong.yaml.
--until-idle ends when every source is read and every record delivered. --dry reads, maps and counts; it publishes
nothing and opens no sink.`),
		Example: "  datong run my-exchange\n  datong run my-exchange --until-idle --json\n  datong run my-exchange --dry",
		Args:    a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.log != "text" && f.log != "json" {
				return a.usage(cmd, a.text("--log 应为 text 或 json，实为 %q", "--log must be text or json, found %q", f.log))
			}
			cfg, err := config.Load(args[0], a.registry)
			if err != nil {
				return withCode(exitUsage, err)
			}
			for _, w := range cfg.Warnings {
				a.problem(w)
			}
			return a.run(cmd.Context(), cfg, f)
		},
	}
	cmd.Flags().BoolVar(&f.untilIdle, "until-idle", false, a.say("全部读完并送达后结束", "end when everything is read and delivered"))
	cmd.Flags().BoolVar(&f.dry, "dry", false, a.say("只读取、转换、计数，不发布", "read, map and count, publish nothing"))
	cmd.Flags().StringVar(&f.log, "log", "text", a.say("日志格式：text 或 json", "form of the log: text or json"))
	a.jsonFlag(cmd, &f.asJSON)
	return cmd
}

// run runs an exchange and prints, when it ends by itself, what became of everything.
func (a *app) run(ctx context.Context, cfg *config.Exchange, f runFlags) error {
	exchange.LimitMemory()
	screen := a.newProgress()
	x, err := exchange.Open(ctx, cfg, exchange.Options{UntilIdle: f.untilIdle, Dry: f.dry, Log: screen.logger(f.log == "json")})
	if err != nil {
		return err
	}
	defer x.Close()
	if !f.dry {
		server, err := control.Serve(x, cfg.HTTP, screen.logger(f.log == "json"))
		if err != nil {
			return withCode(exitUsage, err)
		}
		defer server.Close()
		screen.say(a.sayf("打通正在运行：%s，状态见 http://%s/v1/status", "datong runs %s; http://%s/v1/status", cfg.Dir, server.Addr()))
	}
	stop := screen.show(ctx, x)
	err = x.Run(ctx)
	stop()
	return errors.Join(a.closing(x, f), a.ended(err))
}

// closing prints the outcome of a run that was to end by itself.
func (a *app) closing(x *exchange.Exchange, f runFlags) error {
	if !f.untilIdle && !f.dry && !f.asJSON {
		return nil
	}
	s, err := x.Status(context.Background())
	if err != nil {
		return err
	}
	if f.asJSON {
		return a.printJSON(s)
	}
	a.printStatus(&s)
	if len(s.Causes) > 0 {
		fmt.Fprintln(a.stdout)
		a.printGroups(s.Causes)
	}
	return nil
}
