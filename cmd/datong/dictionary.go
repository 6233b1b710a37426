package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/mapping/dictionary"
)

func newDictionaryCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "dictionary",
		Short:   a.say("查看标准数据字典", "Look into the standard data dictionary"),
		Long:    a.say("查看标准数据字典：实体、数据元、代码集。加 --dir 时，连同交换目录中本地扩展的部分。", "Look into the standard data dictionary: entities, elements, code sets. With --dir, what an exchange adds is shown too."),
		Example: "  datong dictionary list\n  datong dictionary show legal_entity uscc\n  datong dictionary codes reg_status",
		Args:    a.args(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().String("dir", "", a.say("交换目录，读取其 dictionary/", "exchange directory whose dictionary/ is laid over the built-in one"))
	cmd.AddCommand(newDictionaryListCommand(a), newDictionaryShowCommand(a), newDictionaryCodesCommand(a))
	return cmd
}

// dictionaryOf returns the dictionary that a command works on: the built-in one, with the extension of --dir.
func (a *app) dictionaryOf(cmd *cobra.Command) (*dictionary.Dictionary, error) {
	dir, err := cmd.Flags().GetString("dir")
	if err != nil || dir == "" {
		return dictionary.Builtin(), err
	}
	d, err := config.LoadDictionary(dir)
	return d, withCode(exitUsage, err)
}

func newDictionaryListCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   a.say("列出实体和代码集", "List entities and code sets"),
		Example: "  datong dictionary list",
		Args:    a.args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := a.dictionaryOf(cmd)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(summarise(d))
			}
			a.printDictionary(d)
			return nil
		},
	}
	a.jsonFlag(cmd, &asJSON)
	return cmd
}

// dictionaryInfo is `dictionary list --json`.
type dictionaryInfo struct {
	Version  string        `json:"version"`
	Entities []entityInfo  `json:"entities"`
	CodeSets []codeSetInfo `json:"code_sets"`
}

type entityInfo struct {
	Name     string          `json:"name"`
	Title    connectors.Text `json:"title"`
	Key      []string        `json:"key"`
	Elements int             `json:"elements"`
	Standard string          `json:"standard"`
}

type codeSetInfo struct {
	Name     string          `json:"name"`
	Title    connectors.Text `json:"title"`
	Codes    int             `json:"codes"`
	Standard string          `json:"standard"`
}

func summarise(d *dictionary.Dictionary) dictionaryInfo {
	info := dictionaryInfo{Version: d.Version}
	for _, e := range d.Entities() {
		info.Entities = append(info.Entities, entityInfo{e.Name, e.Title, e.Key, len(e.Elements), e.Standard})
	}
	for _, c := range d.CodeSets() {
		info.CodeSets = append(info.CodeSets, codeSetInfo{c.Name, c.Title, len(c.Codes), c.Standard})
	}
	return info
}

func newDictionaryShowCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show ENTITY [ELEMENT]",
		Short:   a.say("显示一个实体或数据元", "Show an entity or an element"),
		Example: "  datong dictionary show legal_entity\n  datong dictionary show legal_entity reg_capital",
		Args:    a.args(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := a.dictionaryOf(cmd)
			if err != nil {
				return err
			}
			e := d.Entity(args[0])
			if e == nil {
				return notInDictionary("实体", "entity", args[0], entityNames(d))
			}
			if len(args) == 1 {
				if asJSON {
					return a.printJSON(e)
				}
				a.printEntity(e)
				return nil
			}
			el := e.Element(args[1])
			if el == nil {
				return noElement(e, args[1])
			}
			if asJSON {
				return a.printJSON(el)
			}
			a.printElement(e, el)
			return nil
		},
	}
	a.jsonFlag(cmd, &asJSON)
	return cmd
}

func newDictionaryCodesCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "codes SET",
		Short:   a.say("列出一个代码集的代码", "List the codes of a code set"),
		Example: "  datong dictionary codes reg_status",
		Args:    a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := a.dictionaryOf(cmd)
			if err != nil {
				return err
			}
			c := d.CodeSet(args[0])
			if c == nil {
				return notInDictionary("代码集", "code set", args[0], codeSetNames(d))
			}
			if asJSON {
				return a.printJSON(c)
			}
			a.printCodes(c)
			return nil
		},
	}
	a.jsonFlag(cmd, &asJSON)
	return cmd
}

// noElement says that an entity has no such element; the name may be one that departments use for it.
func noElement(e *dictionary.Entity, name string) error {
	p := &connectors.Problem{What: connectors.Text{Zh: fmt.Sprintf("实体 %s 没有数据元 %q", e.Name, name), En: fmt.Sprintf("the entity %s has no element %q", e.Name, name)},
		Try: connectors.Text{Zh: "`datong dictionary show " + e.Name + "`", En: "`datong dictionary show " + e.Name + "`"}}
	names := make([]string, len(e.Elements))
	for i, el := range e.Elements {
		names[i] = el.Name
		if slices.ContainsFunc(el.Synonyms, func(s string) bool { return strings.EqualFold(s, name) }) {
			p.Try = connectors.Text{Zh: "它在字典中叫 " + el.Name, En: "the dictionary calls it " + el.Name}
			return withCode(exitUsage, p)
		}
	}
	if near := config.Nearest(name, names); near != "" {
		p.Try = connectors.Text{Zh: "写成 " + near, En: "did you mean " + near}
	}
	return withCode(exitUsage, p)
}

// notInDictionary says that the dictionary has no such thing, and what may have been meant.
func notInDictionary(zh, en, name string, names []string) error {
	p := &connectors.Problem{What: connectors.Text{Zh: fmt.Sprintf("字典中没有%s %q", zh, name), En: fmt.Sprintf("the dictionary has no %s %q", en, name)},
		Try: connectors.Text{Zh: "`datong dictionary list`", En: "`datong dictionary list`"}}
	if near := config.Nearest(name, names); near != "" {
		p.Try = connectors.Text{Zh: "写成 " + near, En: "did you mean " + near}
	}
	return withCode(exitUsage, p)
}

func entityNames(d *dictionary.Dictionary) []string {
	var names []string
	for _, e := range d.Entities() {
		names = append(names, e.Name)
	}
	return names
}

func codeSetNames(d *dictionary.Dictionary) []string {
	var names []string
	for _, c := range d.CodeSets() {
		names = append(names, c.Name)
	}
	return names
}
