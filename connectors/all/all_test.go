package all_test

import (
	"testing"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/all"
)

func TestEveryConnectorIsDescribed(t *testing.T) {
	list := all.Connectors()
	if _, err := connectors.NewRegistry(list...); err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if c.Summary.Zh == "" || c.Summary.En == "" {
			t.Errorf("%s has no summary in both languages", c.Name)
		}
		if c.OpenSource == nil && c.OpenSink == nil {
			t.Errorf("%s opens neither a source nor a sink", c.Name)
		}
		for _, o := range append(c.SourceOptions, c.SinkOptions...) {
			if o.Help.Zh == "" || o.Help.En == "" {
				t.Errorf("%s: option %s has no help in both languages", c.Name, o.Name)
			}
		}
	}
}
