package render

import (
	"errors"
	"strings"
	"testing"

	"aws-slurm-burst/asba/finding"
)

func at(line, column int) finding.Finding {
	return finding.Finding{ID: "X001", Level: finding.Error, File: "plan.json", Line: line, Column: column, Message: "wrong"}
}

func printed(t *testing.T, c Compiler, text string, fs ...finding.Finding) string {
	t.Helper()
	var b strings.Builder
	c.W = &b
	if err := c.Print(Document{Text: []byte(text), Findings: fs}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAFindingIsShownAsACompilerDoes(t *testing.T) {
	f := at(10, 4)
	f.Suggestion, f.Fix = "write c6i.large", []finding.Op{{Op: "remove", Path: "/a"}}
	text := strings.Repeat("{\n", 9) + "  [\"c6i.huge\", 1]\n"
	f.Column = 4
	got := printed(t, Compiler{Fix: func(f finding.Finding) string { return f.Fix[0].Op + " it" }}, text, f)
	want := `error[X001]: wrong
  --> plan.json:10:4
   |
10 |   ["c6i.huge", 1]
   |    ^^^^^^^^^^
   = help: write c6i.large
   = fix: remove it

`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The mark stands under the token, whatever stands before it.
func TestTheMarkStandsUnderTheToken(t *testing.T) {
	for name, c := range map[string]struct {
		line   string
		column int
		want   string // the line, the mark
	}{
		"a word":            {`{"a": true, "b": 1}`, 7, `{"a": true, "b": 1}` + "\n" + `      ^^^^`},
		"a number, the end": {`[1, 25`, 5, `[1, 25` + "\n" + `    ^^`},
		"a bracket":         {`{"a": [1]}`, 7, `{"a": [1]}` + "\n" + `      ^`},
		"quotes within":     {`["a\"b", 1]`, 2, `["a\"b", 1]` + "\n" + ` ^^^^^^`},
		"never closed":      {`["abc `, 2, `["abc` + "\n" + ` ^^^^`},
		"tabs":              {"\t\t\"a\":\t1", 8, `        "a":    1` + "\n" + `                ^`},
		"a tab's rest":      {"\"ab\":\t1", 7, `"ab":   1` + "\n" + `        ^`},
		"wide characters":   {`["日本", "x"]`, 12, `["日本", "x"]` + "\n" + `         ^^^`},
		"a wide token":      {`["日本"]`, 2, `["日本"]` + "\n" + ` ^^^^^^`},
		"combining marks":   {"[\"e\u0301\", 1]", 9, "[\"e\u0301\", 1]" + "\n" + `      ^`},
		"a comment":         {`1 // why not `, 3, `1 // why not` + "\n" + `  ^^^^^^^^^^`},
		"past the end":      {`[1`, 9, `[1` + "\n" + `  ^`},
		"an empty line":     {``, 1, "\n^"},
		"an escape":         {"[\"\x1b[31m\", 1]", 11, `["\x1b[31m", 1]` + "\n" + `             ^`},
		"turned around":     {"[\"\u202e\", 1]", 9, `["\u202e", 1]` + "\n" + `           ^`},
		"no UTF-8":          {"[\"\xff\", 1]", 7, `["\xff", 1]` + "\n" + `         ^`},
	} {
		lines := strings.Split(printed(t, Compiler{}, c.line+"\n", at(1, c.column)), "\n")
		got := strings.TrimPrefix(strings.TrimPrefix(lines[3], "1 |"), " ") + "\n" + strings.TrimPrefix(lines[4], "  | ")
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestLongLinesAreCutAroundTheToken(t *testing.T) {
	long := strings.Repeat("x ", 500_000)
	for name, c := range map[string]struct {
		line   string
		column int
		want   string
	}{
		"at the beginning": {"true " + long, 1, "true "},
		"in the middle":    {long + "true " + long, len(long) + 1, "... x x x true x x"},
		"at the end":       {long + "true", len(long) + 1, "x x x true"},
		"itself":           {`["` + long + `"]`, 2, `"x x x`},
	} {
		lines := strings.Split(printed(t, Compiler{Width: 44}, c.line, at(1, c.column)), "\n")
		source, mark := lines[3], lines[4]
		i := strings.IndexByte(mark, '^')
		if len(source) > 44 || len(mark) > 44 || !strings.Contains(source, strings.TrimPrefix(c.want, "... ")) {
			t.Errorf("%s: %d columns, %d of the mark\n%s\n%s", name, len(source), len(mark), source, mark)
		}
		if name != "itself" && source[i:i+4] != "true" {
			t.Errorf("%s: the mark is not under the token\n%s\n%s", name, source, mark)
		}
		if name == "in the middle" && (!strings.HasPrefix(source, "1 | ...") || !strings.HasSuffix(source, "...")) {
			t.Errorf("%s: nothing says that it is cut\n%s", name, source)
		}
	}
}

func TestColoursAreForTerminalsThatWantThem(t *testing.T) {
	f := at(1, 1)
	if got := printed(t, Compiler{}, "{}", f); strings.Contains(got, "\x1b") {
		t.Errorf("colours: %q", got)
	}
	got := printed(t, Compiler{Color: true}, "{}", f)
	if !strings.HasPrefix(got, "\x1b[1;31merror[X001]\x1b[0m") || !strings.Contains(got, "\x1b[1;31m^\x1b[0m") {
		t.Errorf("%q", got)
	}
}

func TestFindingsWithoutAPlaceHaveNoLine(t *testing.T) {
	f := finding.Finding{Level: finding.Warning, File: "ASBA_X", Message: "odd"}
	if got, want := printed(t, Compiler{}, "a\n", f), "warning: odd\n--> ASBA_X\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := printed(t, Compiler{}, "a\n", at(7, 1)), "error[X001]: wrong\n --> plan.json:7:1\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestALineIsOneLine(t *testing.T) {
	f := at(1, 2)
	f.File, f.Message = "a\nb\x1b[2J.json", "wrong\r"
	if got, want := Line(f), `a\nb\x1b[2J.json:1:2: error[X001]: wrong\r`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGitHubGetsAWorkflowCommand(t *testing.T) {
	for want, f := range map[string]finding.Finding{
		"::error file=plan.json,line=3,col=4,title=X001::wrong": at(3, 4),
		"::warning file=a%2Cb%3A%25.json::100%25: a, b (why)":   {Level: finding.Warning, File: "a,b:%.json", Message: "100%: a, b", Suggestion: "why"},
		`::notice::two\nlines`:                                  {Message: "two\nlines"},
	} {
		if got := GitHub(f); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestCounts(t *testing.T) {
	e, w, i := finding.Finding{Level: finding.Error}, finding.Finding{Level: finding.Warning}, finding.Finding{}
	for want, fs := range map[string][]finding.Finding{
		"no findings":                 {},
		"1 error":                     {e},
		"2 errors, 1 warning":         {w, e, e},
		"1 error, 2 warnings, 1 note": {w, e, w, i},
	} {
		if got := Counts(fs); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	if err := (Compiler{W: broken{}}).Print(Document{Findings: []finding.Finding{at(1, 1)}}); err == nil {
		t.Error("no error")
	}
}
