package config

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Window is a time of day, in China Standard Time, in which a source may be read. From after To spans midnight.
type Window struct {
	From, To time.Duration // since midnight
}

var windowText = regexp.MustCompile(`^([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)$`)

// windows reads a list of times of day.
func (o *object) windows(key string, dst *[]Window) {
	var list []string
	for i, n := range o.list(key, &list) {
		m := windowText.FindStringSubmatch(list[i])
		if m == nil {
			o.report(n, text("%s 不是时段：%s", "%s is not a time of day: %s", key, strconv.Quote(o.shown(n))),
				text(`写成 "22:00-06:00"`, `write "22:00-06:00"`))
			continue
		}
		w := Window{clock(m[1], m[2]), clock(m[3], m[4])}
		if w.From == w.To {
			o.report(n, text("时段 %s 的起止相同，什么也读不到", "the window %s begins and ends at once, nothing could be read", strconv.Quote(o.shown(n))),
				text("全天可读就删去 windows", "leave windows out to read at any time"))
			continue
		}
		*dst = append(*dst, w)
	}
}

func clock(hours, minutes string) time.Duration {
	h, _ := strconv.Atoi(hours) // the pattern let only digits through
	m, _ := strconv.Atoi(minutes)
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
}

// limit reads "50%" or {percent: 50, rows: 1000}. What is not given keeps its default.
func (o *object) limit(key string, dst *Limit) {
	n := o.take(key)
	if n == nil {
		return
	}
	if n.Kind != yaml.MappingNode {
		if o.single(n, key) {
			o.percent(n, key, &dst.Percent)
		}
		return
	}
	m := o.object(n, key)
	if p, ok := m.scalar("percent"); ok {
		m.percent(p, key+".percent", &dst.Percent)
	}
	if r, ok := m.scalar("rows"); ok {
		v, err := strconv.ParseInt(r.Value, 10, 64)
		if err != nil || v < 0 {
			m.report(r, text("%s.rows 应为不小于 0 的整数，实为 %s", "%s.rows must be a whole number, 0 or more, found %s", key, strconv.Quote(m.shown(r))), nothing)
		} else {
			dst.Rows = v
		}
	}
	m.done()
}

// percent reads 50% or, inside {percent: …} as well as alone, 50. A bare 0.5 is refused: it may mean either.
func (d *document) percent(n *yaml.Node, key string, dst *float64) {
	digits, marked := strings.CutSuffix(strings.TrimSpace(n.Value), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	inside := strings.HasSuffix(key, ".percent")
	if err != nil || !(v >= 0 && v <= 100) || !marked && (!inside || v > 0 && v < 1) {
		d.report(n, text("%s 不是 0%% 至 100%% 的百分数：%s", "%s is not a percentage from 0%% to 100%%: %s", key, strconv.Quote(d.shown(n))),
			text(`写成 "10%%" 或 {percent: 10, rows: 100}`, `write "10%%" or {percent: 10, rows: 100}`))
		return
	}
	*dst = v
}
