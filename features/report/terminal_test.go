package report

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheTableHasARowForEachBackendAndOneForWhatIsMissing(t *testing.T) {
	var b bytes.Buffer
	missing := Summary{Backend: Backend{Name: "localstack", Rung: "localstack-container", Missing: "no container engine answers: is dockerd running?"}}
	if err := (Terminal{W: &b}).Table(sample(), wellOn("embedded"), missing); err != nil {
		t.Fatal(err)
	}
	const want = ` backend               passed  failed  left out   time  what, where and why
 localstack-host            1       3         1  1.5 s  LocalStack 4.14.0, http://127.0.0.1:1, no container engine
 embedded                   5       0         0  1.5 s  http://127.0.0.1:2, asked for
 localstack-container       -       -       all      -  LEFT OUT: no container engine answers: is dockerd running?
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestColoursAreForTerminalsAndThoseWhoWantThem(t *testing.T) {
	no := func(string) string { return "" }
	if ColorOn(&bytes.Buffer{}, no) {
		t.Error("colours into a pipe")
	}
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if ColorOn(file, no) {
		t.Error("colours into a file")
	}
	// A terminal of its own, where the machine gives one.
	if tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err == nil {
		defer tty.Close()
		if !ColorOn(tty, no) {
			t.Error("no colours on a terminal")
		}
		for name, value := range map[string]string{"NO_COLOR": "1", "TERM": "dumb"} {
			if ColorOn(tty, func(v string) string { return map[string]string{name: value}[v] }) {
				t.Errorf("colours in spite of %s=%s", name, value)
			}
		}
	}

	with, without := printed(Terminal{Color: true}), printed(Terminal{})
	if strings.Contains(without, "\x1b") || !strings.Contains(with, "\x1b[31mFAIL\x1b[0m") || escapes.ReplaceAllString(with, "") != without {
		t.Errorf("with colours:\n%s\nwithout:\n%s", with, without)
	}
}

func printed(term Terminal) string {
	var b bytes.Buffer
	term.W = &b
	s := sample()
	term.Header(s, 4)
	for _, f := range s.Features {
		for _, sc := range f.Scenarios {
			term.Progress(f.Name, sc)
		}
	}
	term.End(s)
	_ = term.Table(s)
	return b.String()
}

func TestTheTerminalTellsAFailureWholeAndCountsLast(t *testing.T) {
	text := printed(Terminal{})
	for _, want := range []string{
		"asba: 4 scenarios on localstack-host at http://127.0.0.1:1 (LocalStack 4.14.0, no container engine), tags ~@slow, in random order of seed 7\n",
		"FAIL  Gangs: whole or gone / it <breaks> & \"ends\" (250ms)\n",
		"\nFAILED Gangs: whole or gone / it <breaks> & \"ends\"\n  alone: f/gang.feature:20 (the row of line 24)\n  passed     Given the execution plan \"gang.json\"\n  failed     When it fails\n             no capacity\n             in any zone\n  not run    Then it works\n  | $ aws-slurm-burst-resume n1  -> exit 5\n",
		"\nFAILED Other: leaves something behind\n  alone: f/other.feature:2\n  passed     When it works\n  2 instances left\n",
		"left out: 1, not on localstack: has-no-placement-groups\nnot selected by tags ~@slow: 1\n",
		"\nscenarios: 1 passed, 3 failed, 1 skipped\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the terminal does not say\n%s", want)
		}
	}
	if strings.Contains(printed(Terminal{}), "\x1b") {
		t.Error("escapes")
	}
	s := hostile("\x1b[2Jwiped\x07")
	var b bytes.Buffer
	term := Terminal{W: &b}
	term.Header(s, 1)
	term.Progress("f\x1b[2J", s.Features[0].Scenarios[0])
	term.End(s)
	_ = term.Table(s)
	if strings.ContainsAny(b.String(), "\x1b\x07") {
		t.Errorf("what a program said reaches the terminal: %q", b.String())
	}
}
