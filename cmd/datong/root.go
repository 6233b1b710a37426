package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/all"
)

// app is what every command shares.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lang           string // "zh" or "en"
	registry       *connectors.Registry
}

// commands makes the subcommands. A new command is one file and one line here.
var commands = []func(*app) *cobra.Command{
	newDemoCommand,
	newInitCommand,
	newCheckCommand,
	newTestCommand,
	newRunCommand,
	newStatusCommand,
	newQuarantineCommand,
	newPipelineCommand,
	newDeletesCommand,
	newDeliveryCommand,
	newResumeCommand,
	newDictionaryCommand,
	newConnectorsCommand,
	newVersionCommand,
}

// run executes one command line and returns the program's exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, lang: language(args)}
	var err error
	if a.registry, err = connectors.NewRegistry(all.Connectors()...); err != nil {
		return a.exit(err)
	}
	// A first signal asks the command to stop in order; a second one ends the program at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	root := a.root()
	root.SetArgs(args)
	return a.exit(root.ExecuteContext(ctx))
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "datong",
		Short: a.say("政务数据交换：接入部门系统，转成标准记录，经 Kafka 送达统一平台", "Data exchange: department systems in, standard records on Kafka, the platform filled"),
		Long: a.say(`打通（Datong）读取各部门的系统，按标准数据字典转换并校验每一行，
经 Kafka 事务发布，再写入统一平台的数据库。不合格的行进入隔离区，附原因，不丢失。`,
			`Datong reads department systems, turns every row into a record of the standard data dictionary, publishes it
through Kafka transactions and fills the platform's database. A row that does not conform waits in quarantine
with its reasons.`),
		Example:       "  datong init my-exchange\n  datong check my-exchange",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          a.args(0, 0),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().String("lang", a.lang, a.say("消息的语言：zh 或 en（默认取自 LC_ALL、LANG）", "language of messages: zh or en (default from LC_ALL, LANG)"))
	root.PersistentFlags().Lookup("lang").DefValue = "" // help has just said where the default comes from
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.checkLang(cmd) }
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return a.usage(cmd, a.flagError(err)) })
	for _, build := range commands {
		root.AddCommand(build(a))
	}
	a.translate(root)
	return root
}

// say returns the text in the language of the messages.
func (a *app) say(zh, en string) string { return connectors.Text{Zh: zh, En: en}.In(a.lang) }

// sayf is say for a format whose arguments come in one order; the Chinese text may number them.
func (a *app) sayf(zh, en string, args ...any) string { return fmt.Sprintf(a.say(zh, en), args...) }
