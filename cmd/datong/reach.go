package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/internal/nearest"
	"github.com/datong-dx/datong/mapping"
)

const (
	reachTimeout = 20 * time.Second // for one system to open and check itself
	reachAtOnce  = 8                // systems opened at the same time
	// A person waits for the answer: shorter than what a running exchange allows a broker that restarts.
	brokerTimeout = 4 * time.Second
)

// marksOfSetup are in the errors of what is set up wrongly, here or outside: trying again cannot help.
var marksOfSetup = []error{
	connectors.ErrStop, connectors.ErrPosition,
	broker.ErrAuthentication, broker.ErrAuthorization, broker.ErrTopicDiffers, broker.ErrNotKafka,
}

// misconfigured says that an error means something set up wrongly.
func misconfigured(err error) bool {
	return slices.ContainsFunc(marksOfSetup, func(mark error) bool { return errors.Is(err, mark) })
}

// outside says that an error means something that cannot be reached now, rather than something set up wrongly.
func outside(err error) bool { return err != nil && !misconfigured(err) }

// reach opens the broker, every source and every sink of an exchange and returns what they find wrong, in the order of
// the directory. It changes nothing.
func reach(ctx context.Context, x *config.Exchange) []*connectors.Problem {
	var jobs []func(context.Context) []*connectors.Problem
	if !x.Embedded {
		jobs = append(jobs, func(ctx context.Context) []*connectors.Problem { return reachBroker(ctx, x) })
	}
	for _, p := range x.Pipelines {
		jobs = append(jobs, func(ctx context.Context) []*connectors.Problem { return reachSource(ctx, x, p) })
	}
	for _, v := range x.Deliveries {
		jobs = append(jobs, func(ctx context.Context) []*connectors.Problem { return reachSink(ctx, x, v) })
	}
	found := make([][]*connectors.Problem, len(jobs))
	var group errgroup.Group
	group.SetLimit(reachAtOnce)
	for i, job := range jobs {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, reachTimeout)
			defer cancel()
			found[i] = job(ctx)
			return nil
		})
	}
	_ = group.Wait() // the jobs return no error: what they find is in found
	return slices.Concat(found...)
}

// reachBroker checks that the brokers answer and that topics which exist are as they must be.
func reachBroker(ctx context.Context, x *config.Exchange) []*connectors.Problem {
	where := strings.Join(x.Broker.Brokers, ",")
	cfg := x.Broker
	cfg.Timeout = brokerTimeout
	client, err := broker.Connect(cfg)
	if err != nil {
		return at(where, connectors.Text{Zh: "无法连接 Kafka", En: "cannot connect to Kafka"}, err)
	}
	defer client.Close()
	exist, err := client.Topics(ctx)
	if err != nil {
		return at(where, connectors.Text{Zh: "Kafka 没有应答", En: "Kafka does not answer"}, err)
	}
	list := checkReplication(ctx, x, client)
	for _, name := range standardTopics(x) {
		if _, ok := exist[name]; !ok {
			continue // `run` creates it
		}
		differences, err := client.CompareTopic(ctx, broker.StandardTopic(name, x.Topics.TopicOptions))
		if err != nil {
			return append(list, at(name, connectors.Text{Zh: "无法读取主题", En: "cannot read the topic"}, err)...)
		}
		for _, d := range differences {
			list = append(list, &d)
		}
	}
	return list
}

// checkReplication compares how often records are to be kept with the brokers that could keep them.
func checkReplication(ctx context.Context, x *config.Exchange, client *broker.Client) []*connectors.Problem {
	n, err := client.Size(ctx)
	if err != nil || x.Topics.Replication <= n {
		return nil // what the brokers do not tell now, they will when the topic is made
	}
	return []*connectors.Problem{{
		Where: "topics.replication", Err: connectors.ErrStop,
		What: connectors.Text{
			Zh: fmt.Sprintf("要保存 %d 个副本，而 Kafka 只有 %d 个节点", x.Topics.Replication, n),
			En: fmt.Sprintf("%d replicas are to be kept, and the cluster has %d broker(s)", x.Topics.Replication, n)},
		Try: connectors.Text{
			Zh: fmt.Sprintf("把 datong.yaml 中 topics 的 replication 改为 %d 或更小", n),
			En: fmt.Sprintf("set replication under topics in datong.yaml to %d or less", n)},
	}}
}

// standardTopics lists the topics that the exchange publishes records to, each once.
func standardTopics(x *config.Exchange) []string {
	var topics []string
	for _, p := range x.Pipelines {
		for _, entity := range entities(p) {
			if name := x.Prefix + "." + p.Department + "." + entity; !slices.Contains(topics, name) {
				topics = append(topics, name)
			}
		}
	}
	return topics
}

