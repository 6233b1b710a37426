package main

import (
	"strings"
	"testing"
)

func TestATableLinesUpChineseAndEnglish(t *testing.T) {
	var out strings.Builder
	a := &app{stdout: &out}
	a.table([]string{"NAME", "WHAT"}, [][]string{{"企业", "x"}, {"abcdef", "y"}})
	want := "NAME    WHAT\n企业    x\nabcdef  y\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestTheLanguageComesFromTheFlagThenTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		args      []string
		all, lang string
		want      string
	}{
		{nil, "", "", "en"},
		{nil, "", "zh_CN.UTF-8", "zh"},
		{nil, "C", "zh_CN.UTF-8", "en"},
		{[]string{"check", "--lang", "zh"}, "C", "", "zh"},
		{[]string{"--lang=en", "check"}, "zh_CN", "", "en"},
		{[]string{"check", "--", "--lang=zh"}, "", "", "en"},
	} {
		t.Setenv("LC_ALL", c.all)
		t.Setenv("LC_MESSAGES", "")
		t.Setenv("LANG", c.lang)
		if got := language(c.args); got != c.want {
			t.Errorf("%v with LC_ALL=%s LANG=%s: got %s, want %s", c.args, c.all, c.lang, got, c.want)
		}
	}
}
