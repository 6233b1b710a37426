package demo

// quality decides which rows of a sheet are wrong or odd, so that every kind occurs and the share is known.
type quality struct {
	rows map[*sheet]int
	made map[*sheet]int // faults
	odd  int            // rows made odd that are right all the same
}

func newQuality() *quality { return &quality{rows: map[*sheet]int{}, made: map[*sheet]int{}} }

const (
	faultEvery = 97 // about one row in a hundred is wrong
	firstFault = 13
	quirkEvery = 41
	firstQuirk = 7
)

// touch may spoil a row, or make it odd. It returns what is wrong with it now, nil when nothing is.
func (q *quality) touch(r row) *Fault {
	n := q.rows[r.sheet]
	q.rows[r.sheet]++
	if n%faultEvery == firstFault {
		return q.spoil(r)
	}
	if odd := quirks[r.sheet]; len(odd) > 0 && n%quirkEvery == firstQuirk {
		odd[n/quirkEvery%len(odd)](r)
		q.odd++
	}
	return nil
}

// spoil makes a row wrong in the next of its sheet's ways.
func (q *quality) spoil(r row) *Fault {
	var kinds []*Fault
	for i := range Faults {
		if Faults[i].sheet == r.sheet {
			kinds = append(kinds, &Faults[i])
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	f := kinds[q.made[r.sheet]%len(kinds)]
	q.made[r.sheet]++
	f.spoil(r)
	return f
}
