package dictionary

import "testing"

func TestTheBuiltInDictionaryLoads(t *testing.T) {
	d := Builtin()
	if e := d.Entity("legal_entity"); e == nil || len(e.Elements) < 20 {
		t.Fatalf("legal_entity is missing or too small: %v", e)
	}
}
