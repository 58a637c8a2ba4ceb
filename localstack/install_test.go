package localstack

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// runInstaller runs install.sh with a stand-in for Python, so that nothing is
// fetched: what is tested is what the script does around pip.
func runInstaller(t *testing.T, dir, python string) (stdout, stderr string, ok bool) {
	t.Helper()
	cmd := exec.Command("sh", "install.sh", dir)
	cmd.Env = append(os.Environ(), "ASBA_PYTHON="+python)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), string(exit.Stderr), false
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out), "", true
}

// fakePython answers the script's questions as Python 3.11 would, with the
// behaviour of one of them replaced by the given case branch.
func fakePython(t *testing.T, branch string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "python")
	script := `#!/bin/sh
case "$*" in
` + branch + `
*version_info*|*ensurepip*) exit 0 ;;
*hashlib*) sha256sum <"$3" | cut -d' ' -f1 ;;
"-m venv "*) mkdir -p "$3/bin"; echo home >"$3/pyvenv.cfg"; cp "$0" "$3/bin/python" ;;
"-m pip install "*) echo "$*" >"$(dirname "$0")/../pip-was-called" ;;
*) exit 9 ;;
esac
`
	if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestInstallerMakesAnEnvironmentOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "localstack")
	python := fakePython(t, "")
	if out, stderr, ok := runInstaller(t, dir, python); !ok || !strings.Contains(out, "Installed LocalStack 4.14.0 in "+dir) {
		t.Fatalf("first run: %s%s", out, stderr)
	}
	// The stamp is the one that Start looks for.
	if err := Installed(dir); err != nil {
		t.Error(err)
	}
	called := filepath.Join(dir, "pip-was-called")
	args, err := os.ReadFile(called)
	if err != nil || !strings.Contains(string(args), "--require-hashes") {
		t.Errorf("pip was called with %q, %v", args, err)
	}
	if err := os.Remove(called); err != nil {
		t.Fatal(err)
	}
	if out, _, ok := runInstaller(t, dir, python); !ok || !strings.Contains(out, "already in") {
		t.Errorf("second run: %s", out)
	}
	writeStamp(t, dir, []byte("another lock"))
	if out, _, ok := runInstaller(t, dir, python); !ok || !strings.Contains(out, "Installed") {
		t.Errorf("after the lock changed: %s", out)
	}
	if err := Installed(dir); err != nil {
		t.Error(err)
	}
}

func TestInstallerSaysInOneLineWhatIsMissing(t *testing.T) {
	for _, tc := range []struct{ name, python, says string }{
		{"no Python 3.11", "/nonexistent/python", "apt-get install python3 python3-venv"},
		{"another Python", fakePython(t, "*version_info*) exit 1 ;;"), "no Python 3.11 found"},
		{"no venv", fakePython(t, "*ensurepip*) exit 1 ;;"), "apt-get install python3-venv"},
		{"no network", fakePython(t, `"-m pip install "*) exit 1 ;;`), "check the network"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "localstack")
			_, stderr, ok := runInstaller(t, dir, tc.python)
			if ok || !strings.Contains(stderr, tc.says) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("ok %v, stderr %q, want one line with %q", ok, stderr, tc.says)
			}
			if err := Installed(dir); err == nil {
				t.Error("what was cut short is taken for installed")
			}
		})
	}
}

func TestInstallerLeavesAStrangersFolderAlone(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "thesis.tex")
	if err := os.WriteFile(mine, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, stderr, ok := runInstaller(t, dir, fakePython(t, "")); ok || !strings.Contains(stderr, "not empty") {
		t.Errorf("ok %v, stderr %q", ok, stderr)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
}
