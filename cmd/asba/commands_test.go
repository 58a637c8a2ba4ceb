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

// called runs the program inside the test.
func called(t *testing.T, out io.Writer, args ...string) (code int, stderr string) {
	t.Helper()
	var errs bytes.Buffer
	code = run(t.Context(), app.IO{Args: args, Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stdout: out, Stderr: &errs, Stop: t.Context()})
	return code, errs.String()
}

var (
	commandLine = regexp.MustCompile(`(?m)^  ([a-z0-9-]+) +\S`)
	flagName    = regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[a-z-]+)`)
)

func help(t *testing.T, command ...string) string {
	t.Helper()
	var out bytes.Buffer
	if code, stderr := called(t, &out, append(command, "--help")...); code != 0 || stderr != "" {
		t.Fatalf("%v --help: exit %d, %s", command, code, stderr)
	}
	return out.String()
}

func TestEveryCommandAndFlagIsDocumented(t *testing.T) {
	data, err := os.ReadFile("../../docs/CLI.md")
	if err != nil {
		t.Fatal(err)
	}
	_, page, _ := strings.Cut(string(data), "\n## The advisor\n")
	page, _, _ = strings.Cut(page, "\n## ")
	_, list, _ := strings.Cut(help(t), "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	seen := 0
	for _, m := range commandLine.FindAllStringSubmatch(list, -1) {
		if m[1] == "help" {
			continue
		}
		seen++
		if !strings.Contains(page, "`asba "+m[1]) {
			t.Errorf("docs/CLI.md has no asba %s", m[1])
		}
		for _, f := range flagName.FindAllStringSubmatch(help(t, m[1]), -1) {
			if f[1] != "--help" && f[1] != "--output" && !strings.Contains(page, f[1]) { // -o is its name where it is a format
				t.Errorf("docs/CLI.md has no %s of asba %s", f[1], m[1])
			}
		}
	}
	if seen < 3 {
		t.Errorf("only %d commands were looked at", seen)
	}
}

// full is a stdout on a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAnAdviceThatCouldNotBeWrittenIsAFailure(t *testing.T) {
	for _, args := range [][]string{{"recommend-instances"}, {"recommend-instances", "-o", "json"}, {"--help"}} {
		if code, stderr := called(t, full{}, args...); code != 1 || stderr != "ERROR: the output is not whole: no space left on device\n" {
			t.Errorf("%v: exit %d, %q", args, code, stderr)
		}
	}
}
