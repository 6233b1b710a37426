package pipeline

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/datong-dx/datong/connectors"
)

// Window is a time of day, in China Standard Time, in which a source may be read. From after To spans midnight.
type Window struct {
	From, To time.Duration // since midnight
}

// contains says whether the window is open at a time since midnight.
func (w Window) contains(t time.Duration) bool {
	if w.From <= w.To {
		return w.From <= t && t < w.To
	}
	return t >= w.From || t < w.To
}

// throttle spares a department's system: rows per second and times of day.
type throttle struct {
	limiter *rate.Limiter
	windows []Window
}

func newThrottle(rowsPerSecond int, windows []Window) *throttle {
	t := &throttle{windows: windows}
	if rowsPerSecond > 0 {
		t.limiter = rate.NewLimiter(rate.Limit(rowsPerSecond), rowsPerSecond)
	}
	return t
}

// rows waits until n more rows may have been read.
func (t *throttle) rows(ctx context.Context, n int) error {
	if t.limiter == nil {
		return nil
	}
	for n > 0 {
		step := min(n, t.limiter.Burst())
		if err := t.limiter.WaitN(ctx, step); err != nil {
			return err
		}
		n -= step
	}
	return nil
}

// window waits until the source may be read, calling closed first when it may not.
func (t *throttle) window(ctx context.Context, closed func()) error {
	for first := true; ; first = false {
		wait := t.untilOpen(time.Now().In(connectors.ChinaStandardTime))
		if wait == 0 {
			return ctx.Err()
		}
		if first {
			closed()
		}
		if !sleep(ctx, min(wait, time.Minute)) {
			return ctx.Err()
		}
	}
}

// untilOpen returns how long it is until a window opens, 0 when one is open.
func (t *throttle) untilOpen(now time.Time) time.Duration {
	if len(t.windows) == 0 {
		return 0
	}
	hour, minute, second := now.Clock()
	since := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	next := 24 * time.Hour
	for _, w := range t.windows {
		if w.contains(since) {
			return 0
		}
		next = min(next, (w.From-since+24*time.Hour)%(24*time.Hour))
	}
	return next
}
