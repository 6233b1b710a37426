package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
)

// args checks the number of arguments; high below 0 means any number. On a command that only groups others, an argument
// is a subcommand that there is not.
func (a *app) args(low, high int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > 0 && cmd.HasAvailableSubCommands() && high == 0:
			return a.unknownCommand(cmd, args[0])
		case len(args) < low:
			return a.usage(cmd, connectors.Text{Zh: fmt.Sprintf("缺少参数，用法：%s", cmd.UseLine()), En: fmt.Sprintf("an argument is missing: %s", cmd.UseLine())})
		case high >= 0 && len(args) > high:
			return a.usage(cmd, connectors.Text{Zh: fmt.Sprintf("多余的参数 %q", args[high]), En: fmt.Sprintf("%q is one argument too many", args[high])})
		}
		return nil
	}
}

// helpTopic refuses the help of a command that there is not, which cobra would answer with the help of all.
func (a *app) helpTopic(cmd *cobra.Command, args []string) error {
	found, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return a.unknownCommand(found, rest[0])
	}
	return nil
}

func (a *app) unknownCommand(cmd *cobra.Command, name string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	try := connectors.Text{Zh: strings.Join(names, "、") + " 之一", En: "one of " + strings.Join(names, ", ")}
	if near := nearest.Name(name, names); near != "" {
		try = connectors.Text{Zh: "改为 " + cmd.CommandPath() + " " + near, En: "did you mean " + cmd.CommandPath() + " " + near}
	}
	return withCode(exitUsage, &connectors.Problem{Try: try,
		What: connectors.Text{Zh: fmt.Sprintf("没有命令 %q", cmd.CommandPath()+" "+name), En: fmt.Sprintf("there is no command %q", cmd.CommandPath()+" "+name)}})
}

// flagError says what is wrong with a flag.
func (a *app) flagError(err error) connectors.Text {
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := "--" + e.GetSpecifiedName()
		if e.GetSpecifiedShortnames() != "" {
			name = "-" + e.GetSpecifiedName()
		}
		return connectors.Text{Zh: "没有选项 " + name, En: "there is no flag " + name}
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return connectors.Text{Zh: "选项 --" + e.GetSpecifiedName() + " 缺少值", En: "the flag --" + e.GetSpecifiedName() + " needs a value"}
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return connectors.Text{Zh: fmt.Sprintf("选项 --%s 的值 %q 不可用", e.GetFlag().Name, e.GetValue()), En: fmt.Sprintf("the flag --%s cannot be %q", e.GetFlag().Name, e.GetValue())}
	}
	return connectors.Text{Zh: err.Error(), En: err.Error()}
}

// printJSON writes v as indented JSON, without turning Chinese or < into escapes.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
