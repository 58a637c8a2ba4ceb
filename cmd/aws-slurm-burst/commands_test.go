package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"aws-slurm-burst/cmd/internal/app"
)

// called runs the program inside the test. It must not be given features or
// replay, which would become another program.
func called(t *testing.T, out io.Writer, args ...string) (code int, stderr string) {
	t.Helper()
	var errs bytes.Buffer
	code = run(t.Context(), app.IO{Args: args, Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stdout: out, Stderr: &errs, Stop: t.Context()})
	return code, errs.String()
}

var (
	commandLine = regexp.MustCompile(`(?m)^  ([a-z0-9-]+) {2,}\S`)
	flagName    = regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[a-z-]+)`)
)

// helpOf returns what --help prints, and the commands it lists.
func helpOf(t *testing.T, command ...string) (text string, below []string) {
	t.Helper()
	var out bytes.Buffer
	if code, stderr := called(t, &out, append(command, "--help")...); code != 0 || stderr != "" {
		t.Fatalf("%v --help: exit %d, %s", command, code, stderr)
	}
	_, list, found := strings.Cut(out.String(), "Available Commands:\n")
	if !found {
		return out.String(), nil
	}
	list, _, _ = strings.Cut(list, "\n\n")
	for _, m := range commandLine.FindAllStringSubmatch(list, -1) {
		if m[1] != "help" {
			below = append(below, m[1])
		}
	}
	return out.String(), below
}

func TestEveryCommandAndFlagIsDocumented(t *testing.T) {
	data, err := os.ReadFile("../../docs/CLI.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	seen := 0
	var look func(command []string)
	look = func(command []string) {
		text, below := helpOf(t, command...)
		for _, name := range below {
			next := append(append([]string{}, command...), name)
			if name == "features" || name == "replay" {
				continue // the lab's: its own help tells of them
			}
			look(next)
		}
		if len(command) == 0 || len(below) > 0 {
			return
		}
		seen++
		name := strings.Join(command, " ")
		if !strings.Contains(page, "aws-slurm-burst "+name) {
			t.Errorf("docs/CLI.md has no aws-slurm-burst %s", name)
		}
		for _, m := range flagName.FindAllStringSubmatch(text, -1) {
			if m[1] != "--help" && m[1] != "--output" && !strings.Contains(page, m[1]) { // -o is its name there
				t.Errorf("docs/CLI.md has no %s of aws-slurm-burst %s", m[1], name)
			}
		}
	}
	look(nil)
	if seen < 4 {
		t.Errorf("only %d commands were looked at", seen)
	}
}

func TestAMisspeltCommandIsNotDone(t *testing.T) {
	for line, want := range map[string]string{
		"simulatte run":         `"simulatte" for "aws-slurm-burst" (did you mean simulate?)`,
		"--x simulate":          `flag: --x (see aws-slurm-burst --help)`,
		"simulate run --trce":   `flag: --trce (see aws-slurm-burst simulate run --help)`,
		"zzzzzzzz":              `"zzzzzzzz" for "aws-slurm-burst" (see aws-slurm-burst --help)`,
		"simulate rum s.yaml":   `"rum" for "aws-slurm-burst simulate" (did you mean run?)`,
		"catalog shwo c6i.huge": `"shwo" for "aws-slurm-burst catalog" (did you mean show?)`,
	} {
		want = strings.Replace("ERROR: unknown command "+want+"\n", "command flag", "flag", 1)
		if code, stderr := called(t, io.Discard, strings.Fields(line)...); code != 2 || stderr != want {
			t.Errorf("%s: exit %d, %q", line, code, stderr)
		}
	}
	for _, args := range [][]string{{"simulate"}, {"catalog", "--help"}, {"help", "catalog"}} {
		if code, stderr := called(t, io.Discard, args...); code != 0 || stderr != "" {
			t.Errorf("%q: exit %d, %q", args, code, stderr)
		}
	}
}

// full is a stdout on a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAHelpThatCouldNotBeWrittenIsAFailure(t *testing.T) {
	if code, stderr := called(t, full{}, "--help"); code != 1 || stderr != "ERROR: the output is not whole: no space left on device\n" {
		t.Errorf("exit %d, %q", code, stderr)
	}
}
