package exchange

import (
	"encoding/json"

	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/quarantine"
)

// mask stands for what is not shown.
const mask = "***"

// Mask hides what may be personal, unless it is to be revealed: masked columns, rows that could not even be split, and
// records whole, since a platform's refusal says nothing of which value it did not like.
func (w *Waiting) Mask(reveal bool) {
	if reveal {
		return
	}
	if w.Row != nil {
		maskRow(w.Row)
	}
	if w.Record != nil {
		maskRecord(w.Record)
	}
}

func maskRow(it *quarantine.Item) {
	hidden := false
	for i := range it.Columns {
		c := &it.Columns[i]
		if c.Masked && c.Value != nil {
			value := mask
			c.Value = &value
			hidden = hidden || c.Key
		}
	}
	if hidden {
		it.RowKey = mask
	}
	if it.Raw != nil {
		it.Raw = []byte(mask)
	}
	it.OldKey = nil
}

func maskRecord(it *delivery.Item) {
	it.Key = mask
	if it.Record != nil {
		it.Record = json.RawMessage(`"` + mask + `"`)
	}
	if it.Raw != nil {
		it.Raw = []byte(mask)
	}
}
