package exchange

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/pipeline"
)

// A process that runs an exchange is a member of the group of its site. The partitions that the group hands out mean
// nothing; the membership does: a command that would act in the tasks' stead fences them, which nobody may do to tasks
// that run, perhaps on another machine with a copy of the directory.

func (x *Exchange) presenceGroup() string { return x.cfg.Prefix + "._" + x.cfg.Site }

// presenceRetry is how long a membership that could not be had is not asked for again.
const presenceRetry = 5 * time.Second

// present holds the membership until ctx is done.
func (x *Exchange) present(ctx context.Context) {
	var topics []string
	for _, p := range x.cfg.Pipelines {
		topics = append(topics, pipeline.PositionsTopic(x.cfg.Prefix, p.Department))
	}
	for len(topics) > 0 && ctx.Err() == nil {
		if err := x.member(ctx, topics); err != nil && ctx.Err() == nil {
			x.log.Warn("not a member of the site's group yet", "group", x.presenceGroup(), "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(presenceRetry):
			}
		}
	}
}

func (x *Exchange) member(ctx context.Context, topics []string) error {
	g, err := x.client.JoinGroup(broker.GroupConfig{ID: x.presenceGroup(), Topics: topics})
	if err != nil {
		return err
	}
	for {
		if _, err := g.Next(ctx); err != nil {
			return errors.Join(err, g.Close())
		}
	}
}

// absent makes sure that no process runs the exchange, here or elsewhere.
func (x *Exchange) absent(ctx context.Context) error {
	hosts, err := x.client.GroupMembers(ctx, x.presenceGroup())
	if err != nil {
		return fmt.Errorf("find out whether a process runs the exchange: %w", err)
	}
	if len(hosts) == 0 {
		return nil
	}
	at := strings.Join(hosts, ", ")
	return &connectors.Problem{
		Where: x.cfg.Dir,
		What:  connectors.Text{Zh: "站点 " + x.cfg.Site + " 正在别处运行（" + at + "）", En: "the site " + x.cfg.Site + " runs elsewhere (" + at + ")"},
		Try: connectors.Text{
			Zh: "在那台机器上执行；若进程刚被终止，等几秒待 broker 将其除名",
			En: "ask there; after a process was killed, wait some seconds until the broker has given it up",
		},
	}
}
