package blackbox

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// shown is a command of a page, and what the page says that it prints.
type shown struct {
	line    int
	command string
	prints  []string
}

// session reads the console blocks of a page: "$ " begins a command, "> " goes on
// with it.
func session(page string) (all []shown) {
	inside := false
	for i, line := range strings.Split(page, "\n") {
		rest, begins := strings.CutPrefix(line, "$ ")
		more, goesOn := strings.CutPrefix(line, "> ")
		last := len(all) - 1
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case !inside:
		case begins:
			all = append(all, shown{line: i + 1, command: rest})
		case goesOn && len(all[last].prints) == 0:
			all[last].command += "\n" + more
		default:
			all[last].prints = append(all[last].prints, line)
		}
	}
	return all
}

// matches reports whether a line is what the page says; "..." is anything, and
// blanks of a table's columns are as many as they need to be.
func matches(want, got string) bool {
	words := strings.Fields(want)
	for i, w := range words {
		words[i] = strings.ReplaceAll(regexp.QuoteMeta(w), `\.\.\.`, `\S*`)
	}
	return regexp.MustCompile(`^\s*` + strings.Join(words, `\s+`) + `\s*$`).MatchString(got)
}

// freePort is one that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// docs/ASBA.md is run from its first command to its last, in one shell, as a
// reader of a fresh clone would, but on ports that are free.
func TestThePageOnASBAIsWhatHappens(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(repo, "docs/ASBA.md"))
	if err != nil {
		t.Fatal(err)
	}
	clone := t.TempDir()
	if err := os.CopyFS(filepath.Join(clone, "examples"), os.DirFS(filepath.Join(repo, "examples"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(bin, filepath.Join(clone, "bin")); err != nil {
		t.Fatal(err)
	}
	ports := strings.NewReplacer("4566", freePort(t), "8080", freePort(t))
	config := filepath.Join(clone, "examples/config.yaml")
	text, err := os.ReadFile(config)
	if err == nil {
		err = os.WriteFile(config, []byte(ports.Replace(string(text))), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	all := session(ports.Replace(string(page)))
	if len(all) < 30 {
		t.Fatalf("the page has %d commands", len(all))
	}

	const mark = "-- command "
	var script strings.Builder
	script.WriteString("trap 'kill $(jobs -p) 2>/dev/null' EXIT\n")
	for i, c := range all {
		fmt.Fprintf(&script, "echo '%s%d'\n", mark, i)
		if strings.HasPrefix(c.command, "make ") { // it has been made
			continue
		}
		fmt.Fprintf(&script, "%s\n", c.command)
		if log, ok := strings.CutSuffix(c.command, " 2>&1 &"); ok { // its first line says that it is there
			_, log, _ = strings.Cut(log, " >")
			fmt.Fprintf(&script, "for i in $(seq 200); do [ -s %s ] && break; sleep 0.05; done\n", log)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-c", script.String())
	shell.Dir = clone
	shell.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + clone, "TMPDIR=" + t.TempDir(), "LC_ALL=C"}
	shell.WaitDelay = 5 * time.Second
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	printed := make([][]string, len(all))
	at := -1
	for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\n"), "\n") {
		if _, err := fmt.Sscanf(line, mark+"%d", &at); err == nil {
			continue
		}
		if at < 0 {
			t.Fatalf("before the first command: %s", line)
		}
		printed[at] = append(printed[at], line)
	}
	if at != len(all)-1 {
		t.Fatalf("it ended with command %d of %d", at+1, len(all))
	}
	for i, c := range all {
		same := len(c.prints) == len(printed[i])
		for j := 0; same && j < len(c.prints); j++ {
			same = matches(c.prints[j], printed[i][j])
		}
		if !same {
			t.Errorf("docs/ASBA.md:%d: $ %s\nprints\n%s\nand the page says\n%s", c.line, c.command, strings.Join(printed[i], "\n"), strings.Join(c.prints, "\n"))
		}
	}
}
