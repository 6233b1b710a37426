package mapping

import (
	"fmt"
	"strings"
	"testing"
)

func statusCodes(tb testing.TB) map[string]*Crosswalk {
	tb.Helper()
	c, err := ReadCrosswalk(strings.NewReader("source_code,standard_code,valid_from,valid_to,note\nK,1,,,开业\nD,2,,,吊销\nX,3,,2019-12-31,注销中\nX,9,2020-01-01,,注销中\n"), "codes/reg_status.csv")
	if err != nil {
		tb.Fatal(err)
	}
	return map[string]*Crosswalk{"reg_status": c}
}

func TestX(t *testing.T) {
	m, row := enterpriseMapper(t)
	r := m.Map(row)
	fmt.Println(r.Outcome, string(r.Key), string(r.Value))
	for _, v := range r.Violations {
		fmt.Println(v.Rule, v.Message)
	}
}
