package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/datong-dx/datong/connectors"
)

// Topic says how a topic must be.
type Topic struct {
	Name        string
	Partitions  int
	Replication int               // 0: the brokers' default
	Config      map[string]string // settings by their Kafka names
}

// TopicOptions are what an exchange may choose about its topics; the zero value works.
type TopicOptions struct {
	Partitions  int // of standard and quarantine topics: 8 when zero
	Replication int // 0: the brokers' default
	// DeleteRetention is how long a tombstone stays, so that a consumer that was away still sees it. 7 days when zero.
	DeleteRetention time.Duration
	// MinCompactionLag is how long every version of a record stays readable. 0: none is kept on purpose.
	MinCompactionLag time.Duration
	// MaxMessageBytes bounds a batch: 1048588, Kafka's default, when zero.
	MaxMessageBytes int
	// SegmentTime is when a segment is closed, and so can be compacted, though it is not full. 1 day when zero.
	SegmentTime time.Duration
}

// PositionsPartitions is the number of partitions of every positions topic.
const PositionsPartitions = 8

const (
	defaultPartitions      = 8
	defaultDeleteRetention = 7 * 24 * time.Hour
	defaultSegmentTime     = 24 * time.Hour
	positionsSegmentBytes  = 4 << 20 // small, so that a starting worker reads little; Kafka 4 wants at least 1 MiB
	positionsSegmentTime   = time.Hour
)

// StandardTopic is a topic of standard records: one record per key stays, tombstones late.
func StandardTopic(name string, o TopicOptions) Topic {
	return o.compacted(name, cmp.Or(o.Partitions, defaultPartitions), map[string]string{
		"segment.ms": millis(cmp.Or(o.SegmentTime, defaultSegmentTime)),
	})
}

// QuarantineTopic is a topic of refused rows: one record per waiting item.
func QuarantineTopic(name string, o TopicOptions) Topic {
	return o.compacted(name, cmp.Or(o.Partitions, defaultPartitions), map[string]string{
		"segment.ms": millis(cmp.Or(o.SegmentTime, defaultSegmentTime)),
	})
}

// PositionsTopic is a topic of tasks' positions: it is read whole at every start, so it is compacted early.
func PositionsTopic(name string, o TopicOptions) Topic {
	return o.compacted(name, PositionsPartitions, map[string]string{
		"segment.ms":                millis(positionsSegmentTime),
		"segment.bytes":             strconv.Itoa(positionsSegmentBytes),
		"min.cleanable.dirty.ratio": "0.1",
	})
}

func (o TopicOptions) compacted(name string, partitions int, config map[string]string) Topic {
	config["cleanup.policy"] = "compact"
	config["delete.retention.ms"] = millis(cmp.Or(o.DeleteRetention, defaultDeleteRetention))
	config["min.compaction.lag.ms"] = millis(o.MinCompactionLag)
	config["max.message.bytes"] = strconv.Itoa(cmp.Or(o.MaxMessageBytes, DefaultMaxMessageBytes))
	if o.Replication >= 3 {
		config["min.insync.replicas"] = "2" // else one broker's loss could take acknowledged records with it
	}
	return Topic{Name: name, Partitions: partitions, Replication: o.Replication, Config: config}
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// EnsureTopic creates the topic, or compares it with the one that exists. Differences that would break something
// (number of partitions, cleanup policy, a smaller batch limit) are returned as [connectors.Problem] with
// [ErrTopicDiffers]; the rest is what [Client.CompareTopic] tells.
func (c *Client) EnsureTopic(ctx context.Context, t Topic) error {
	ctx, cancel := context.WithTimeout(ctx, 3*c.cfg.Timeout)
	defer cancel()
	leaders, err := c.existing(ctx, t.Name)
	if err != nil {
		return err
	}
	if leaders == nil {
		err := c.createTopic(ctx, t)
		if err == nil || !errors.Is(err, kafka.TopicAlreadyExists) {
			return err
		}
	}
	problems, err := c.CompareTopic(ctx, t)
	if err != nil {
		return err
	}
	var stop []error
	for i := range problems {
		if !problems[i].Warning {
			stop = append(stop, &problems[i])
		}
	}
	return errors.Join(stop...)
}

// existing returns the leaders of a topic's partitions, nil when the topic is not there or may not be seen.
func (c *Client) existing(ctx context.Context, topic string) (leaders []int32, err error) {
	err = c.call(ctx, "look up topic "+topic, func(ctx context.Context) error {
		leaders, err = c.leaders(ctx, topic)
		if unrouted(err) {
			err = nil
		}
		return err
	})
	return leaders, err
}

func (c *Client) createTopic(ctx context.Context, t Topic) error {
	request := kafka.TopicConfig{Topic: t.Name, NumPartitions: t.Partitions, ReplicationFactor: cmp.Or(t.Replication, -1)}
	for _, name := range slices.Sorted(maps.Keys(t.Config)) {
		request.ConfigEntries = append(request.ConfigEntries, kafka.ConfigEntry{ConfigName: name, ConfigValue: t.Config[name]})
	}
	err := c.call(ctx, "create topic "+t.Name, func(ctx context.Context) error {
		res, err := c.kafka.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{request}})
		if err == nil {
			err = res.Errors[t.Name]
		}
		return classify(err)
	})
	return c.createError(t, err)
}

// codes are the numbers of the protocol before the words for them.
var codes = regexp.MustCompile(`\[\d+\] `)

