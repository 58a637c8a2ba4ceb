package localstack

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// bare is a folder for PATH that has what image.sh calls of any system, and the
// given scripts.
func bare(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, tool := range []string{"bash", "sh", "dirname", "sha256sum", "cut", "timeout", "tr", "awk", "id", "flock", "mkdir", "mountpoint", "rm", "grep", "tail", "cat"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Skipf("image.sh is for Debian: %v", err)
		}
		if err := os.Symlink(path, filepath.Join(dir, tool)); err != nil {
			t.Fatal(err)
		}
	}
	for name, script := range scripts {
		file := filepath.Join(dir, name)
		_ = os.Remove(file)
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runImage runs a copy of image.sh in a repository of its own.
func runImage(t *testing.T, path string, env []string, args ...string) (stdout, stderr string, ok bool) {
	t.Helper()
	here := filepath.Join(t.TempDir(), "localstack")
	if err := os.Mkdir(here, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"image.sh", "requirements.txt"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(here, name), data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(here, "install.sh"), []byte("#!/bin/sh\necho \"install.sh $*\" >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", append([]string{filepath.Join(here, "image.sh")}, args...)...)
	cmd.Env = append([]string{"PATH=" + path, "ASBA_DOCKER=docker"}, env...)
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

// engineWith answers as a docker client whose engine has an image with these
// labels; where they are empty it has none.
func engineWith(labels string) string {
	return `case "$*" in
version*) echo 20.10.24 ;;
"image inspect"*) test -n "` + labels + `" || exit 1; echo "` + labels + `" ;;
*) echo "docker $*" >>"$0.asked" ;;
esac`
}

func TestImageSaysInOneLineWhatIsMissing(t *testing.T) {
	noImage := engineWith("")
	root := "echo 0"
	for _, tc := range []struct {
		name    string
		scripts map[string]string
		says    string
	}{
		{"no docker", nil, "apt-get install docker.io"},
		{"engine not running", map[string]string{"docker": "echo 'Cannot connect to the Docker daemon' >&2; exit 1"}, "service docker start"},
		{"not permitted", map[string]string{"docker": "echo 'permission denied while trying to connect' >&2; exit 1"}, "member of the group docker"},
		{"not root", map[string]string{"docker": noImage, "id": "echo 1000"}, "sudo make localstack-image"},
		{"no debootstrap", map[string]string{"docker": noImage, "id": root}, "apt-get install debootstrap"},
		{"no mirror", map[string]string{"docker": noImage, "id": root, "debootstrap": "exit 1", "apt-get": "echo 'trixie trixie main http://mirror.example/debian/'"}, "ASBA_DEBIAN_MIRROR"},
		{"an older lock, and no environment", map[string]string{"docker": engineWith("0000 0000"), "id": root, "debootstrap": "exit 1",
			"apt-get":    "echo 'oldstable bookworm main http://mirror.example/debian/'",
			"apt-config": "exit 0"}, "install.sh "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, stderr, ok := runImage(t, bare(t, tc.scripts), nil)
			if ok || !strings.Contains(stderr, tc.says) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("ok %v, stderr %q, want one line with %q", ok, stderr, tc.says)
			}
		})
	}
}

func TestImageIsLeftAloneWhereItIsUpToDateOrSomebodyElses(t *testing.T) {
	recipe, err := exec.Command("sha256sum", "image.sh").Output()
	if err != nil {
		t.Skip(err)
	}
	digest, _, _ := strings.Cut(string(recipe), " ")
	for _, tc := range []struct{ name, labels, says string }{
		{"up to date", LockDigest() + " " + digest, "already up to date"},
		{"somebody else's", " ", "was not made here"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := bare(t, map[string]string{"docker": engineWith(tc.labels), "id": "echo 1000"})
			out, stderr, ok := runImage(t, path, nil)
			if !ok || !strings.Contains(out, tc.says) {
				t.Errorf("ok %v, %q, %q", ok, out, stderr)
			}
			if asked, err := os.ReadFile(filepath.Join(path, "docker.asked")); err == nil {
				t.Errorf("the engine was asked for more: %s", asked)
			}
		})
	}
}

func TestCleanRemovesOurContainersAndOurImageAndNoneElse(t *testing.T) {
	for _, tc := range []struct {
		name, labels string
		image        bool
	}{
		{"ours", "1 2", true}, {"somebody else's", " ", false}, {"none", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := bare(t, map[string]string{"docker": `case "$*" in
"ps -aq --filter label=aws-slurm-burst.container") echo "docker $*" >>"$0.asked"; printf 'c1\nc2\n'; exit ;;
esac
` + engineWith(tc.labels)})
			if out, stderr, ok := runImage(t, path, nil, "--clean"); !ok {
				t.Fatalf("%s%s", out, stderr)
			}
			asked, err := os.ReadFile(filepath.Join(path, "docker.asked"))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(asked), "docker rm -fv c1 c2\n") {
				t.Errorf("the containers were not removed: %s", asked)
			}
			if got := strings.Contains(string(asked), "docker image rm -f localstack/localstack:4.14.0"); got != tc.image {
				t.Errorf("image removed: %v\n%s", got, asked)
			}
		})
	}
	if out, stderr, ok := runImage(t, bare(t, nil), nil, "--clean"); !ok || out+stderr != "" {
		t.Errorf("without an engine: ok %v, %s%s", ok, out, stderr)
	}
}
