//go:build services

package crash

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/datong-dx/datong/broker"
)

// world is an exchange directory with what it joins: silos, Kafka and a platform.
type world struct {
	t        testing.TB
	dir      string
	prefix   string
	site     string
	kafka    string
	silos    []*silo
	platform *platform
	client   *broker.Client
	timeout  time.Duration // of transactions
	extra    int           // rows of the platform that come from elsewhere
}

// newWorld writes the exchange directory of silos and a new platform.
func newWorld(t testing.TB, kafka, postgres string, silos ...*silo) *world {
	t.Helper()
	w := &world{
		t: t, dir: t.TempDir(), prefix: name("c"), site: "main", kafka: kafka, silos: silos, platform: newPlatform(t, postgres),
		client: connect(t, kafka), timeout: 5 * time.Second,
	}
	w.writeAll("delivery")
	return w
}

const siteFile = `
brokers: ["$KAFKA"]
prefix: $PREFIX
site: $SITE
http: 127.0.0.1:0
topics: {partitions: 2}
transaction_timeout: $TIMEOUT
`

const permitEntity = `
entity: permit
title: {zh: 许可, en: Permit}
definition: {zh: 部门颁发的许可。, en: A permit that a department has issued.}
key: [permit_no]
standard: datong
sensitivity: public
elements:
  permit_no: {title: {zh: 编号, en: Number}, type: string, length: 20, obligation: mandatory}
  holder: {title: {zh: 持有人, en: Holder}, type: string, length: 60, obligation: mandatory}
  amount: {title: {zh: 金额, en: Amount}, type: decimal, precision: 14, scale: 2}
  issued: {title: {zh: 颁发日期, en: Day of issue}, type: date, obligation: mandatory}
  version: {title: {zh: 版本, en: Version}, type: integer, obligation: mandatory}
  note: {title: {zh: 备注, en: Note}, type: string}
`

const deliveryFile = `
sink:
  connector: sqltable
  url: "$URL"
  transaction_timeout: $TIMEOUT
entities: [permit]
`

// writeAll writes every file of the directory; sessions names the delivery's sessions in the platform's database.
func (w *world) writeAll(sessions string) {
	w.t.Helper()
	w.writeSite()
	w.write("deliveries/platform.yaml", strings.NewReplacer("$TIMEOUT", w.timeout.String(), "$URL", w.platform.as(sessions)).Replace(deliveryFile))
	for _, s := range w.silos {
		w.write("departments/"+s.department+"/permits.yaml", s.pipeline())
	}
}

// writeSite writes what is not about one department or delivery.
func (w *world) writeSite() {
	w.t.Helper()
	w.write("datong.yaml", strings.NewReplacer("$KAFKA", w.kafka, "$PREFIX", w.prefix, "$SITE", w.site, "$TIMEOUT", w.timeout.String()).Replace(siteFile))
	w.write("dictionary/entities/permit.yaml", permitEntity)
}

func (w *world) write(path, text string) {
	w.t.Helper()
	path = filepath.Join(w.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// twin returns the same exchange in another directory, as a second machine has it.
func (w *world) twin(sessions string) *world {
	w.t.Helper()
	other := *w
	other.dir = w.t.TempDir()
	other.writeAll(sessions)
	return &other
}

// run runs the exchange until everything that there is has been delivered.
func (w *world) run(env string) *process {
	w.t.Helper()
	return start(w.t, env, "run", w.dir, "--until-idle", "--json")
}

// serve runs the exchange until it is told to stop.
func (w *world) serve(env string) *process {
	w.t.Helper()
	return start(w.t, env, "run", w.dir, "--json")
}

// status asks the running program; ok is false while it does not answer.
func (w *world) status() (f figures, ok bool) {
	w.t.Helper()
	p := start(w.t, "", "status", w.dir, "--json")
	p.await(patience)
	if p.cmd.ProcessState.ExitCode() != 0 || p.stdout.Len() == 0 {
		return f, false
	}
	return p.figures(), true
}

// settle runs the exchange to its end, undisturbed, while nothing is written. A scan that was resumed has not seen what
// changed before its position, so a second run follows.
func (w *world) settle() figures {
	w.t.Helper()
	for _, s := range w.silos {
		if s.mode == difference {
			w.run("").wantExit(0)
		}
	}
	last := w.run("")
	last.wantExit(0)
	return last.figures()
}

// busy waits until every pipeline of the running program has published so many rows.
func (w *world) busy(published int64) {
	w.t.Helper()
	eventually(w.t, "the program is busy", patience, func() bool {
		f, ok := w.status()
		for _, s := range w.silos {
			ok = ok && f.of(s.department).Published >= published
		}
		return ok
	})
}

// caughtUp waits until the running program has published and delivered everything that the silos hold now.
func (w *world) caughtUp() {
	w.t.Helper()
	var want []string
	for _, s := range w.silos {
		want = append(want, s.expected(w.t)...)
	}
	eventually(w.t, "the platform shows what the sources hold", patience, func() bool {
		got := w.platform.rows(w.t)
		return len(got) == len(want)+w.extra && len(apart(want, got)) == 0
	})
	eventually(w.t, "nothing is unaccounted", patience, func() bool {
		f, ok := w.status()
		return ok && f.Total.Unaccounted == 0
	})
}
