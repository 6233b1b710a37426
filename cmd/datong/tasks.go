package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/internal/control"
	"github.com/datong-dx/datong/internal/exchange"
)

// group is a command that does nothing itself.
func (a *app) group(use, short string, commands ...*cobra.Command) *cobra.Command {
	group := &cobra.Command{
		Use: use, Short: short, Args: a.args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(commands...)
	return group
}

// onTask lets a command act on the task that its second argument names, once it is noted who does so.
func (a *app) onTask(cmd *cobra.Command, args []string, action string, act func(ctx context.Context, s control.Service, task string) error) error {
	return a.with(cmd, args[0], func(ctx context.Context, s control.Service) error {
		if err := a.audited(ctx, s, exchange.AuditEntry{Action: action, Target: args[1]}); err != nil {
			return err
		}
		return act(ctx, s, args[1])
	})
}

func newDeletesCommand(a *app) *cobra.Command {
	return a.group("deletes", a.say("批准被拦下的删除", "Let held deletes go"), &cobra.Command{
		Use:   "approve DIR DEPARTMENT/PIPELINE",
		Short: a.say("让一次对比的删除生效（一次有效）", "Let a pipeline delete, once, what its last comparison held back"),
		Long: a.say(`一次完整对比要删除的主键超过 max_deletes 时，流水线停下，什么也不删。确认来源确实少了这些行后批准。`,
			`When a full comparison would delete more keys than max_deletes allows, the pipeline stops and deletes nothing. Approve
once you know that the source has really lost these rows.`),
		Example: "  datong deletes approve my-exchange market-regulation/enterprises",
		Args:    a.args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onTask(cmd, args, "approve", func(ctx context.Context, s control.Service, task string) error {
				held, err := s.ApproveDeletes(ctx, task)
				if err != nil {
					return err
				}
				fmt.Fprint(a.stdout, a.sayf("已批准：%s 删除 %s 的 %d 个主键（共 %d 个）\n", "approved: %s deletes from %s %d keys of %d\n", task, held.Entity, held.Deletes, held.Of))
				return nil
			})
		},
	})
}

func newPipelineCommand(a *app) *cobra.Command {
	return a.group("pipeline", a.say("让流水线从头读取", "Let a pipeline begin anew"), &cobra.Command{
		Use:   "reset DIR DEPARTMENT/PIPELINE",
		Short: a.say("忘记读到哪里，从头读取并与已发布的对比", "Forget how far it had read: read from the start, compare with what was published"),
		Long: a.say(`部门换了服务器、路径或数据库后，保存的位点不再适用，流水线停下。重置后从头读取：与主题相同的行不再发布，
来源中已没有的行按 max_deletes 的限制删除。计数和隔离区保留。`,
			`When a department has moved to another server, path or database, the position that was kept does not apply and the
pipeline halts. After a reset everything is read anew: what the topic has already is not published again, and what the
source no longer has is deleted within max_deletes. Counts and quarantine stay.`),
		Example: "  datong pipeline reset my-exchange market-regulation/enterprises",
		Args:    a.args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onTask(cmd, args, "reset", func(ctx context.Context, s control.Service, task string) error {
				if err := s.ResetPipeline(ctx, task); err != nil {
					return err
				}
				fmt.Fprint(a.stdout, a.sayf("%s 将从头读取\n", "%s will read its source from the start\n", task))
				return nil
			})
		},
	})
}

func newDeliveryCommand(a *app) *cobra.Command {
	return a.group("delivery", a.say("重建平台的表", "Rebuild the platform's tables"), &cobra.Command{
		Use:   "rebuild DIR DELIVERY",
		Short: a.say("清空一个投递的表，从主题重新写入", "Empty a delivery's tables and fill them anew from the topics"),
		Long: a.say(`清空投递的表和位点；正在运行的进程随即从主题起点重新写入，没有进程运行时，下次 datong run 写入。`,
			`Empty the delivery's tables and offsets. The process that runs it then writes everything again from the topics'
start; when none runs, the next datong run does.`),
		Example: "  datong delivery rebuild my-exchange platform",
		Args:    a.args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onTask(cmd, args, "rebuild", func(ctx context.Context, s control.Service, task string) error {
				if err := s.Rebuild(ctx, task); err != nil {
					return err
				}
				fmt.Fprint(a.stdout, a.sayf("%s 的表已清空，将从主题重新写入\n", "the tables of %s are empty and will be filled from the topics\n", task))
				return nil
			})
		},
	})
}

func newResumeCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "resume DIR",
		Short: a.say("外部问题解决后，让停下的任务继续", "Let halted tasks go on after what was wrong outside is cured"),
		Args:  a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd, args[0], func(ctx context.Context, s control.Service) error {
				if err := s.Resume(ctx); err != nil {
					return err
				}
				fmt.Fprintln(a.stdout, a.say("停下的任务已继续", "halted tasks try again"))
				return nil
			})
		},
	}
}
