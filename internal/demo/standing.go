package demo

// Standing is how many records of an entity a department's systems should have brought to the platform: what the city
// knows of itself, to be compared with what arrived.
type Standing struct {
	Department, Entity string
	Rows               int
}

// Standing counts the rows that stand in the departments' systems now and are right.
func (t *Town) Standing() []Standing {
	return []Standing{
		{Register, "legal_entity", right(t.firms)},
		{Approval, "service_item", t.publicItems()},
		{Approval, "case_application", t.stage(applicationSheet)},
		{Approval, "case_acceptance", t.stage(acceptanceSheet)},
		{Approval, "case_result", t.stage(conclusionSheet)},
		{Tax, "legal_entity", right(t.taxpayers)},
	}
}

func right(list []*firm) (n int) {
	for _, f := range list {
		if f.flaw == nil {
			n++
		}
	}
	return n
}

func (t *Town) publicItems() (n int) {
	for _, it := range t.items {
		if !it.draft && it.flaw == nil {
			n++
		}
	}
	return n
}

// stage counts the cases that have come to a stage, and whose row of it is right.
func (t *Town) stage(s *sheet) (n int) {
	for _, d := range t.cases {
		if !d.trial && d.reached(s) && d.flaws[s] == nil {
			n++
		}
	}
	return n
}

func (d *dossier) reached(s *sheet) bool {
	switch s {
	case acceptanceSheet:
		return !d.accepted.IsZero()
	case conclusionSheet:
		return !d.concluded.IsZero()
	}
	return true
}

// Wrong counts the rows that stand in the departments' systems now and are wrong, by what is wrong with them: exactly
// those must wait in quarantine.
func (t *Town) Wrong() map[*Fault]int {
	wrong := map[*Fault]int{}
	for _, f := range t.firms {
		wrong[f.flaw]++
	}
	for _, f := range t.taxpayers {
		wrong[f.flaw]++
	}
	for _, it := range t.items {
		wrong[it.flaw]++
	}
	for _, d := range t.cases {
		for _, flaw := range d.flaws {
			wrong[flaw]++
		}
	}
	delete(wrong, nil) // the rows that are right
	return wrong
}
