package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/mapping"
)

func newTestCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "test DIR",
		Short: a.say("运行映射的用例，显示差异", "Run the fixtures of the mappings and show differences"),
		Long: a.say("运行每条流水线旁 .cases/*.yaml 中的用例：given 一行，应得 want，或应被 reject。不访问网络。",
			"Run the cases in the .cases/*.yaml beside every pipeline: a given row must give what it wants, or be rejected for\nthe reason it names. No network is touched."),
		Example: "  datong test my-exchange",
		Args:    a.args(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			x, err := config.Load(args[0], a.registry)
			if err != nil {
				return withCode(exitUsage, err)
			}
			return a.runTests(x, asJSON)
		},
	}
	a.jsonFlag(cmd, &asJSON)
	return cmd
}

// runTests runs the fixtures of every pipeline and prints what came out.
func (a *app) runTests(x *config.Exchange, asJSON bool) error {
	info := testInfo{OK: true, Cases: []caseInfo{}}
	var broken error
	for _, p := range x.Pipelines {
		results, err := p.RunCases()
		broken = errors.Join(broken, err)
		for _, r := range results {
			info.add(p, &r)
		}
	}
	if broken != nil {
		return withCode(exitUsage, broken)
	}
	if asJSON {
		if err := a.printJSON(info); err != nil {
			return err
		}
	} else {
		a.printCases(info)
	}
	if !info.OK {
		return withCode(exitFailed, errShown)
	}
	return nil
}

// testInfo is the outcome as --json prints it.
type testInfo struct {
	OK     bool       `json:"ok"`
	Failed int        `json:"failed"`
	Cases  []caseInfo `json:"cases"`
}

type caseInfo struct {
	Pipeline    string           `json:"pipeline"`
	Name        string           `json:"name"`
	Where       string           `json:"where"`
	Entity      string           `json:"entity"`
	Passed      bool             `json:"passed"`
	Differences []differenceInfo `json:"differences,omitempty"`
}

type differenceInfo struct {
	Subject string           `json:"subject"`
	Got     string           `json:"got"`
	Want    string           `json:"want"`
	Note    *connectors.Text `json:"note,omitempty"`

	told mapping.Difference
}

func (t *testInfo) add(p *config.Pipeline, r *mapping.CaseResult) {
	c := caseInfo{Pipeline: p.ID(), Name: r.Name, Where: r.Where(), Entity: r.Entity, Passed: r.Passed()}
	for _, d := range r.Differences {
		info := differenceInfo{Subject: d.Subject, Got: d.Got, Want: d.Want, told: d}
		if d.Note != (connectors.Text{}) {
			info.Note = &d.Note
		}
		c.Differences = append(c.Differences, info)
	}
	t.Cases = append(t.Cases, c)
	if !c.Passed {
		t.OK = false
		t.Failed++
	}
}

// printCases prints the cases under their pipelines, with the differences of those that failed.
func (a *app) printCases(info testInfo) {
	pipeline := ""
	for _, c := range info.Cases {
		if c.Pipeline != pipeline {
			pipeline = c.Pipeline
			fmt.Fprintln(a.stdout, pipeline)
		}
		if c.Passed {
			fmt.Fprintf(a.stdout, "  %s  %s\n", a.say("通过  ", "ok  "), c.Name)
			continue
		}
		fmt.Fprintf(a.stdout, "  %s  %s (%s)\n", a.say("未通过", "FAIL"), c.Name, c.Where)
		for _, d := range c.Differences {
			fmt.Fprintf(a.stdout, "        %s\n", d.told.In(a.lang))
		}
	}
	fmt.Fprint(a.stdout, a.sayf("%d 个用例，%d 个未通过\n", "%d fixture(s), %d failed\n", len(info.Cases), info.Failed))
}
