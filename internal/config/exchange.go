// Package config reads an exchange directory (datong.yaml, departments, deliveries, the city's dictionary) into typed,
// checked settings. It touches no network. Everything that is wrong is reported at once, each as a *connectors.Problem
// at its file and line, in Chinese and English. Values that came from ${env:…} or ${file:…} are never shown.
//
//	exchange/
//	  datong.yaml                              → Exchange
//	  dictionary/                              → Exchange.Dictionary, on top of the built-in one
//	  departments/DEPARTMENT/PIPELINE.yaml     → Pipeline
//	  departments/DEPARTMENT/PIPELINE.cases/   → Pipeline.Cases
//	  departments/DEPARTMENT/codes/NAME.csv    → crosswalks inside Pipeline.Plans
//	  deliveries/DELIVERY.yaml                 → Delivery
package config

import (
	"slices"
	"time"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// Exchange is everything that one exchange directory says.
type Exchange struct {
	Dir string
	// Embedded says that `brokers: embedded` stands in datong.yaml: one process runs the broker too. Broker.Brokers
	// is empty then.
	Embedded bool
	Broker   broker.Config
	// Prefix begins the name of every topic and transactional id.
	Prefix string
	// Site names the party that runs this exchange directory.
	Site string
	// HTTP is the address that `datong run` serves.
	HTTP   string
	Topics Topics
	// TransactionTimeout is how long a broker lets a transaction stay open before it aborts it.
	TransactionTimeout time.Duration
	Dictionary         *dictionary.Dictionary
	Pipelines          []*Pipeline // by department, then name
	Deliveries         []*Delivery // by name
	// Warnings are worth knowing, but do not keep anything from starting.
	Warnings []*connectors.Problem
}

// Topics says how topics are created, and how what goes into them is compressed.
type Topics struct {
	broker.TopicOptions
	Compression string // one of broker.Compressions
}

// Pipeline is one source of one department with its mappings.
type Pipeline struct {
	Department, Name string
	// File is the path of its YAML file, and Cases the directory of its fixtures, which may be missing.
	File, Cases string
	Connector   *connectors.Connector
	Settings    connectors.Settings
	// Plans are the compiled mappings in the order of the file. A plan whose Spec().Table is empty takes every table.
	Plans []*mapping.Plan
	// A commit comes at the latest after CommitInterval, CommitRows or CommitBytes, whichever is first.
	CommitInterval time.Duration
	CommitRows     int
	CommitBytes    int
	// MaxRefused stops the pipeline when more than Percent of at least Rows rows were refused.
	MaxRefused Limit
	// MaxDeletes holds a comparison back that would delete more than Percent of the keys and more than Rows keys.
	MaxDeletes Limit
	// RowsPerSecond is the most that is read from the source, 0 for no limit.
	RowsPerSecond int
	// Windows are the times of day in which the source may be read, empty for always.
	Windows []Window
}

// ID returns the pipeline's name in the whole exchange: department/name.
func (p *Pipeline) ID() string { return p.Department + "/" + p.Name }

// RunCases runs the pipeline's fixtures. One that did not pass keeps the pipeline from starting.
func (p *Pipeline) RunCases() ([]mapping.CaseResult, error) {
	return mapping.RunCases(p.Cases, p.Plans...)
}

// Limit is a share together with a number of rows below which the share says nothing.
type Limit struct {
	Percent float64
	Rows    int64
}

// Delivery is one sink with what goes into it.
type Delivery struct {
	Name, File string
	Connector  *connectors.Connector
	Settings   connectors.Settings
	// Entities and Departments that are delivered, empty for all.
	Entities, Departments []string
	// A batch is written at the latest after BatchRows records or BatchInterval.
	BatchRows     int
	BatchInterval time.Duration
}

// Takes says whether the delivery wants records of an entity from a department.
func (v *Delivery) Takes(department, entity string) bool {
	return (len(v.Entities) == 0 || slices.Contains(v.Entities, entity)) &&
		(len(v.Departments) == 0 || slices.Contains(v.Departments, department))
}

// Settings that stand when a file does not say otherwise.
const (
	defaultPrefix             = "datong"
	defaultSite               = "main"
	defaultHTTP               = "127.0.0.1:8470"
	defaultPartitions         = 8
	defaultCompression        = "lz4"
	defaultTransactionTimeout = 15 * time.Second
	defaultCommitInterval     = 250 * time.Millisecond
	defaultCommitRows         = 64 << 10
	defaultCommitBytes        = 16 << 20
	defaultBatchRows          = 20_000
	defaultBatchInterval      = 100 * time.Millisecond
)
