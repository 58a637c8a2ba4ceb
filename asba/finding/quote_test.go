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

func TestAnAddressIsShownWithoutItsSecrets(t *testing.T) {
	for url, want := range map[string]string{
		"":                            "",
		"http://localhost:8080/a":     "http://localhost:8080/a",
		"http://ada:tango@h:80/a":     "http://...@h:80/a",
		"http://tango@h":              "http://...@h",
		"http://ada:ta%zz@ngo@h":      "http://...@h", // it cannot be read
		"http://ada:ta#n?go@h":        "http://...@h",
		"ada:tango@h":                 "...@h",
		"http://h/?token=tango#tango": "http://h/?...",
		"http://h#tango@x":            "http://...@x",
	} {
		if got := Address(url); got != want {
			t.Errorf("%q: %q, want %q", url, got, want)
		}
	}
}
