package sqltable

import (
	"strconv"
	"strings"
	"time"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// Modes of reading.
const (
	modeSnapshot   = "snapshot"
	modeWatermark  = "watermark"
	modeDifference = "difference"
)

// settings are the source's options as the code uses them.
type settings struct {
	address        string
	configured     string // the address as it was written, a file's path still relative
	tables         []string
	query, name    string
	columns, key   []string
	mode           string
	watermark      string
	overlap        overlap
	poll, every    time.Duration
	chunk          int
	maxConnections int
	timeout        time.Duration
}

// overlap is how far behind the watermark each pass begins.
type overlap struct {
	micros int64 // for times
	ids    int64
}

func readSettings(s connectors.Settings, dir string) (settings, []connectors.Problem) {
	c := settings{
		address:        sqldb.Resolve(connectors.Setting[string](s, "url"), dir),
		configured:     connectors.Setting[string](s, "url"),
		tables:         connectors.Setting[[]string](s, "tables"),
		query:          strings.TrimRight(strings.TrimSpace(connectors.Setting[string](s, "query")), "; \n\t"),
		name:           connectors.Setting[string](s, "name"),
		columns:        connectors.Setting[[]string](s, "columns"),
		key:            connectors.Setting[[]string](s, "key"),
		mode:           connectors.Setting[string](s, "mode"),
		watermark:      connectors.Setting[string](s, "watermark"),
		poll:           connectors.Setting[time.Duration](s, "poll"),
		every:          connectors.Setting[time.Duration](s, "every"),
		chunk:          int(connectors.Setting[int64](s, "chunk")),
		maxConnections: int(connectors.Setting[int64](s, "max_connections")),
		timeout:        connectors.Setting[time.Duration](s, "statement_timeout"),
	}
	problems := c.check()
	var ok bool
	if c.overlap, ok = parseOverlap(connectors.Setting[string](s, "overlap")); !ok {
		problems = append(problems, wrongSetting("overlap", "is neither a duration such as 5s nor a number of ids", "既不是时长（如 5s）也不是编号个数"))
	}
	return c, problems
}

func (c *settings) check() []connectors.Problem {
	var problems []connectors.Problem
	wrong := func(setting, en, zh string) { problems = append(problems, wrongSetting(setting, en, zh)) }
	if db, _, err := sqldb.OpenReadOnly(c.address, 1, 0); err != nil {
		problems = append(problems, asProblem("url", err))
	} else {
		db.Close() // nothing was connected
	}
	if (len(c.tables) == 0) == (c.query == "") {
		wrong("tables", "name either tables or a query", "tables 与 query 须且只能写一个")
	}
	if c.query != "" && c.name == "" {
		wrong("name", "is needed with query: the name stands in each event's source", "写了 query 就须写 name")
	}
	if (c.mode == modeWatermark) != (c.watermark != "") {
		wrong("watermark", "belongs to mode: watermark and is needed there", "watermark 列与 mode: watermark 须同时出现")
	}
	if c.chunk < 1 || c.chunk > 1_000_000 {
		wrong("chunk", "must lie between 1 and 1000000", "须在 1 到 1000000 之间")
	}
	if c.maxConnections < 2 {
		wrong("max_connections", "must be at least 2: one reads while another looks rows up", "至少为 2：一个读取时，另一个用于核对")
	}
	if c.poll <= 0 || c.every <= 0 {
		wrong("poll", "poll and every must be positive", "poll 与 every 须大于 0")
	}
	seen := map[string]bool{}
	for _, table := range c.tables {
		if seen[table] {
			wrong("tables", "name "+strconv.Quote(table)+" twice", "重复列出 "+table)
		}
		seen[table] = true
	}
	return problems
}

// parseOverlap takes a duration or a number; an overlap of zero is allowed, and reads again only the watermark itself.
func parseOverlap(s string) (overlap, bool) {
	o := overlap{micros: (5 * time.Second).Microseconds(), ids: 1000}
	if s == "" {
		return o, true
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		o.ids = n
		return o, n >= 0
	}
	d, err := time.ParseDuration(s)
	o.micros = d.Microseconds()
	return o, err == nil && d >= 0
}

func validateSource(s connectors.Settings) []connectors.Problem {
	_, problems := readSettings(s, "")
	return problems
}

func wrongSetting(setting, en, zh string) connectors.Problem {
	return connectors.Problem{Where: setting, What: connectors.Text{En: en, Zh: zh}, Err: connectors.ErrStop}
}

// sets returns the names of what is read, in order.
func (c *settings) sets() []string {
	if c.query != "" {
		return []string{c.name}
	}
	return c.tables
}
