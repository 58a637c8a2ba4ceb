package render

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"aws-slurm-burst/asba/finding"
)

// FuzzPrint: whatever a document and a finding hold, nothing that a terminal
// would obey comes out.
func FuzzPrint(f *testing.F) {
	f.Add([]byte("{\n\t\"a\": \"\x1b[2J\"}\n"), "plan.json", "m", "s", 2, 7, 80)
	f.Add([]byte("[\"日本語\u202e\", 1]"), "a\nb", "\x00", "\u2028", 1, 3, 44)
	f.Add([]byte(strings.Repeat("\xff\xf0\x9f", 300)), "", "", "", 1, 400, 0)
	f.Fuzz(func(t *testing.T, text []byte, file, message, suggestion string, line, column, width int) {
		if width > 500 {
			return
		}
		var b strings.Builder
		x := finding.Finding{ID: "X001", Level: finding.Error, File: file, Line: line, Column: column, Message: message, Suggestion: suggestion}
		c := Compiler{W: &b, Width: width, Fix: func(finding.Finding) string { return suggestion }}
		if err := c.Print(Document{Text: text, Findings: []finding.Finding{x, x}}); err != nil {
			t.Fatal(err)
		}
		safe(t, b.String())
		if one := Line(x); strings.Contains(one, "\n") {
			t.Errorf("two lines: %q", one)
		}
		safe(t, Line(x))
		safe(t, GitHub(x))
		if strings.Contains(GitHub(x), "\n") {
			t.Errorf("two commands: %q", GitHub(x))
		}
	})
}

func safe(t *testing.T, out string) {
	t.Helper()
	if !utf8.ValidString(out) {
		t.Errorf("no UTF-8: %q", out)
	}
	for _, r := range out {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("a terminal would obey %q in %q", r, out)
		}
	}
}
