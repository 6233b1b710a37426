package sqltable

// sample says that an id was the highest at a time of the database's clock.
type sample struct{ now, high int64 }

// historyKept is how many samples are kept: a quarter of an hour at one poll a second.
const historyKept = 900

// remember keeps the highest id of this moment. An id carries no time, so this is how the start of a transaction is
// found among ids.
func (m *watermark) remember(now, high int64) {
	if len(m.history) == historyKept {
		m.history = append(m.history[:0], m.history[historyKept/2:]...)
	}
	m.history = append(m.history, sample{now, high})
}

// since returns an id that a transaction begun at the given time did not take yet. Where that is not known, the low end
// of the overlap stays where it is until the transaction ends.
func (m *watermark) since(begun int64) int64 {
	best := m.low
	for _, s := range m.history {
		if s.now > begun {
			break
		}
		best = max(best, s.high)
	}
	return best
}
