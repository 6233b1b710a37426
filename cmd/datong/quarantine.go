package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/control"
	"github.com/datong-dx/datong/internal/exchange"
	"github.com/datong-dx/datong/internal/quarantine"
)

func newQuarantineCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quarantine",
		Short: a.say("查看和处理被拒的行", "Look at refused rows, try them again or give them up"),
		Long: a.say(`不合格的行连同全部原因在隔离区等待。改好映射或代码对照表并重启后，retry 发布现在合格的行，不会覆盖更新的状态。
平台数据库拒收的记录也在这里。`,
			`Rows that do not conform wait in quarantine with all their reasons. After a mapping or crosswalk is mended and the
exchange started anew, retry publishes what now conforms and never overtakes a newer state. Records that the
platform's database refused wait here too.`),
		Args: a.args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.quarantineList(), a.quarantineShow(),
		a.quarantineAct(quarantine.Retry, a.say("再次转换，发布现在合格的行", "Map the rows again and publish what now conforms")),
		a.quarantineAct(quarantine.Discard, a.say("放弃这些行（须写明原因，留有审计记录）", "Give the rows up (with a reason, kept in the audit topic)")))
	return cmd
}

// selectionFlags are the flags by which a person chooses.
type selectionFlags struct {
	exchange.Selection

	pipeline, since, until string
}

func (a *app) selectionFlags(cmd *cobra.Command, f *selectionFlags) {
	for _, flag := range []struct {
		dst          *string
		name, zh, en string
	}{
		{&f.Department, "department", "部门", "of this department"},
		{&f.pipeline, "pipeline", "流水线：名称或 部门/名称", "of this pipeline: its name, or department/name"},
		{&f.Delivery, "delivery", "平台在这个投递中拒收的记录", "records that the platform refused in this delivery"},
		{&f.Entity, "entity", "标准实体", "of this standard entity"},
		{&f.Element, "element", "违反规则的数据元", "that break a rule of this data element"},
		{&f.Rule, "rule", "被违反的规则，如 required、crosswalk、codeset、format.uscc.check", "that break this rule, such as required, crosswalk, codeset, format.uscc.check"},
		{&f.Shape, "shape", "违规值的形状，如 9999-99-99", "whose offending value has this shape, such as 9999-99-99"},
		{&f.Set, "set", "来源中的表或文件集", "of this table or set of files"},
		{&f.RowKey, "key", "来源中一行的主键", "the row with this key in its source"},
		{&f.since, "since", "此后被拒：2026-11-23、2026-11-23T08:00 或 24h", "refused since: 2026-11-23, 2026-11-23T08:00 or 24h"},
		{&f.until, "until", "此前被拒：格式同上", "refused until: as since"},
	} {
		cmd.Flags().StringVar(flag.dst, flag.name, "", a.say(flag.zh, flag.en))
	}
}

// selection checks what the flags say.
func (a *app) selection(cmd *cobra.Command, f *selectionFlags) (exchange.Selection, error) {
	sel := f.Selection
	sel.Pipeline = f.pipeline
	if department, name, both := strings.Cut(f.pipeline, "/"); both {
		sel.Department, sel.Pipeline = department, name
	}
	var err error
	if sel.Since, err = a.moment(cmd, "since", f.since); err != nil {
		return sel, err
	}
	sel.Until, err = a.moment(cmd, "until", f.until)
	return sel, err
}

func (a *app) moment(cmd *cobra.Command, name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago > 0 {
		return time.Now().Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, connectors.ChinaStandardTime); err == nil {
			return t, nil
		}
	}
	return time.Time{}, a.usage(cmd, a.text("--%s 的值 %q 不是时间：写 2026-11-23、2026-11-23T08:00 或 24h", "--%s cannot be %q: write 2026-11-23, 2026-11-23T08:00 or 24h", name, text))
}

// text is a message in both languages.
func (a *app) text(zh, en string, args ...any) connectors.Text {
	return connectors.Text{Zh: fmt.Sprintf(zh, args...), En: fmt.Sprintf(en, args...)}
}

