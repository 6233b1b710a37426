package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/mapping"
)

func newCheckCommand(a *app) *cobra.Command {
	var connect, asJSON bool
	cmd := &cobra.Command{
		Use:   "check DIR",
		Short: a.say("检查交换目录，运行全部用例", "Check an exchange directory and run its fixtures"),
		Long: a.say(`读取交换目录，列出全部问题（文件:行:列），并运行每条映射的用例。不访问网络。
加 --connect 时，还会连接 broker、每个数据源和每个目标库，检查可达、权限和列。不作任何修改。`,
			`Read the exchange directory, list every problem at its file:line:column, and run the fixtures of every mapping.
No network is touched. With --connect the broker, every source and every sink are reached too, and reach,
permissions and columns are checked. Nothing is changed.`),
		Example: "  datong check my-exchange\n  datong check my-exchange --connect",
		Args:    a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := a.checkDirectory(args[0])
			if connect && r.failed() == 0 {
				r.reached = reach(cmd.Context(), r.exchange)
			}
			if asJSON {
				if err := a.printJSON(r.info()); err != nil {
					return err
				}
			} else {
				a.printReport(args[0], r)
			}
			return r.err()
		},
	}
	cmd.Flags().BoolVar(&connect, "connect", false, a.say("也连接 broker、数据源和目标库", "reach the broker, sources and sinks too"))
	a.jsonFlag(cmd, &asJSON)
	return cmd
}

// report is what a check found.
type report struct {
	exchange *config.Exchange      // nil when it could not be loaded
	problems []*connectors.Problem // of the directory
	reached  []*connectors.Problem // of the systems that --connect opened
	cases    map[string]int        // pipeline → number of fixtures
}

// checkDirectory loads an exchange and runs its fixtures.
func (a *app) checkDirectory(dir string) *report {
	r := &report{cases: map[string]int{}}
	x, err := config.Load(dir, a.registry)
	r.add(config.Problems(err)...)
	if err != nil {
		return r
	}
	r.exchange = x
	r.add(x.Warnings...)
	for _, p := range x.Pipelines {
		results, err := p.RunCases()
		r.add(config.Problems(err)...)
		r.cases[p.ID()] = len(results)
		for _, c := range results {
			if !c.Passed() {
				r.add(failedCase(p, &c))
			}
		}
		if len(results) == 0 && err == nil {
			r.add(&connectors.Problem{Where: p.File, Warning: true,
				What: connectors.Text{Zh: "这条流水线没有用例", En: "the pipeline has no fixtures"},
				Try:  connectors.Text{Zh: "在 " + p.Cases + " 中写 given 与 want", En: "write given and want in " + p.Cases + "/one.yaml"}})
		}
	}
	return r
}

// failedCase tells in one line that a fixture fails; `datong test` shows how.
func failedCase(p *config.Pipeline, c *mapping.CaseResult) *connectors.Problem {
	return &connectors.Problem{Where: c.Where(),
		What: connectors.Text{Zh: fmt.Sprintf("用例 %q 未通过，流水线 %s 不会启动", c.Name, p.ID()), En: fmt.Sprintf("the fixture %q fails, so the pipeline %s does not start", c.Name, p.ID())},
		Try:  connectors.Text{Zh: "`datong test` 显示差异", En: "`datong test` shows the differences"}}
}

func (r *report) add(list ...*connectors.Problem) { r.problems = append(r.problems, list...) }

// all returns every problem in the order of printing.
func (r *report) all() []*connectors.Problem { return slices.Concat(r.problems, r.reached) }

// failed counts the problems that are more than warnings.
func (r *report) failed() int { return failures(r.problems) + failures(r.reached) }

func failures(list []*connectors.Problem) int {
	n := 0
	for _, p := range list {
		if !p.Warning {
			n++
		}
	}
	return n
}

// err gives the exit code: something unreachable is told apart from a wrong configuration, which comes first.
func (r *report) err() error {
	if r.failed() == 0 {
		return nil
	}
	wrong := func(p *connectors.Problem) bool { return !p.Warning && !outside(p.Err) }
	if failures(r.problems) > 0 || slices.ContainsFunc(r.reached, wrong) {
		return withCode(exitUsage, errShown)
	}
	return withCode(exitUnreachable, errShown)
}

