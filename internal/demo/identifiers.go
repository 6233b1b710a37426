package demo

import (
	"fmt"
	"strings"

	"github.com/datong-dx/datong/mapping/identifier"
)

// What an organisation code (GB 11714-1997) and a unified social credit code (GB 32100-2015) may end in.
const (
	orgCheckCharacters  = "0123456789X"
	usccCheckCharacters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
)

// uscc returns an invented unified social credit code whose check characters are right. kind is the registering authority
// and the kind of organisation; the organisation part begins with MX, which no registrar has reached.
func uscc(kind, region string, n int) string {
	org := completed("org_code", fmt.Sprintf("MX%06d", n), orgCheckCharacters)
	return completed("uscc", kind+region+org, usccCheckCharacters)
}

// completed appends the check character: the one that the dictionary's own rule accepts.
func completed(format, head, characters string) string {
	rule := identifier.Lookup(format)
	for _, c := range characters {
		if code := head + string(c); rule.Check([]byte(code)) == nil {
			return code
		}
	}
	return head // not reached: one of the characters always fits
}

// miscopied returns the code with a check character that is not the right one.
func miscopied(code string) string {
	last := strings.IndexByte(usccCheckCharacters, code[len(code)-1])
	return code[:len(code)-1] + string(usccCheckCharacters[(last+1)%len(usccCheckCharacters)])
}
