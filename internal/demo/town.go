package demo

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"time"
)

// The departments, as the exchange directory names them.
const (
	Register = "market-regulation"
	Approval = "approval"
	Tax      = "tax"
)

// Departments in the order in which they are shown.
var Departments = []string{Register, Approval, Tax}

// Town is the invented city: what its departments know, and the systems in which they keep it. It is not for concurrent
// use.
type Town struct {
	random  *rand.Rand
	quality *quality
	now     func() time.Time

	register *register
	tax      *system
	bureau   *system

	firms     []*firm // as market regulation knows them
	taxpayers []*firm // as tax knows them
	items     []*item
	cases     []*dossier
	pending   []*dossier // cases that are not concluded
	numbers   int        // of firms
	steps     int
	changes   Changes
}

// Changes count what the departments have done to their rows since the exchange began to run.
type Changes struct {
	Inserts int `json:"inserts"`
	Updates int `json:"updates"`
	Deletes int `json:"deletes"`
	Files   int `json:"files"`
}

// Found writes the exchange directory and the departments' systems with what they hold at first. The same seed gives the
// same city.
func Found(ctx context.Context, dir string, seed uint64) (*Town, error) {
	if err := WriteExchange(dir); err != nil {
		return nil, err
	}
	t := &Town{random: rand.New(rand.NewPCG(seed, 0)), quality: newQuality(), now: time.Now}
	var err error
	if t.register, err = newRegister(dir, t.now()); err != nil {
		return nil, err
	}
	systems := filepath.Join(dir, "systems")
	if t.tax, err = openSystem(filepath.Join(systems, "tax.db"), taxSheet); err != nil {
		return nil, err
	}
	if t.bureau, err = openSystem(filepath.Join(systems, "approval.db"), itemSheet, applicationSheet, acceptanceSheet, conclusionSheet); err != nil {
		return nil, errors.Join(err, t.tax.close())
	}
	if err := t.settle(ctx); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	t.changes = Changes{}
	return t, nil
}

// Close closes the departments' databases.
func (t *Town) Close() error { return errors.Join(t.tax.close(), t.bureau.close()) }

// Changes returns what the departments have done since the exchange began to run.
func (t *Town) Changes() Changes { return t.changes }

// Repaired returns how many rows came oddly written and were put right by the mappings.
func (t *Town) Repaired() int { return t.quality.odd }
