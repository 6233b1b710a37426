package delivery

import (
	"context"
	"errors"
	"fmt"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/quarantine"
)

// Once serves one request about the quarantine of a delivery that no process runs, and delivers nothing. It is held to
// what holds a delivery: it joins the delivery's group and acts only when the group gives it every partition, so it and
// a running delivery exclude each other; the sink compares the offsets under their lock before anything is written; and
// what goes to the quarantine goes under the transactional ids of the partitions, which fences whoever had them before.
// A process that was killed counts as running until the group's session timeout. The context bounds the wait.
func Once(ctx context.Context, opt Options, action quarantine.Action, filter quarantine.Filter) (Answer, error) {
	d, err := New(opt)
	if err != nil {
		return Answer{}, err
	}
	topics, err := d.topics(ctx)
	if err != nil || len(topics) == 0 {
		return Answer{}, err
	}
	group, err := d.joinGroup(topics)
	if err != nil {
		return Answer{}, err
	}
	r := &request{action: action, filter: &filter}
	err = d.serveOnce(ctx, group, topics, r)
	if err = errors.Join(err, group.Close()); err != nil {
		return r.answer, fmt.Errorf("delivery %s: %w", opt.Name, err)
	}
	return r.answer, nil
}

// serveOnce serves a request in the first generation of the group that has a partition for it.
func (d *Delivery) serveOnce(ctx context.Context, group *broker.Group, topics []string, r *request) error {
	for {
		gen, err := group.Next(ctx)
		if err != nil {
			if ctx.Err() != nil || halts(err) || errors.Is(err, broker.ErrClosed) || errors.Is(err, broker.ErrAuthentication) {
				return err
			}
			sleep(ctx, firstBackoff)
			continue
		}
		if err := d.holdsAll(ctx, gen, topics); err != nil {
			return err
		}
		done := make(chan error, 1)
		gen.Run(func(ended context.Context) {
			held, cancel := context.WithCancel(ended)
			defer cancel()
			defer context.AfterFunc(ctx, cancel)()
			_, err := d.attempt(held, gen, func(a *attempt, _, lasting context.Context) error { return a.serve(lasting, r) })
			if err != nil && ended.Err() != nil && ctx.Err() == nil {
				err = errElsewhere // it has begun meanwhile
			}
			done <- err
		})
		return <-done
	}
}

// errElsewhere says that a process runs the delivery.
var errElsewhere = &connectors.Problem{
	What: connectors.Text{En: "another process holds partitions of this delivery", Zh: "另一进程正持有此投递的分区"},
	Try: connectors.Text{
		En: "ask the process that runs; after one was killed, wait some seconds until the brokers have given it up",
		Zh: "请向正在运行的进程提出；若进程刚被终止，等几秒待代理将其除名",
	},
	Err: ErrBusy,
}

// holdsAll makes sure that the generation has every partition of the topics.
func (d *Delivery) holdsAll(ctx context.Context, gen *broker.Generation, topics []string) error {
	sizes, err := d.opt.Client.Topics(ctx)
	if err != nil {
		return err
	}
	for _, topic := range topics {
		if len(gen.Assigned[topic]) < sizes[topic] {
			return errElsewhere
		}
	}
	return nil
}

// ReadStatus returns what a delivery that no process runs had written last, and how far the topics have gone since. It
// only reads: it makes no table and no topic, and disturbs no delivery that runs after all.
func ReadStatus(ctx context.Context, opt Options) (Status, error) {
	d, err := New(opt)
	if err != nil {
		return Status{}, err
	}
	d.setState(Stopped, nil)
	parts, err := d.allParts(ctx)
	if err == nil {
		err = d.read(ctx, parts)
	}
	return d.Status(), err
}

// allParts makes the list of all partitions of the delivery's topics.
func (d *Delivery) allParts(ctx context.Context) ([]*part, error) {
	topics, err := d.topics(ctx)
	if err != nil {
		return nil, err
	}
	sizes, err := d.opt.Client.Topics(ctx)
	if err != nil {
		return nil, err
	}
	all := make(map[string][]int32, len(topics))
	for _, topic := range topics {
		for id := range sizes[topic] {
			all[topic] = append(all[topic], int32(id))
		}
	}
	return d.parts(ctx, all)
}

// read fills the status with what sink, topics and quarantine have of the partitions.
func (d *Delivery) read(ctx context.Context, parts []*part) (err error) {
	sink, err := d.openSink(ctx)
	if err != nil {
		return err
	}
	err = errors.Join(d.ask(ctx, sink, parts), fromSink("close the sink", sink.Close()))
	if err != nil {
		return err
	}
	if err := d.place(ctx, parts); err != nil {
		d.setState(Stopped, err) // what a start would halt at
	}
	s := d.emptyShelf(parts)
	defer func() { err = errors.Join(err, s.index.Close()) }()
	if err := records(ctx, d.opt.Client, d.opt.Prefix, d.opt.Site, s.load); err != nil {
		return err
	}
	a := &attempt{d: d, parts: parts, shelf: s}
	a.show()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.status.lag(parts)
	return nil
}
