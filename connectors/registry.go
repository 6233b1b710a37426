package connectors

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// Text is a text that people read, in Chinese and English.
type Text struct {
	Zh string `json:"zh"`
	En string `json:"en,omitempty"`
}

// In returns the text in the language "zh" or "en".
func (t Text) In(lang string) string {
	if lang == "zh" && t.Zh != "" || t.En == "" {
		return t.Zh
	}
	return t.En
}

// Problem is an error for a person: what is wrong, where, and what to try. It holds no row content and no secret.
type Problem struct {
	Where   string // file:line, table, row or column; may be empty
	What    Text
	Try     Text // may be empty
	Warning bool // worth knowing, but does not prevent the work
	Err     error
}

// Mark is an error by which programs decide. To a person it says nothing that the [Problem] around it does not say better,
// which therefore does not show it.
type Mark string

func (m Mark) Error() string { return string(m) }

// Cause returns the text of what lies below the problem; empty when that is nothing but a [Mark].
func (p *Problem) Cause() string {
	if _, mark := p.Err.(Mark); p.Err == nil || mark { //nolint:errorlint // a mark inside another error has company
		return ""
	}
	return p.Err.Error()
}

// Error returns the problem in English on one line.
func (p *Problem) Error() string { return p.In("en") }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// In returns the problem on one line in the language "zh" or "en".
func (p *Problem) In(lang string) string {
	s := p.What.In(lang)
	if p.Where != "" {
		s = p.Where + ": " + s
	}
	if cause := p.Cause(); cause != "" {
		s += ": " + cause
	}
	if try := p.Try.In(lang); try != "" {
		s += map[bool]string{true: "（可尝试：" + try + "）", false: " (try: " + try + ")"}[lang == "zh"]
	}
	return s
}

// Message returns what an error tells a person in the language "zh" or "en": the problems in it, one a line, or its own
// words where it has none.
func Message(err error, lang string) string {
	var lines []string
	for _, p := range problemsIn(err) {
		lines = append(lines, p.In(lang))
	}
	if len(lines) == 0 {
		return err.Error()
	}
	return strings.Join(lines, "\n")
}

// problemsIn returns the outermost problems of an error.
func problemsIn(err error) []*Problem {
	switch e := err.(type) { //nolint:errorlint // the tree is walked here, not searched
	case *Problem:
		return []*Problem{e}
	case interface{ Unwrap() error }:
		return problemsIn(e.Unwrap())
	case interface{ Unwrap() []error }:
		var list []*Problem
		for _, inner := range e.Unwrap() {
			list = append(list, problemsIn(inner)...)
		}
		return list
	}
	return nil
}

// OptionType is the type of a connector's option.
type OptionType string

// Option types, named as the help prints them.
const (
	StringOption   OptionType = "string"
	SecretOption   OptionType = "secret" // a string that is never shown; usually ${env:X} or ${file:/path}
	IntOption      OptionType = "integer"
	BoolOption     OptionType = "boolean"
	DurationOption OptionType = "duration"
	ListOption     OptionType = "list" // of strings; a single string is a list of one
	MapOption      OptionType = "map"  // string to string
)

// Option declares one setting of a connector once: it gives validation, defaults and `datong connectors NAME`.
type Option struct {
	Name     string
	Type     OptionType
	Required bool
	Default  string   // as it would be written in YAML; empty: the type's zero value
	Values   []string // the allowed values, empty when free
	Help     Text
	Example  string
}

// Settings are a connector's options after validation: every declared option is present with its default applied, as
// string, int64, bool, time.Duration, []string or map[string]string.
type Settings map[string]any

// Setting returns the named setting as type T. It panics when the connector did not declare it with that type: a
// programming mistake.
func Setting[T any](s Settings, name string) T {
	v, ok := s[name].(T)
	if !ok {
		panic(fmt.Sprintf("connector setting %q is %T, not %T", name, s[name], v))
	}
	return v
}

// SourceRequest is what a connector needs to open a source.
type SourceRequest struct {
	Settings Settings
	// Position to go on from, nil at the very start.
	Position Position
	// Dir is the exchange directory, against which relative paths are resolved.
	Dir string
	Log *slog.Logger
}

// SinkRequest is what a connector needs to open a sink.
type SinkRequest struct {
	Settings Settings
	Dir      string
	Log      *slog.Logger
}

// Connector is a kind of outside system: a name, its options and how to open a source, a sink, or both.
type Connector struct {
	Name    string
	Summary Text
	// SourceOptions and SinkOptions declare what `source:` and `sink:` take.
	SourceOptions, SinkOptions []Option
	// ValidateSource checks settings against each other without touching the network; may be nil. Where of a problem
	// is the name of the option that it is about.
	ValidateSource func(Settings) []Problem
	// OpenSource opens a source at a position; nil when the connector has none. It may reach the outside system.
	OpenSource func(context.Context, SourceRequest) (Source, error)
	// OpenSink opens a sink; nil when the connector has none.
	OpenSink func(context.Context, SinkRequest) (Sink, error)
}

// Registry holds the connectors that an exchange can use.
type Registry struct{ byName map[string]*Connector }

// NewRegistry returns a registry of the given connectors. Two of one name are an error.
func NewRegistry(list ...*Connector) (*Registry, error) {
	r := &Registry{byName: make(map[string]*Connector, len(list))}
	for _, c := range list {
		if _, dup := r.byName[c.Name]; dup {
			return nil, fmt.Errorf("connector %q is registered twice", c.Name)
		}
		r.byName[c.Name] = c
	}
	return r, nil
}

// Get returns the named connector, or nil.
func (r *Registry) Get(name string) *Connector { return r.byName[name] }

// All returns the connectors in order of their names.
func (r *Registry) All() []*Connector {
	list := make([]*Connector, 0, len(r.byName))
	for _, c := range r.byName {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *Connector) int { return strings.Compare(a.Name, b.Name) })
	return list
}
