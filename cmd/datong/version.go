package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/mapping/dictionary"
)

// build is what `datong version` shows.
type build struct {
	Version    string `json:"version"`
	Revision   string `json:"revision,omitempty"`
	Time       string `json:"time,omitempty"`
	Modified   bool   `json:"modified,omitempty"`
	Go         string `json:"go"`
	Dictionary string `json:"dictionary"`
}

func newVersionCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   a.say("显示版本", "Show the version"),
		Example: "  datong version --json",
		Args:    a.args(0, 0),
		RunE: func(*cobra.Command, []string) error {
			b := readBuild()
			if asJSON {
				return a.printJSON(b)
			}
			a.printBuild(b)
			return nil
		},
	}
	a.jsonFlag(cmd, &asJSON)
	return cmd
}

// readBuild reads what the Go toolchain recorded.
func readBuild() build {
	b := build{Version: "(devel)", Dictionary: dictionary.Builtin().Version}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = info.GoVersion
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (a *app) printBuild(b build) {
	fmt.Fprintln(a.stdout, "datong", b.Version)
	if b.Revision != "" {
		changed := ""
		if b.Modified {
			changed = a.say("，有未提交的修改", ", modified")
		}
		fmt.Fprintf(a.stdout, "%s %s %s%s\n", a.say("提交", "revision"), b.Revision, b.Time, changed)
	}
	fmt.Fprintln(a.stdout, a.say("字典", "dictionary"), b.Dictionary)
	fmt.Fprintln(a.stdout, b.Go)
}

// jsonFlag adds --json.
func (a *app) jsonFlag(cmd *cobra.Command, dst *bool) {
	cmd.Flags().BoolVar(dst, "json", false, a.say("输出 JSON，供脚本读取", "print JSON, for scripts"))
}
