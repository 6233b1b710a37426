package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/internal/control"
	"github.com/datong-dx/datong/internal/exchange"
)

func newStatusCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status DIR",
		Short: a.say("各流水线和投递在做什么，数据是否都已到达", "What every pipeline and delivery is doing, and whether everything arrived"),
		Long: a.say(`向运行中的进程询问；没有进程运行时，从主题和平台库读取最后的状态。
读取 = 发布 + 未变 + 过滤 + 隔离 + 被取代；“未交代”应为 0。
“落后”是平台尚未到达的位点数，其中有些是事务标记；0 即全部送达。`,
			`Ask the running process; when none runs, read the last state from the topics and the platform's database.
read = published + unchanged + filtered + quarantined + superseded; "unaccounted" must be 0 at rest.
"behind" is how many offsets the platform has yet to reach, some of which are markers of transactions; at 0 it has all.`),
		Example: "  datong status my-exchange\n  datong status my-exchange --json",
		Args:    a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd, args[0], func(ctx context.Context, s control.Service) error {
				status, err := s.Status(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(status)
				}
				a.printStatus(&status)
				return nil
			})
		},
	}
	a.jsonFlag(cmd, &asJSON)
	return cmd
}

// printStatus prints the pipelines, the deliveries, and what is wrong with any of them.
func (a *app) printStatus(s *exchange.Status) {
	if s.Dry {
		fmt.Fprintln(a.stdout, a.say("试运行：没有发布任何记录；各列为首次运行时的结果", "dry run: nothing was published; the columns say what a first run would do"))
		fmt.Fprintln(a.stdout)
	}
	a.printPipelines(s)
	a.printDeliveries(s)
	a.printTroubles(s)
}

// printPipelines prints nothing for a site that only delivers what others publish.
func (a *app) printPipelines(s *exchange.Status) {
	if len(s.Pipelines) == 0 {
		return
	}
	heading := []string{
		a.say("流水线", "pipeline"), a.say("状态", "state"), a.say("读取", "read"), a.say("发布", "published"), a.say("未变", "unchanged"), a.say("过滤", "filtered"),
		a.say("隔离", "quarantined"), a.say("被取代", "superseded"), a.say("送达", "delivered"), a.say("未交代", "unaccounted"), a.say("滞后", "lag"),
	}
	var rows [][]string
	for i := range s.Pipelines {
		p := &s.Pipelines[i]
		rows = append(rows, append([]string{p.Department + "/" + p.Name, a.stateName(string(p.State))},
			append(numbers(p.Read, p.Published, p.Unchanged, p.Filtered, p.Quarantined, p.Superseded, p.Delivered, p.Unaccounted), a.lag(p.LagSeconds))...))
	}
	t := &s.Total
	rows = append(rows, append([]string{a.say("合计", "total"), ""},
		append(numbers(t.Read, t.Published, t.Unchanged, t.Filtered, t.Quarantined, t.Superseded, t.Delivered, t.Unaccounted), "")...))
	a.table(heading, rows)
	if len(s.Deliveries) > 0 {
		fmt.Fprintln(a.stdout)
	}
}

func (a *app) printDeliveries(s *exchange.Status) {
	if len(s.Deliveries) == 0 {
		return
	}
	var rows [][]string
	for i := range s.Deliveries {
		d := &s.Deliveries[i]
		rows = append(rows, append([]string{d.Name, a.stateName(string(d.State))}, append(numbers(d.Delivered, d.Waiting, d.LagRecords), a.lag(d.LagSeconds))...))
	}
	a.table([]string{
		a.say("投递", "delivery"), a.say("状态", "state"), a.say("送达", "delivered"), a.say("平台拒收", "refused"), a.say("落后", "behind"), a.say("滞后", "lag"),
	}, rows)
}

// printTroubles prints what a person must look at, with what to do.
func (a *app) printTroubles(s *exchange.Status) {
	for i := range s.Pipelines {
		p := &s.Pipelines[i]
		id := p.Department + "/" + p.Name
		if p.Error != "" {
			a.printTrouble(id, a.say(p.ErrorZh, p.Error))
		}
		if h := p.HeldDeletes; h != nil {
			fmt.Fprint(a.stdout, a.sayf("  批准这些删除：datong deletes approve %s %s\n", "  to let them go: datong deletes approve %s %s\n", s.Dir, id))
		}
	}
	for i := range s.Deliveries {
		if d := &s.Deliveries[i]; d.Error != "" {
			a.printTrouble(d.Name, a.say(d.ErrorZh, d.Error))
		}
	}
	if s.Total.Waiting > 0 && !s.Dry {
		fmt.Fprint(a.stdout, a.sayf("\n隔离的原因：datong quarantine list %s\n", "\nwhy rows are in quarantine: datong quarantine list %s\n", s.Dir))
	}
}

// printTrouble prints an error with its task's name, where a problem that is about the task as a whole stands already.
func (a *app) printTrouble(task, text string) {
	fmt.Fprintf(a.stdout, "\n%s: %s\n", task, strings.TrimPrefix(text, task+": "))
}

func numbers(list ...int64) []string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = strconv.FormatInt(n, 10)
	}
	return out
}

// lag prints seconds as a person reads them.
func (a *app) lag(seconds float64) string {
	if seconds < 1 {
		return strconv.FormatFloat(seconds, 'f', 1, 64) + "s"
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

// stateNames are the states of pipelines and deliveries in Chinese.
var stateNames = map[string]string{
	"starting": "启动中", "running": "运行中", "idle": "空闲", "retrying": "重试中", "waiting": "熔断等待", "outside": "不在时段",
	"halted": "已停下", "fenced": "已被取代", "done": "已完成", "stopped": "未运行",
}

func (a *app) stateName(state string) string {
	return a.say(stateNames[state], state)
}
