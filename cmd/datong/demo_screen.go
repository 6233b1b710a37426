package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/datong-dx/datong/internal/demo"
	"github.com/datong-dx/datong/internal/exchange"
	"github.com/datong-dx/datong/internal/pipeline"
)

// screen shows the departments while they work: a table that is drawn again and again where a terminal looks on, else a
// line now and then, and nothing when only the closing object is wanted.
type screen struct {
	d        *demonstration
	x        *exchange.Exchange
	terminal bool
	silent   bool
	every    time.Duration
	until    time.Time // when the departments stop
	lines    int       // of the table that stands on the terminal
}

func (d *demonstration) newScreen(x *exchange.Exchange) *screen {
	f, ok := d.stdout.(*os.File)
	s := &screen{d: d, x: x, silent: d.asJSON, terminal: ok && term.IsTerminal(int(f.Fd())), every: 3 * time.Second}
	if s.terminal {
		s.every = 200 * time.Millisecond
	}
	return s
}

// begin writes a line that stays, below which the table goes on.
func (s *screen) begin(text string) {
	if s.silent {
		return
	}
	s.lines = 0
	fmt.Fprintln(s.d.stdout, "\n"+text)
	if s.terminal {
		fmt.Fprintln(s.d.stdout)
	}
}

// refresh shows what is now.
func (s *screen) refresh(ctx context.Context) error {
	status, err := s.x.Status(ctx)
	if err != nil {
		return err
	}
	if s.terminal || s.silent {
		s.draw(&status)
		return nil
	}
	t := &status.Total
	fmt.Fprintln(s.d.stdout, s.d.sayf("  读取 %s · 发布 %s · 未变 %s · 隔离 %s · 送达 %s", "  read %s · published %s · unchanged %s · quarantined %s · delivered %s",
		thousands(t.Read), thousands(t.Published), thousands(t.Unchanged), thousands(t.Quarantined), thousands(t.Delivered)))
	return nil
}

// end draws the table a last time.
func (s *screen) end() {
	if s.terminal {
		_ = s.refresh(context.Background()) // what is on the screen may stay
	}
}

// draw puts the table where the last one stands.
func (s *screen) draw(status *exchange.Status) {
	if !s.terminal || s.silent {
		return
	}
	text := s.d.departments(status)
	if left := time.Until(s.until); left > 0 {
		text += s.d.sayf("\n还有 %.0f 秒\n", "\n%.0f s to go\n", left.Seconds())
	}
	if s.lines > 0 {
		fmt.Fprintf(s.d.stdout, "\x1b[%dA\x1b[J", s.lines)
	}
	fmt.Fprint(s.d.stdout, text)
	s.lines = strings.Count(text, "\n")
}

// departments is the table of the departments, those with several pipelines on one line.
func (d *demonstration) departments(status *exchange.Status) string {
	var rows [][]string
	line := func(name, system string, n *pipeline.Counts, delivered int64, lag string) {
		rows = append(rows, []string{
			name, system, thousands(n.Read), thousands(n.Published), thousands(n.Unchanged), thousands(n.Quarantined), thousands(delivered), lag,
		})
	}
	for _, name := range demo.Departments {
		var sum exchange.PipelineStatus
		for i := range status.Pipelines {
			if p := &status.Pipelines[i]; p.Department == name {
				sum.Counts.Add(p.Counts)
				sum.Delivered += p.Delivered
				sum.LagSeconds = max(sum.LagSeconds, lagOf(p, status))
			}
		}
		line(d.department(name), d.systemOf(name), &sum.Counts, sum.Delivered, d.lag(sum.LagSeconds))
	}
	line(d.say("合计", "total"), "", &status.Total.Counts, status.Total.Delivered, "")
	var text bytes.Buffer
	paper := *d.app
	paper.stdout = &text
	paper.table([]string{
		d.say("部门", "department"), d.say("它的系统", "its system"), d.say("读取", "read"), d.say("发布", "published"), d.say("未变", "unchanged"),
		d.say("隔离", "quarantined"), d.say("送达", "delivered"), d.say("滞后", "lag"),
	}, rows)
	return text.String()
}

// lagOf is how far behind its source a pipeline's records are on the platform.
func lagOf(p *exchange.PipelineStatus, status *exchange.Status) float64 {
	lag := p.LagSeconds
	if p.Records > p.Delivered {
		for i := range status.Deliveries {
			lag = max(lag, status.Deliveries[i].LagSeconds)
		}
	}
	return lag
}

// department is a department's name for people.
func (d *demonstration) department(name string) string {
	switch name {
	case demo.Register:
		return d.say("市场监管局", "market regulation")
	case demo.Approval:
		return d.say("行政审批局", "approval bureau")
	case demo.Tax:
		return d.say("税务局", "tax")
	}
	return name
}

// systemOf says in what form a department keeps its data.
func (d *demonstration) systemOf(name string) string {
	switch name {
	case demo.Register:
		return d.say("GB 18030 的 CSV 投递", "GB 18030 CSV drops")
	case demo.Approval:
		return d.say("SQLite，拼音列名", "SQLite, pinyin columns")
	}
	return d.say("SQLite，无变更时间", "SQLite, no change time")
}

// thousands groups the digits of a number by three.
func thousands[T int | int64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
