package dictionary_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping/dictionary"
)

func TestTheBuiltInEntitiesAreThoseThatAreDocumented(t *testing.T) {
	want := []string{"case_acceptance", "case_application", "case_evaluation", "case_result", "case_special", "case_step",
		"catalogue_item", "division", "legal_entity", "service_item"}
	var got []string
	for _, e := range dictionary.Builtin().Entities() {
		got = append(got, e.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEverythingBuiltInIsDescribedInBothLanguages(t *testing.T) {
	d := dictionary.Builtin()
	described := func(what string, texts ...connectors.Text) {
		t.Helper()
		for _, text := range texts {
			if text.Zh == "" || text.En == "" {
				t.Errorf("%s lacks a text: %+v", what, text)
			}
			if strings.ContainsAny(text.En, "，。；：（）") {
				t.Errorf("%s has Chinese punctuation in English: %s", what, text.En)
			}
		}
	}
	for _, e := range d.Entities() {
		described(e.Name, e.Title, e.Definition)
		for _, el := range e.Elements {
			described(e.Name+"."+el.Name, el.Title, el.Definition)
		}
	}
	for _, c := range d.CodeSets() {
		described(c.Name, c.Title, c.Definition)
		for _, code := range c.Codes {
			if c.Name != "division" { // the names of divisions below the provinces have no translation
				described(c.Name+" "+code.Value, code.Title)
			}
		}
	}
}

func TestEveryBuiltInSourceIsAStandardOrSaysThatItIsNone(t *testing.T) {
	number := regexp.MustCompile(`^(GB|GB/T|GA/T) \d+(\.\d+)?(-\d{4})?$`)
	check := func(what, standard string) {
		t.Helper()
		if standard != dictionary.Practice && standard != dictionary.Own && !number.MatchString(standard) {
			t.Errorf("%s: %q is no number of a standard", what, standard)
		}
	}
	for _, e := range dictionary.Builtin().Entities() {
		check(e.Name, e.Standard)
		for _, el := range e.Elements {
			check(e.Name+"."+el.Name, el.Standard)
		}
	}
	for _, c := range dictionary.Builtin().CodeSets() {
		check(c.Name, c.Standard)
	}
}

func TestEveryBuiltInCodeSetIsUsed(t *testing.T) {
	used := map[string]bool{}
	for _, e := range dictionary.Builtin().Entities() {
		for _, el := range e.Elements {
			used[el.CodeSet] = true
		}
	}
	for _, c := range dictionary.Builtin().CodeSets() {
		if !used[c.Name] {
			t.Errorf("no element uses %s", c.Name)
		}
	}
}

func TestPersonalElementsAreMarked(t *testing.T) {
	d := dictionary.Builtin()
	for name, want := range map[string]dictionary.Sensitivity{
		"legal_entity.legal_rep_name":       dictionary.Personal,
		"legal_entity.legal_rep_doc_no":     dictionary.Sensitive,
		"legal_entity.phone":                dictionary.Personal,
		"legal_entity.uscc":                 dictionary.Public,
		"case_application.applicant_name":   dictionary.Personal,
		"case_application.applicant_doc_no": dictionary.Sensitive,
		"case_application.agent_mobile":     dictionary.Sensitive,
		"case_step.handler":                 dictionary.Personal,
		"case_result.handler":               dictionary.Personal,
		"case_result.fee":                   dictionary.Internal,
	} {
		entity, element, _ := strings.Cut(name, ".")
		if got := d.Entity(entity).Element(element).Sensitivity; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestElementsAreFoundByName(t *testing.T) {
	e := dictionary.Builtin().Entity("case_step")
	if got := e.KeyIndexes(); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("key of case_step is at %v", got)
	}
	if e.Index("handler") < 0 || e.Element("handler").Name != "handler" {
		t.Error("handler is not found")
	}
	if e.Index("nothing") != -1 || e.Element("nothing") != nil {
		t.Error("an element was found that does not exist")
	}
	d := dictionary.Builtin()
	if d.Entity("nothing") != nil || d.CodeSet("nothing") != nil {
		t.Error("an entity or code set was found that does not exist")
	}
}

// An element that is the same as another takes over what makes up its values, and nothing that belongs to the entity.
func TestSameAsTakesOverTheValueAndNotTheObligation(t *testing.T) {
	d := dictionary.Builtin()
	original, copied := d.Entity("case_acceptance").Element("accepted_at"), d.Entity("case_result").Element("accepted_at")
	if copied.Type != original.Type || copied.Title != original.Title {
		t.Errorf("type or title differ: %+v and %+v", original, copied)
	}
	if copied.NotBefore != "" || copied.Obligation != dictionary.Optional {
		t.Errorf("obligation or order in time was taken over: %+v", copied)
	}
}
