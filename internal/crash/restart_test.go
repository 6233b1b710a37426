//go:build services

package crash

import (
	"syscall"
	"testing"
)

// TestServersRestartedInMidRun kills the broker, and then the database that is both source and platform, under a busy
// program, which goes on when they are back.
func TestServersRestartedInMidRun(t *testing.T) {
	t.Parallel()
	own := ownServers(t, "kafka,postgres")
	polled, compared := newSilo(t, own.postgres, "polled", watermark), newSilo(t, own.postgres, "compared", difference)
	w := newWorld(t, own.kafka, own.postgres, polled, compared)
	w.begin(300)
	p := w.serve("")
	stopFirst, stopSecond := polled.write(t, 6*round), compared.write(t, 6*round)
	w.busy(600)
	own.testbed("kill", "kafka")
	own.testbed("start", "kafka")
	stopFirst()
	stopSecond()
	w.caughtUp()
	// The next changes are on their way when the database goes.
	polled.churn(t, round)
	compared.churn(t, round)
	own.testbed("kill", "postgres")
	own.testbed("start", "postgres")
	polled.churn(t, round)
	compared.churn(t, round)
	w.caughtUp()
	p.signal(syscall.SIGTERM)
	p.wantExit(0)
	w.check(w.settle())
}
