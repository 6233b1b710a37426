// Package all lists the connectors that are built in. A new connector is one package and one line here.
package all

import (
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/files"
	"github.com/datong-dx/datong/connectors/memory"
	"github.com/datong-dx/datong/connectors/sqltable"
)

// Connectors returns the built-in connectors.
func Connectors() []*connectors.Connector {
	return []*connectors.Connector{
		files.Connector(),
		memory.Connector(),
		sqltable.Connector(),
	}
}
