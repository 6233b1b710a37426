package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// How much the departments have at first: about twenty thousand rows, and where they have drifted apart.
const (
	firmsAtFirst     = 8000
	taxpayersAtFirst = 6000 // the first so many of the firms
	itemsAtFirst     = 180
	casesAtFirst     = 2700
	acceptedAtFirst  = 2200
	concludedAtFirst = 1500

	renamedEvery      = 60 // firms: tax still has the former name
	deregisteredEvery = 75 // firms: tax has not heard that they are gone
	trialEvery        = 45 // cases: made for training
	refusedEvery      = 12 // cases: not granted
)

// settle fills the departments' systems for the first time.
func (t *Town) settle(ctx context.Context) error {
	first := exemplar()
	t.firms, t.numbers = append(t.firms, &first), first.number
	for i := 1; i < firmsAtFirst; i++ {
		f := t.invent()
		if i%deregisteredEvery == 0 {
			f.status = deregistered
		}
		t.firms = append(t.firms, &f)
	}
	rows := make([]row, len(t.firms))
	for i, f := range t.firms {
		rows[i] = t.enter(f)
	}
	if err := t.register.drop(rows); err != nil {
		return err
	}
	if err := t.settleTax(ctx); err != nil {
		return err
	}
	return t.settleBureau(ctx)
}

// invent makes the next firm.
func (t *Town) invent() firm {
	t.numbers++
	return newFirm(t.random, t.numbers)
}

// settleTax gives tax its copy of most firms, in which some changes are missing.
func (t *Town) settleTax(ctx context.Context) error {
	changes := make([]change, taxpayersAtFirst)
	for i, f := range t.firms[:taxpayersAtFirst] {
		known := *f
		switch {
		case i > 0 && i%renamedEvery == 0:
			known.name = formerName(f)
		case i > 0 && i%deregisteredEvery == 0:
			known.status = active
		}
		changes[i] = t.enrol(&known)
	}
	return t.tax.write(ctx, changes)
}

// formerName is what the firm was called when it still traded in everything.
func formerName(f *firm) string { return strings.Replace(f.name, f.industry.word, "商贸", 1) }

// settleBureau lists the items, and invents cases in all their stages.
func (t *Town) settleBureau(ctx context.Context) error {
	now := t.now()
	var changes []change
	for n := range itemsAtFirst {
		it := newItem(n)
		r := it.row(now)
		if !it.draft {
			it.flaw = t.quality.touch(r)
		}
		t.items = append(t.items, &it)
		changes = append(changes, change{row: r})
	}
	lastYear := time.Date(2025, 1, 2, 9, 0, 0, 0, connectors.ChinaStandardTime)
	for n := range casesAtFirst {
		d := t.apply(t.firms[t.random.IntN(taxpayersAtFirst)], lastYear.Add(time.Duration(n)*2*time.Hour))
		if n == 0 {
			d.firm, d.item = *t.firms[0], t.items[0]
		}
		changes = append(changes, t.file(d, applicationSheet, d.applicationRow(now)))
		if n < acceptedAtFirst {
			changes = append(changes, t.accept(d, d.applied.Add(time.Duration(1+n%40)*time.Hour), now))
		}
		if n < concludedAtFirst {
			changes = append(changes, t.conclude(d, d.accepted.AddDate(0, 0, 1+n%9), now))
		}
	}
	t.clearQueue()
	return t.bureau.write(ctx, changes)
}

// enter puts a firm into the register for the first time.
func (t *Town) enter(f *firm) row {
	r := f.registerRow(opInsert)
	f.flaw = t.quality.touch(r)
	t.changes.Inserts++
	return r
}

// enrol makes a firm a taxpayer.
func (t *Town) enrol(f *firm) change {
	r := f.taxRow()
	f.flaw = t.quality.touch(r)
	t.taxpayers = append(t.taxpayers, f)
	t.changes.Inserts++
	return change{row: r}
}

// apply opens a case for a firm.
func (t *Town) apply(f *firm, at time.Time) *dossier {
	n := len(t.cases) + 1
	d := &dossier{
		number: fmt.Sprintf("140300-%d-%07d", at.Year(), n), firm: *f, applied: at,
		refused: n%refusedEvery == 0, trial: n%trialEvery == 0, flaws: map[*sheet]*Fault{},
	}
	for d.item = pick(t.random, t.items); d.item.draft; {
		d.item = pick(t.random, t.items)
	}
	t.cases = append(t.cases, d)
	t.pending = append(t.pending, d)
	return d
}

func (t *Town) accept(d *dossier, at, now time.Time) change {
	d.accepted = at
	return t.file(d, acceptanceSheet, d.acceptanceRow(now))
}

func (t *Town) conclude(d *dossier, at, now time.Time) change {
	d.concluded = at
	return t.file(d, conclusionSheet, d.conclusionRow(now))
}

// file puts the row of a stage into the approval system.
func (t *Town) file(d *dossier, stage *sheet, r row) change {
	if !d.trial {
		d.flaws[stage] = t.quality.touch(r)
	}
	t.changes.Inserts++
	return change{row: r}
}