// reachSource opens a pipeline's source at its start and lets it check itself.
func reachSource(ctx context.Context, x *config.Exchange, p *config.Pipeline) []*connectors.Problem {
	src, err := p.Connector.OpenSource(ctx, connectors.SourceRequest{Settings: p.Settings, Dir: x.Dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return at(p.ID(), connectors.Text{Zh: "无法打开数据源", En: "cannot open the source"}, err)
	}
	defer src.Close()
	list := selfCheck(ctx, p.ID(), src)
	if slices.ContainsFunc(list, func(p *connectors.Problem) bool { return !p.Warning && outside(p.Err) }) {
		return list // what cannot be reached has nothing more to say
	}
	tables, err := shapes(ctx, src)
	if err != nil {
		return append(list, at(p.ID(), connectors.Text{Zh: "无法列出数据源的表", En: "cannot list the source's tables"}, err)...)
	}
	complete := failures(list) == 0
	for _, plan := range p.Plans {
		list = append(list, checkColumns(p, plan, tables, complete)...)
	}
	return list
}

// shapes asks a source what it reads.
func shapes(ctx context.Context, src connectors.Source) ([]*connectors.Table, error) {
	switch s := src.(type) {
	case connectors.Describer:
		return s.Describe(ctx)
	case connectors.Discoverer:
		return s.Discover(ctx)
	}
	return nil, nil
}

// reachSink opens a delivery's sink and lets it check itself.
func reachSink(ctx context.Context, x *config.Exchange, v *config.Delivery) []*connectors.Problem {
	sink, err := v.Connector.OpenSink(ctx, connectors.SinkRequest{Settings: v.Settings, Dir: x.Dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return at(v.Name, connectors.Text{Zh: "无法打开目标库", En: "cannot open the sink"}, err)
	}
	defer sink.Close()
	return selfCheck(ctx, v.Name, sink)
}

// selfCheck asks a source or sink that can check itself.
func selfCheck(ctx context.Context, where string, system any) []*connectors.Problem {
	checker, ok := system.(connectors.Checker)
	if !ok {
		return nil
	}
	var list []*connectors.Problem
	for _, p := range checker.Check(ctx) {
		p.Where = within(where, p.Where)
		list = append(list, &p)
	}
	return list
}

// checkColumns compares what a mapping reads with the columns that the source has. The tables are complete when the source
// has none that it could not describe.
func checkColumns(p *config.Pipeline, plan *mapping.Plan, tables []*connectors.Table, complete bool) []*connectors.Problem {
	var list []*connectors.Problem
	met := false
	for _, t := range tables {
		if want := plan.Spec().Table; want != "" && want != t.Name {
			continue
		}
		met = true
		if _, err := plan.Bind(t); err != nil {
			for _, problem := range config.Problems(err) {
				problem.Where = p.ID() + ": " + problem.Where
				list = append(list, problem)
			}
			continue
		}
		for _, err := range plan.Missing(t) { // of an open table, of which only the beginning was read
			for _, problem := range config.Problems(err) {
				problem.Where, problem.Warning = p.ID()+": "+problem.Where, true
				list = append(list, problem)
			}
		}
		if keys, plain := plan.KeyColumns(); plain && typed(t) && !uniqueOn(t, keys) {
			list = append(list, &connectors.Problem{Where: p.ID() + ": " + t.Name, Warning: true,
				What: connectors.Text{Zh: fmt.Sprintf("数据源在 %s 上没有唯一键；两行同键时，后一行进入隔离区", strings.Join(keys, ", ")), En: fmt.Sprintf("the source has no unique key on %s; of two rows with one key the second is quarantined", strings.Join(keys, ", "))}})
		}
	}
	if !met && complete && len(tables) > 0 {
		list = append(list, noTable(p, plan, tables))
	}
	return list
}

func noTable(p *config.Pipeline, plan *mapping.Plan, tables []*connectors.Table) *connectors.Problem {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Name
	}
	problem := &connectors.Problem{Where: p.File,
		What: connectors.Text{Zh: fmt.Sprintf("数据源没有表 %q", plan.Spec().Table), En: fmt.Sprintf("the source has no table %q", plan.Spec().Table)}}
	if near := nearest.Name(plan.Spec().Table, names); near != "" {
		problem.Try = connectors.Text{Zh: "改为 " + near, En: "did you mean " + near}
	}
	return problem
}

// typed says that the source is a database, which could hold a unique key; a file never does.
func typed(t *connectors.Table) bool { return len(t.Columns) > 0 && t.Columns[0].DBType != "" }

// uniqueOn says whether the source guarantees that the named columns identify a row: its key is among them.
func uniqueOn(t *connectors.Table, columns []string) bool {
	if !t.Unique || len(t.Key) == 0 {
		return false
	}
	for _, k := range t.Key {
		if !slices.Contains(columns, t.Columns[k].Name) {
			return false
		}
	}
	return true
}

// within names a place inside a system; either may be empty, or the same.
func within(system, place string) string {
	if system == "" || place == "" || system == place {
		return system + strings.TrimPrefix(place, system)
	}
	return system + ": " + place
}

// at turns an error of a system into problems that name the system.
func at(where string, what connectors.Text, err error) []*connectors.Problem {
	if p, ok := errors.AsType[*connectors.Problem](err); ok {
		named := *p
		named.Where = within(where, p.Where)
		return []*connectors.Problem{&named}
	}
	p := &connectors.Problem{Where: where, What: what, Err: err}
	if outside(err) {
		p.Try = connectors.Text{Zh: "检查地址、网络和防火墙，对方是否在运行", En: "check the address, the network and the firewall, and that it runs"}
	}
	return []*connectors.Problem{p}
}
