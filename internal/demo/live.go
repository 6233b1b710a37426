package demo

import (
	"context"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// beat is how often something happens in the city, and dropEvery after how many beats market regulation sends a file.
const (
	beat      = 400 * time.Millisecond
	dropEvery = 5
)

// Live lets the departments go on with their work until ctx is done: firms are founded, renamed and struck off, cases
// come in and are concluded, clerks correct what was refused. What has begun is finished.
func (t *Town) Live(ctx context.Context) error {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		if err := t.Step(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Step is one beat of the city's life.
func (t *Town) Step(ctx context.Context) error {
	step := t.steps
	t.steps++
	if step%dropEvery == 0 {
		if err := t.sendFile(step == 0); err != nil {
			return err
		}
	}
	if err := t.tax.write(ctx, t.taxOffice(step)); err != nil {
		return err
	}
	return t.bureau.write(ctx, t.counter(step))
}

// What one file of the register holds.
const (
	foundedInFile   = 12
	changedInFile   = 20
	struckOffInFile = 2
	correctedInFile = 3
)

// sendFile drops a file with what has changed since the last one. The first says that the firm the demonstration follows
// has a new name and more capital, which tax has not heard of.
func (t *Town) sendFile(first bool) error {
	var rows []row
	if first {
		f := t.firms[0]
		f.name, f.yuan = "阳泉示例云杉数字科技有限公司", 8_000_000
		rows = append(rows, t.update(f))
	}
	for range changedInFile {
		if f := t.someFirm(t.firms); f != nil {
			f.house, f.approved = 1+t.random.IntN(300), t.now()
			rows = append(rows, t.update(f))
		}
	}
	for range struckOffInFile {
		if f := t.someFirm(t.firms); f != nil {
			rows = append(rows, f.registerRow(opDelete))
			t.firms = without(t.firms, f)
			t.changes.Deletes++
		}
	}
	for _, f := range flawed(t.firms, correctedInFile) {
		rows = append(rows, t.update(f))
	}
	for range foundedInFile {
		f := t.invent()
		f.founded = t.now().In(connectors.ChinaStandardTime)
		f.approved = f.founded
		t.firms = append(t.firms, &f)
		rows = append(rows, t.enter(&f))
	}
	t.changes.Files++
	return t.register.drop(rows)
}

// update writes a firm's row in the register as it should be.
func (t *Town) update(f *firm) row {
	f.flaw = nil
	t.changes.Updates++
	return f.registerRow(opUpdate)
}

// taxOffice changes some taxpayers; nothing in their rows says when.
func (t *Town) taxOffice(step int) []change {
	var changes []change
	put := func(f *firm) {
		f.flaw = nil
		t.changes.Updates++
		changes = append(changes, change{row: f.taxRow()})
	}
	for range 2 {
		if f := t.someFirm(t.taxpayers); f != nil {
			f.house = 1 + t.random.IntN(300)
			put(f)
		}
	}
	if step%dropEvery == 1 {
		for _, f := range flawed(t.taxpayers, 1) {
			put(f)
		}
		if f := t.someFirm(t.taxpayers); f != nil {
			t.taxpayers = without(t.taxpayers, f)
			t.changes.Deletes++
			changes = append(changes, change{row: f.taxRow(), deleted: true})
		}
	}
	if n := taxpayersAtFirst + step/2; step%2 == 0 && n < len(t.firms) {
		known := *t.firms[n]
		changes = append(changes, t.enrol(&known))
	}
	return changes
}

// counter is the work of the approval bureau: new applications, acceptances and conclusions.
func (t *Town) counter(step int) []change {
	now := t.now()
	var changes []change
	for _, d := range t.waiting(2, func(d *dossier) bool { return !d.accepted.IsZero() }) {
		changes = append(changes, t.conclude(d, now, now))
	}
	t.clearQueue()
	for _, d := range t.waiting(3, func(d *dossier) bool { return d.accepted.IsZero() }) {
		changes = append(changes, t.accept(d, now, now))
	}
	for range 3 {
		d := t.apply(t.firms[1+t.random.IntN(taxpayersAtFirst/2)], now)
		changes = append(changes, t.file(d, applicationSheet, d.applicationRow(now)))
	}
	if step == 0 {
		changes = append(changes, t.followed(now))
	}
	if it := t.items[t.random.IntN(len(t.items))]; step%10 == 9 && it.flaw == nil && !it.draft {
		it.version++
		t.changes.Updates++
		changes = append(changes, change{row: it.row(now)})
	}
	return changes
}

// followed opens a case for the firm that the demonstration follows, at the head of the queue.
func (t *Town) followed(now time.Time) change {
	d := t.apply(t.firms[0], now)
	d.item, d.refused, d.trial = t.items[1], false, false
	last := len(t.pending) - 1
	copy(t.pending[1:], t.pending[:last])
	t.pending[0] = d
	t.changes.Inserts++
	return change{row: d.applicationRow(now)}
}

// waiting returns the first n pending cases that are at a stage.
func (t *Town) waiting(n int, at func(*dossier) bool) []*dossier {
	var list []*dossier
	for _, d := range t.pending {
		if len(list) < n && at(d) {
			list = append(list, d)
		}
	}
	return list
}

// clearQueue takes concluded cases off the queue.
func (t *Town) clearQueue() {
	kept := t.pending[:0]
	for _, d := range t.pending {
		if d.concluded.IsZero() {
			kept = append(kept, d)
		}
	}
	t.pending = kept
}

// someFirm picks a firm whose row is right, other than the one that the demonstration follows.
func (t *Town) someFirm(list []*firm) *firm {
	for range 10 {
		if f := list[t.random.IntN(len(list))]; f.flaw == nil && f.number != 1 {
			return f
		}
	}
	return nil
}

// flawed returns the first n firms whose row is wrong.
func flawed(list []*firm, n int) []*firm {
	var found []*firm
	for _, f := range list {
		if f.flaw != nil && len(found) < n {
			found = append(found, f)
		}
	}
	return found
}

func without(list []*firm, f *firm) []*firm {
	for i := range list {
		if list[i] == f {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}
