package sqltable

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/datong-dx/datong/connectors"
)

// wantStop checks that an error stops the pipeline and says the given words.
func wantStop(t *testing.T, err error, words string) {
	t.Helper()
	if !errors.Is(err, connectors.ErrStop) || !strings.Contains(err.Error(), words) {
		t.Errorf("error %v, want a stop that says %q", err, words)
	}
}

func TestSettingsThatDoNotGoTogether(t *testing.T) {
	table := connectors.Settings{"url": "sqlite:a.db", "tables": []string{"people"}}
	for _, c := range []struct {
		name, want string
		set        connectors.Settings
	}{
		{"no address", "the database address names no database that is known", connectors.Settings{"url": "oracle://host/db"}},
		{"tables and a query", "name either tables or a query", connectors.Settings{"query": "SELECT 1"}},
		{"a query without a name", "is needed with query", connectors.Settings{"tables": []string{}, "query": "SELECT 1"}},
		{"a mode without its column", "is needed there", connectors.Settings{"mode": modeWatermark}},
		{"a column without its mode", "is needed there", connectors.Settings{"watermark": "changed"}},
		{"an overlap of nothing known", "neither a duration", connectors.Settings{"overlap": "five"}},
		{"a negative overlap", "neither a duration", connectors.Settings{"overlap": "-5s"}},
		{"no rows at once", "between 1 and 1000000", connectors.Settings{"chunk": int64(0)}},
		{"one connection", "at least 2", connectors.Settings{"max_connections": int64(1)}},
		{"a table twice", `name "people" twice`, connectors.Settings{"tables": []string{"people", "people"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := with(t, table)
			for name, v := range c.set {
				set[name] = v
			}
			problems := validateSource(set)
			found := slices.ContainsFunc(problems, func(p connectors.Problem) bool {
				declared := slices.ContainsFunc(sourceOptions, func(o connectors.Option) bool { return o.Name == p.Where })
				return strings.Contains(p.Error(), c.want) && p.In("zh") != p.In("en") && declared
			})
			if !found {
				t.Errorf("problems %v, want one that says %q", problems, c.want)
			}
			_, err := openAt(t, nil, set)
			wantStop(t, err, "")
		})
	}
}

func TestCheckTellsWhatIsMissing(t *testing.T) {
	onEachPlace(t, func(t *testing.T, p *place) {
		timestamp, _ := p.types()
		p.exec(t, "CREATE TABLE bare (id bigint, text varchar(20), changed "+timestamp+")")
		p.exec(t, "INSERT INTO bare VALUES (1, 'x', NULL)")
		p.exec(t, "CREATE TABLE wordy (id bigint NOT NULL PRIMARY KEY, changed varchar(20))")
		p.exec(t, "INSERT INTO wordy VALUES (1, 'yesterday')")
		watermark := connectors.Settings{"mode": modeWatermark, "watermark": "changed"}
		for _, c := range []struct {
			name, table string
			set         connectors.Settings
			warnings    []string
			problem     string
		}{
			{"a good table", "good", watermark, nil, ""},
			{"no such table", "missing", nil, nil, "missing"},
			{"no such column", "good", connectors.Settings{"columns": []string{"id", "nonsense"}}, nil, "there is no column nonsense"},
			{"no such watermark", "good", connectors.Settings{"mode": modeWatermark, "watermark": "nonsense"}, nil, "there is no column nonsense"},
			{"no key", "bare", nil, []string{"has no primary key"}, ""},
			{"a key that is not unique", "bare", connectors.Settings{"key": []string{"id"}}, []string{"does not promise that its key is unique"}, ""},
			{"no index, nulls", "bare", watermark, []string{"has no primary key", "no index begins with the watermark", "1 rows have no changed"}, ""},
			{"a watermark of words", "wordy", watermark, []string{"no index begins"}, "holds neither times nor numbers"},
		} {
			t.Run(c.name, func(t *testing.T) {
				if c.table == "good" {
					people(t, p)
					defer p.exec(t, "DROP TABLE people")
					c.table = "people"
				}
				set := connectors.Settings{"url": p.url, "tables": []string{c.table}}
				for name, v := range c.set {
					set[name] = v
				}
				checkProblems(t, read(t, nil, set).Source.(*source).Check(t.Context()), c.warnings, c.problem)
			})
		}
	})
}

func checkProblems(t *testing.T, problems []connectors.Problem, warnings []string, problem string) {
	t.Helper()
	for _, p := range problems {
		if p.In("zh") == p.In("en") || p.Try.In("en") == "" && p.Warning {
			t.Errorf("%v is not told in two languages with a cure", &p)
		}
		switch {
		case p.Warning && len(warnings) > 0 && strings.Contains(p.Error(), warnings[0]):
			warnings = warnings[1:]
		case !p.Warning && problem != "" && strings.Contains(p.Error(), problem):
			problem = ""
		default:
			t.Errorf("unexpected: %v", &p)
		}
	}
	if len(warnings) > 0 || problem != "" {
		t.Errorf("problems %v lack %q and %q", problems, warnings, problem)
	}
}

func TestCheckOfADatabaseThatIsNotThere(t *testing.T) {
	for _, url := range []string{
		"sqlite:" + t.TempDir() + "/none.db", "postgres://who:secret@127.0.0.1:1/none?connect_timeout=2", "mysql://who:secret@127.0.0.1:1/none",
	} {
		set := connectors.Settings{"url": url, "tables": []string{"people"}}
		problems := read(t, nil, set).Source.(*source).Check(t.Context())
		checkProblems(t, problems, nil, "cannot be reached")
		for _, p := range problems {
			if strings.Contains(p.Error(), "secret") {
				t.Errorf("a password is shown: %v", &p)
			}
		}
		if _, err := read(t, nil, set).next(t); err == nil {
			t.Errorf("%s was read", url)
		}
	}
}
