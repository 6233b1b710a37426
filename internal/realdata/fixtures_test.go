package realdata

import (
	"testing"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/all"
	"github.com/datong-dx/datong/internal/config"
)

// TestTheExchangeIsReadyToRun checks the directory and its fixtures as `datong check` does. It needs no data.
func TestTheExchangeIsReadyToRun(t *testing.T) {
	registry, err := connectors.NewRegistry(all.Connectors()...)
	if err != nil {
		t.Fatal(err)
	}
	x, err := config.Load("exchange", registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range x.Pipelines {
		results, err := p.RunCases()
		if err != nil {
			t.Fatal(err)
		}
		if len(results) == 0 {
			t.Errorf("%s has no fixtures", p.ID())
		}
		for _, r := range results {
			if !r.Passed() {
				t.Errorf("%s: %s: %+v", p.ID(), r.Name, r.Differences)
			}
		}
	}
}
