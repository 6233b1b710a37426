package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/connectors"
)

// language finds the language before the command line is parsed, since help and errors of parsing need it: --lang, else
// the first of LC_ALL, LC_MESSAGES and LANG that is set.
func language(args []string) string {
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if v, ok := strings.CutPrefix(arg, "--lang="); ok {
			return known(v)
		}
		if arg == "--lang" && i+1 < len(args) {
			return known(args[i+1])
		}
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return known(v)
		}
	}
	return "en"
}

func known(locale string) string {
	if strings.HasPrefix(strings.ToLower(locale), "zh") {
		return "zh"
	}
	return "en"
}

// checkLang refuses a language that there is not.
func (a *app) checkLang(cmd *cobra.Command) error {
	if v, _ := cmd.Flags().GetString("lang"); v != "zh" && v != "en" {
		return a.usage(cmd, connectors.Text{Zh: fmt.Sprintf("--lang 应为 zh 或 en，实为 %q", v), En: fmt.Sprintf("--lang must be zh or en, found %q", v)})
	}
	return nil
}

// usageWords are the headings of cobra's help, and what stands for them in Chinese.
var usageWords = strings.NewReplacer(
	"Usage:", "用法：", "Examples:", "示例：", "Available Commands:", "命令：", "Global Flags:", "通用选项：", "Flags:", "选项：",
	"Additional Commands:", "其他命令：", "Aliases:", "别名：", "Additional help topics:", "其他帮助：",
	`Use "{{.CommandPath}} [command] --help" for more information about a command.`, `“{{.CommandPath}} [命令] --help” 显示某个命令的详细说明。`,
)

// translate puts cobra's own words, in cmd and below it, into the language of the messages.
func (a *app) translate(cmd *cobra.Command) {
	if a.lang == "zh" && !cmd.HasParent() { // the template is inherited
		cmd.SetUsageTemplate(usageWords.Replace(cmd.UsageTemplate()))
	}
	if !cmd.HasParent() {
		cmd.InitDefaultHelpCmd()
	}
	cmd.InitDefaultHelpFlag()
	cmd.Flags().Lookup("help").Usage = a.say("显示说明", "show this help")
	if cmd.Name() == "help" {
		cmd.Short = a.say("显示某个命令的说明", "Show the help of a command")
		cmd.Args = a.helpTopic
	}
	for _, c := range cmd.Commands() {
		a.translate(c)
	}
}