func (a *app) quarantineList() *cobra.Command {
	var f selectionFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list DIR",
		Short:   a.say("按原因汇总", "Count what waits, by cause"),
		Example: "  datong quarantine list my-exchange\n  datong quarantine list my-exchange --rule crosswalk --since 24h",
		Args:    a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sel, err := a.selection(cmd, &f)
			if err != nil {
				return err
			}
			return a.with(cmd, args[0], func(ctx context.Context, s control.Service) error {
				groups, err := s.Groups(ctx, sel)
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(append([]exchange.Group{}, groups...))
				}
				a.printGroups(groups)
				return nil
			})
		},
	}
	a.selectionFlags(cmd, &f)
	a.jsonFlag(cmd, &asJSON)
	return cmd
}

// printGroups prints causes, the most frequent first.
func (a *app) printGroups(groups []exchange.Group) {
	if len(groups) == 0 {
		fmt.Fprintln(a.stdout, a.say("没有被拒的行", "nothing waits"))
		return
	}
	var rows [][]string
	for i := range groups {
		g := &groups[i]
		who := g.Department + "/" + g.Pipeline
		if g.Delivery != "" {
			who = g.Delivery
		}
		rows = append(rows, []string{strconv.FormatInt(g.Count, 10), who, strings.TrimSuffix(g.Entity+"."+g.Element, "."), g.Rule, g.Shape, g.Example, a.say(g.Zh, g.En)})
	}
	a.table([]string{
		a.say("行数", "rows"), a.say("来自", "from"), a.say("数据元", "element"), a.say("规则", "rule"), a.say("值的形状", "shape"),
		a.say("例如", "for example"), a.say("原因", "reason"),
	}, rows)
}

func (a *app) quarantineAct(action quarantine.Action, short string) *cobra.Command {
	var f selectionFlags
	var asJSON, all bool
	var reason string
	cmd := &cobra.Command{
		Use:     string(action) + " DIR",
		Short:   short,
		Example: "  datong quarantine " + string(action) + " my-exchange --pipeline market-regulation/enterprises --rule crosswalk" + map[bool]string{true: " --reason \"…\""}[action == quarantine.Discard],
		Args:    a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sel, err := a.selection(cmd, &f)
			if err != nil {
				return err
			}
			if action == quarantine.Discard && strings.TrimSpace(reason) == "" {
				return a.usage(cmd, a.text("放弃数据须用 --reason 写明原因", "giving rows up needs a --reason"))
			}
			if action == quarantine.Discard && sel == (exchange.Selection{}) && !all {
				return a.usage(cmd, a.text("没有选择条件：确要放弃全部时加 --all", "nothing is chosen: add --all to give up everything that waits"))
			}
			return a.with(cmd, args[0], func(ctx context.Context, s control.Service) error {
				if err := a.audited(ctx, s, exchange.AuditEntry{Action: string(action), Selection: sel, Reason: reason}); err != nil {
					return err
				}
				answers, err := s.Act(ctx, action, sel)
				if err != nil {
					return err
				}
				return a.printAnswers(answers, asJSON)
			})
		},
	}
	a.selectionFlags(cmd, &f)
	if action == quarantine.Discard {
		cmd.Flags().StringVar(&reason, "reason", "", a.say("放弃的原因（必填，留有审计记录）", "why (required, kept in the audit topic)"))
		cmd.Flags().BoolVar(&all, "all", false, a.say("放弃全部", "give up everything that waits"))
	}
	a.jsonFlag(cmd, &asJSON)
	return cmd
}

// printAnswers tells what became of what was chosen; a task that could not act makes the command fail.
func (a *app) printAnswers(answers []exchange.Answer, asJSON bool) error {
	failed := false
	var rows [][]string
	for i := range answers {
		w := &answers[i]
		failed = failed || w.Error != ""
		rows = append(rows, append([]string{w.Pipeline + w.Delivery}, append(numbers(w.Chosen, w.Published, w.Discarded, w.Refused, w.Stale), a.say(w.ErrorZh, w.Error))...))
	}
	switch {
	case asJSON:
		if err := a.printJSON(append([]exchange.Answer{}, answers...)); err != nil {
			return err
		}
	case len(rows) == 0:
		fmt.Fprintln(a.stdout, a.say("没有符合条件的行", "nothing that waits was chosen"))
	default:
		a.table([]string{
			a.say("流水线或投递", "pipeline or delivery"), a.say("选中", "chosen"), a.say("已放行", "let in"), a.say("已放弃", "discarded"),
			a.say("仍不合格", "still refused"), a.say("已有新状态", "overtaken"), "",
		}, rows)
	}
	if failed {
		return withCode(exitFailed, errShown)
	}
	return nil
}
