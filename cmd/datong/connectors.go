package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/nearest"
)

func newConnectorsCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "connectors [NAME]",
		Short: a.say("列出连接器及其选项", "List the connectors and their options"),
		Long: a.say("列出可接入的外部系统种类；给出名称时，列出该连接器在 source: 和 sink: 中的全部选项。",
			"List the kinds of outside systems; with a name, every option of that connector in source: and sink:."),
		Example: "  datong connectors\n  datong connectors files",
		Args:    a.args(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			list := a.registry.All()
			if len(args) > 0 {
				c := a.registry.Get(args[0])
				if c == nil {
					return a.noConnector(args[0], list)
				}
				list = []*connectors.Connector{c}
			}
			switch {
			case asJSON:
				return a.printJSON(describeAll(list))
			case len(args) > 0:
				a.printConnector(list[0])
			default:
				a.printConnectors(list)
			}
			return nil
		},
	}
	a.jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) noConnector(name string, list []*connectors.Connector) error {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.Name
	}
	try := connectors.Text{Zh: strings.Join(names, "、") + " 之一", En: "one of " + strings.Join(names, ", ")}
	if near := nearest.Name(name, names); near != "" {
		try = connectors.Text{Zh: "改为 " + near, En: "did you mean " + near}
	}
	return withCode(exitUsage, &connectors.Problem{Try: try,
		What: connectors.Text{Zh: fmt.Sprintf("没有名为 %q 的连接器", name), En: fmt.Sprintf("there is no connector %q", name)}})
}

func (a *app) printConnectors(list []*connectors.Connector) {
	var rows [][]string
	for _, c := range list {
		rows = append(rows, []string{c.Name, a.roles(c), c.Summary.In(a.lang)})
	}
	a.table([]string{a.say("名称", "NAME"), a.say("用途", "USE"), a.say("说明", "WHAT IT IS")}, rows)
	fmt.Fprintln(a.stdout, a.say("\n`datong connectors 名称` 显示选项。", "\n`datong connectors NAME` shows the options."))
}

// roles says what a connector can be.
func (a *app) roles(c *connectors.Connector) string {
	switch {
	case c.OpenSource != nil && c.OpenSink != nil:
		return "source, sink"
	case c.OpenSink != nil:
		return "sink"
	}
	return "source"
}

func (a *app) printConnector(c *connectors.Connector) {
	fmt.Fprintf(a.stdout, "%s: %s\n", c.Name, c.Summary.In(a.lang))
	if c.OpenSource != nil {
		a.printOptions("source", c.Name, c.SourceOptions)
	}
	if c.OpenSink != nil {
		a.printOptions("sink", c.Name, c.SinkOptions)
	}
}

// printOptions prints the options as YAML to copy: what is required as it is written, the rest commented out, each with
// what it means.
func (a *app) printOptions(section, name string, options []connectors.Option) {
	fmt.Fprintf(a.stdout, "\n%s:\n  connector: %s\n", section, name)
	for _, o := range options {
		mark := "# "
		if o.Required {
			mark = ""
		}
		fmt.Fprintf(a.stdout, "  %s%s: %s\n", mark, o.Name, sample(&o))
		fmt.Fprintf(a.stdout, "  #   %s%s%s\n", o.Type, a.required(&o), a.allowed(&o))
		for line := range strings.SplitSeq(o.Help.In(a.lang), "\n") {
			fmt.Fprintln(a.stdout, "  #   "+line)
		}
	}
}

// sample is a value that may be written: the example, else the default.
func sample(o *connectors.Option) string {
	if o.Example != "" {
		return o.Example
	}
	if o.Default == "" && o.Type == connectors.StringOption {
		return `""`
	}
	return o.Default
}

func (a *app) required(o *connectors.Option) string {
	if o.Required {
		return a.say("，必填", ", required")
	}
	if o.Default != "" {
		return a.say("，默认 ", ", default ") + o.Default
	}
	return ""
}

func (a *app) allowed(o *connectors.Option) string {
	if len(o.Values) == 0 {
		return ""
	}
	return a.say("，可用：", ", one of ") + strings.Join(o.Values, ", ")
}

// connectorInfo is a connector as --json prints it.
type connectorInfo struct {
	Name    string          `json:"name"`
	Summary connectors.Text `json:"summary"`
	Source  []optionInfo    `json:"source,omitempty"`
	Sink    []optionInfo    `json:"sink,omitempty"`
}

// optionInfo is an option as --json prints it.
type optionInfo struct {
	Name     string          `json:"name"`
	Type     string          `json:"type"`
	Required bool            `json:"required,omitempty"`
	Default  string          `json:"default,omitempty"`
	Values   []string        `json:"values,omitempty"`
	Help     connectors.Text `json:"help"`
	Example  string          `json:"example,omitempty"`
}

func describeAll(list []*connectors.Connector) []connectorInfo {
	infos := make([]connectorInfo, len(list))
	for i, c := range list {
		infos[i] = connectorInfo{Name: c.Name, Summary: c.Summary, Source: describeOptions(c.SourceOptions), Sink: describeOptions(c.SinkOptions)}
	}
	return infos
}

func describeOptions(options []connectors.Option) []optionInfo {
	infos := make([]optionInfo, len(options))
	for i, o := range options {
		infos[i] = optionInfo{o.Name, string(o.Type), o.Required, o.Default, o.Values, o.Help, o.Example}
	}
	return infos
}
