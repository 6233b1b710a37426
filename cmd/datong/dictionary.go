package main

import (
	"errors"
	"fmt"
	"io"
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
			return d.WriteList(a.stdout, a.lang)
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
			switch {
			case err != nil:
				return err
			case len(args) == 2 && standardName(d, args[0], args[1]) != "":
				return calledOtherwise(args[1], standardName(d, args[0], args[1]))
			case asJSON:
				return a.showJSON(d, args)
			case len(args) == 1:
				return misused(d.WriteEntity(a.stdout, a.lang, args[0]))
			}
			return misused(d.WriteElement(a.stdout, a.lang, args[0], args[1]))
		},
	}
	a.jsonFlag(cmd, &asJSON)
	return cmd
}

// standardName returns the element of an entity that departments call by the given name, "" when there is none or when
// it is an element's own name.
func standardName(d *dictionary.Dictionary, entity, name string) string {
	e := d.Entity(entity)
	if e == nil || e.Element(name) != nil {
		return ""
	}
	for _, el := range e.Elements {
		if slices.ContainsFunc(el.Synonyms, func(s string) bool { return strings.EqualFold(s, name) }) {
			return el.Name
		}
	}
	return ""
}

func calledOtherwise(name, standard string) error {
	return withCode(exitUsage, &connectors.Problem{
		What: connectors.Text{Zh: fmt.Sprintf("%s 是部门的叫法，字典中另有名称", name), En: fmt.Sprintf("the dictionary calls %s by another name", name)},
		Try:  connectors.Text{Zh: standard, En: standard}})
}

// showJSON prints an entity or an element. What is not there is told by the functions that print text.
func (a *app) showJSON(d *dictionary.Dictionary, args []string) error {
	e := d.Entity(args[0])
	if e == nil {
		return misused(d.WriteEntity(io.Discard, a.lang, args[0]))
	}
	if len(args) == 1 {
		return a.printJSON(e)
	}
	if el := e.Element(args[1]); el != nil {
		return a.printJSON(el)
	}
	return misused(d.WriteElement(io.Discard, a.lang, args[0], args[1]))
}

func newDictionaryCodesCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "codes SET [FILTER]",
		Short: a.say("列出一个代码集的代码", "List the codes of a code set"),
		Long: a.say("列出一个代码集的代码；给出 FILTER 时，只列以它开头的代码和名称中含有它的代码。",
			"List the codes of a code set; with FILTER, those that begin with it or whose title holds it."),
		Example: "  datong dictionary codes reg_status\n  datong dictionary codes division 1403",
		Args:    a.args(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := a.dictionaryOf(cmd)
			if err != nil {
				return err
			}
			filter := strings.Join(args[1:], "")
			c := d.CodeSet(args[0])
			if !asJSON || c == nil {
				return misused(d.WriteCodes(a.stdout, a.lang, args[0], filter))
			}
			found := *c
			found.Codes = c.Find(filter)
			return a.printJSON(&found)
		},
	}
	a.jsonFlag(cmd, &asJSON)
	return cmd
}

// misused gives a name that the dictionary does not know its exit code; an error of writing stays a failure.
func misused(err error) error {
	if _, ok := errors.AsType[*connectors.Problem](err); ok {
		return withCode(exitUsage, err)
	}
	return err
}
