package mapping

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// A number's canonical text, its shifts and its order agree with exact rational arithmetic.
func TestNumbersAreExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var last number
	lastRat := new(big.Rat)
	for range 20_000 {
		text := randomNumber(random)
		var d number
		if f := d.parse([]byte(text), false); f != faultNone {
			t.Fatalf("%s: fault %d", text, f)
		}
		want, _ := new(big.Rat).SetString(text)
		places := random.IntN(13) - 4
		d.shift(places)
		scale, _ := new(big.Rat).SetString("1e" + big.NewInt(int64(places)).String())
		want.Mul(want, scale)
		out := string(d.append(nil))
		got, ok := new(big.Rat).SetString(out)
		if !ok || got.Cmp(want) != 0 {
			t.Fatalf("%s by %d places: got %s, want %s", text, places, out, want)
		}
		if out != "0" && (strings.HasPrefix(out, "00") || strings.Contains(out, ".") && strings.HasSuffix(out, "0")) {
			t.Fatalf("%s: %s is not canonical", text, out)
		}
		if d.compare(&last) != want.Cmp(lastRat) {
			t.Fatalf("%s against %s: got %d, want %d", want, lastRat, d.compare(&last), want.Cmp(lastRat))
		}
		last, lastRat = d, want
	}
}

func randomNumber(r *rand.Rand) string {
	digits := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(byte('0' + r.IntN(10)*r.IntN(2)))
		}
		return b.String()
	}
	s := []string{"", "-", "+"}[r.IntN(3)] + digits(1+r.IntN(12))
	if r.IntN(2) == 0 {
		s += "." + digits(1+r.IntN(8))
	}
	return s
}