// printReport prints problems to standard error, and what the exchange does when it may start.
func (a *app) printReport(dir string, r *report) {
	for _, p := range r.all() {
		a.problem(p)
	}
	failed := r.failed()
	if failed > 0 {
		fmt.Fprint(a.stderr, a.sayf("%s：%d 个问题\n", "%s: %d problem(s)\n", dir, failed))
		return
	}
	var rows [][]string
	for _, p := range r.exchange.Pipelines {
		rows = append(rows, []string{p.ID(), p.Connector.Name, strings.Join(entities(p), ", "), strconv.Itoa(r.cases[p.ID()])})
	}
	if len(rows) > 0 {
		a.table([]string{a.say("流水线", "PIPELINE"), a.say("连接器", "SOURCE"), a.say("实体", "ENTITIES"), a.say("用例", "FIXTURES")}, rows)
		fmt.Fprintln(a.stdout)
	}
	rows = nil
	for _, v := range r.exchange.Deliveries {
		rows = append(rows, []string{v.Name, v.Connector.Name, a.anyOf(v.Entities), a.anyOf(v.Departments)})
	}
	if len(rows) > 0 {
		a.table([]string{a.say("投递", "DELIVERY"), a.say("连接器", "SINK"), a.say("实体", "ENTITIES"), a.say("部门", "DEPARTMENTS")}, rows)
		fmt.Fprintln(a.stdout)
	}
	fmt.Fprint(a.stdout, a.sayf("%s 可以运行\n", "%s is ready to run\n", dir))
}

func (a *app) anyOf(names []string) string {
	if len(names) == 0 {
		return a.say("全部", "all")
	}
	return strings.Join(names, ", ")
}

// entities lists what a pipeline's mappings make, each once.
func entities(p *config.Pipeline) []string {
	var names []string
	seen := map[string]bool{}
	for _, plan := range p.Plans {
		if name := plan.Entity().Name; !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// checkInfo is the report as --json prints it.
type checkInfo struct {
	OK         bool           `json:"ok"`
	Problems   []problemInfo  `json:"problems"`
	Pipelines  []pipelineInfo `json:"pipelines,omitempty"`
	Deliveries []deliveryInfo `json:"deliveries,omitempty"`
}

type problemInfo struct {
	Where   string           `json:"where,omitempty"`
	What    connectors.Text  `json:"what"`
	Cause   string           `json:"cause,omitempty"`
	Try     *connectors.Text `json:"try,omitempty"`
	Warning bool             `json:"warning,omitempty"`
}

type pipelineInfo struct {
	Pipeline  string   `json:"pipeline"`
	Connector string   `json:"connector"`
	Entities  []string `json:"entities"`
	Fixtures  int      `json:"fixtures"`
}

type deliveryInfo struct {
	Delivery    string   `json:"delivery"`
	Connector   string   `json:"connector"`
	Entities    []string `json:"entities,omitempty"`
	Departments []string `json:"departments,omitempty"`
}

func (r *report) info() checkInfo {
	info := checkInfo{OK: r.failed() == 0, Problems: []problemInfo{}}
	for _, p := range r.all() {
		info.Problems = append(info.Problems, describeProblem(p))
	}
	if r.exchange == nil {
		return info
	}
	for _, p := range r.exchange.Pipelines {
		info.Pipelines = append(info.Pipelines, pipelineInfo{p.ID(), p.Connector.Name, entities(p), r.cases[p.ID()]})
	}
	for _, v := range r.exchange.Deliveries {
		info.Deliveries = append(info.Deliveries, deliveryInfo{v.Name, v.Connector.Name, v.Entities, v.Departments})
	}
	return info
}

func describeProblem(p *connectors.Problem) problemInfo {
	info := problemInfo{Where: p.Where, What: p.What, Cause: p.Cause(), Warning: p.Warning}
	if p.Try != (connectors.Text{}) {
		info.Try = &p.Try
	}
	return info
}