func (c *Client) createError(t Topic, err error) error {
	problem := func(zh, en, tryZh, tryEn string) error {
		return &connectors.Problem{Where: "topic " + t.Name, What: connectors.Text{Zh: zh, En: en}, Try: connectors.Text{Zh: tryZh, En: tryEn},
			Err: &cause{codes.ReplaceAllString(err.Error(), ""), errors.Join(connectors.ErrStop, err)}}
	}
	switch {
	case errors.Is(err, kafka.InvalidReplicationFactor):
		return problem(fmt.Sprintf("无法保存 %d 个副本", t.Replication), fmt.Sprintf("the cluster cannot hold %d replicas", t.Replication),
			"把 replication 设为不超过 Kafka 节点数", "set replication to at most the number of brokers")
	case errors.Is(err, kafka.InvalidTopic):
		return problem("主题名不合法", "the name is not allowed", "前缀只用字母、数字、点、横线", "use only letters, digits, dots and dashes in the prefix")
	case errors.Is(err, kafka.InvalidConfiguration):
		return problem("Kafka 不接受主题设置", "the broker refuses the topic's settings", "检查 topics 下的设置", "check what stands under topics")
	case errors.Is(err, kafka.PolicyViolation):
		return problem("集群的策略不允许这样的主题", "the cluster's policy forbids such a topic", "请 Kafka 管理员建立该主题", "ask the Kafka administrator to create it")
	}
	return c.explain(err, resource{"topic", t.Name, "Create"})
}

// CompareTopic tells in what an existing topic differs from how it must be. Warning problems do not prevent the work.
func (c *Client) CompareTopic(ctx context.Context, t Topic) ([]connectors.Problem, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*c.cfg.Timeout)
	defer cancel()
	var leaders []int32
	err := c.call(ctx, "look up topic "+t.Name, func(ctx context.Context) (err error) {
		leaders, err = c.leaders(ctx, t.Name)
		return err
	})
	if err != nil {
		return nil, err
	}
	var problems []connectors.Problem
	if len(leaders) != t.Partitions {
		problems = append(problems, connectors.Problem{
			Where: "topic " + t.Name,
			What: connectors.Text{
				Zh: fmt.Sprintf("主题有 %d 个分区，应为 %d：分区数变了，同一主键会落到别的分区", len(leaders), t.Partitions),
				En: fmt.Sprintf("has %d partitions instead of %d: keys would move to other partitions", len(leaders), t.Partitions)},
			Try: connectors.Text{Zh: fmt.Sprintf("把 partitions 设为 %d，或换一个前缀", len(leaders)), En: fmt.Sprintf("set partitions to %d, or use another prefix", len(leaders))},
			Err: ErrTopicDiffers,
		})
	}
	have, err := c.topicConfig(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(t.Config)) {
		if p := compareSetting(t.Name, name, t.Config[name], have[name]); p != nil {
			problems = append(problems, *p)
		}
	}
	return problems, nil
}

func (c *Client) topicConfig(ctx context.Context, t Topic) (map[string]string, error) {
	config := make(map[string]string)
	err := c.call(ctx, "read the settings of topic "+t.Name, func(ctx context.Context) error {
		res, err := c.kafka.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{
			{ResourceType: kafka.ResourceTypeTopic, ResourceName: t.Name, ConfigNames: slices.Sorted(maps.Keys(t.Config))},
		}})
		if err != nil {
			return classify(err)
		}
		for _, r := range res.Resources {
			if r.Error != nil {
				return r.Error
			}
			for _, e := range r.ConfigEntries {
				config[e.ConfigName] = e.ConfigValue
			}
		}
		return nil
	})
	return config, c.explain(err, resource{"topic", t.Name, "DescribeConfigs"})
}

// compareSetting returns nil when the setting is as it must be, or better.
func compareSetting(topic, name, want, have string) *connectors.Problem {
	warning := true
	switch name {
	case "cleanup.policy":
		if sameSet(want, have) {
			return nil
		}
		warning = false
	case "max.message.bytes", "min.insync.replicas", "delete.retention.ms", "min.compaction.lag.ms":
		w, errW := strconv.ParseInt(want, 10, 64)
		h, errH := strconv.ParseInt(have, 10, 64)
		if errW == nil && errH == nil && h >= w {
			return nil
		}
		warning = name != "max.message.bytes"
	}
	if want == have {
		return nil
	}
	if w, err := strconv.ParseFloat(want, 64); err == nil {
		if h, err := strconv.ParseFloat(have, 64); err == nil && w == h {
			return nil
		}
	}
	alter := fmt.Sprintf("kafka-configs.sh --alter --entity-type topics --entity-name %s --add-config %s=%s", topic, name, want)
	if strings.Contains(want, ",") {
		alter = strings.Replace(alter, want, "["+want+"]", 1)
	}
	return &connectors.Problem{
		Where:   "topic " + topic,
		What:    connectors.Text{Zh: fmt.Sprintf("%s 是 %q，应为 %q", name, have, want), En: fmt.Sprintf("%s is %q instead of %q", name, have, want)},
		Try:     connectors.Text{Zh: alter, En: alter},
		Warning: warning,
		Err:     ErrTopicDiffers,
	}
}

func sameSet(a, b string) bool {
	split := func(s string) []string {
		list := strings.Split(strings.ReplaceAll(s, " ", ""), ",")
		slices.Sort(list)
		return list
	}
	return slices.Equal(split(a), split(b))
}
