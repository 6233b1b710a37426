package mapping

import (
	"slices"

	"github.com/datong-dx/datong/connectors"
)

// Difference is one point in which a row came out other than its case wants. Fixtures hold invented data, so values
// are told.
type Difference struct {
	// Subject is an element, "outcome" for the row as a whole, or "when" for the mapping's condition.
	Subject   string
	Got, Want string // empty: nothing
	// Note is what a rule says that the row breaks and the case does not name.
	Note connectors.Text
}

// Subjects that are no element.
const (
	subjectOutcome = "outcome"
	subjectWhen    = "when"
)

// In returns the difference on one line in the language "zh" or "en".
func (d *Difference) In(lang string) string {
	note := d.Note.In(lang)
	if lang != "zh" {
		if note != "" {
			note = " (" + note + ")"
		}
		return d.Subject + ": got " + orWord(d.Got, "nothing") + note + ", want " + orWord(d.Want, "nothing")
	}
	if note != "" {
		note = "（" + note + "）"
	}
	return orWord(chinese[d.Subject], d.Subject) + "：实得 " + d.said(d.Got) + note + "，应得 " + d.said(d.Want)
}

// chinese are the words of a difference that are not data.
var chinese = map[string]string{
	subjectOutcome: "结果", subjectWhen: "条件 when",
	Accepted.String(): "接受", Filtered.String(): "过滤", Refused.String(): "拒收",
}

func (d *Difference) said(value string) string {
	if d.Subject == subjectOutcome {
		return chinese[value]
	}
	return orWord(value, "无")
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

// violationDifferences compares violations by element and rule.
func violationDifferences(got []Violation, want []rejection) []Difference {
	var list []Difference
	for _, v := range got {
		if !slices.Contains(want, rejection{v.Element, v.Rule}) {
			list = append(list, Difference{Subject: orWord(v.Element, subjectWhen), Got: v.Rule, Note: v.Message})
		}
	}
	for _, w := range want {
		if !slices.ContainsFunc(got, func(v Violation) bool { return v.Element == w.element && v.Rule == w.rule }) {
			list = append(list, Difference{Subject: orWord(w.element, subjectWhen), Want: w.rule})
		}
	}
	return list
}
