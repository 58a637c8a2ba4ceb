package finding

import (
	"strings"
	"testing"
)

func TestAQuotedWordIsShortAndHarmless(t *testing.T) {
	for word, want := range map[string]string{
		"":                            `""`,
		"c6i.large":                   `"c6i.large"`,
		"\x1b[31m\n":                  `"\x1b[31m\n"`,
		strings.Repeat("x", 60):       `"` + strings.Repeat("x", 60) + `"`,
		strings.Repeat("x", 61):       `"` + strings.Repeat("x", 60) + `..."`,
		strings.Repeat("é", 31):       `"` + strings.Repeat("é", 30) + `..."`,
		"x" + strings.Repeat("é", 31): `"x` + strings.Repeat("é", 29) + `..."`, // not cut in a letter
	} {
		if got := Quote(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}
