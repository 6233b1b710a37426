package broker

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// GroupMembers returns where the members of a group are, as the broker sees them. A member that was killed counts until
// its session timeout.
func (c *Client) GroupMembers(ctx context.Context, group string) ([]string, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	var hosts []string
	err := c.call(ctx, "ask for the members of group "+group, func(ctx context.Context) error {
		res, err := c.kafka.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
		if err != nil {
			return classify(err)
		}
		if len(res.Groups) != 1 {
			return fmt.Errorf("%d groups in the answer", len(res.Groups))
		}
		g := res.Groups[0]
		if g.Error != nil && !errors.Is(g.Error, kafka.GroupIdNotFound) {
			return g.Error
		}
		hosts = hosts[:0]
		for i := range g.Members {
			hosts = append(hosts, g.Members[i].ClientHost)
		}
		return nil
	})
	return hosts, c.explain(err, resource{"group", group, "Describe"})
}
