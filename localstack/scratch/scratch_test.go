package scratch

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ownerEnv makes this test binary a run that makes a folder and waits.
const ownerEnv = "ASBA_SCRATCH_OWNER"

func TestMain(m *testing.M) {
	if os.Getenv(ownerEnv) != "" {
		d, err := New("kind")
		if err != nil {
			fmt.Println("ERROR", err)
			os.Exit(1)
		}
		fmt.Println(d.Path)
		select {}
	}
	os.Exit(m.Run())
}

func TestFoldersOfRunsThatEndedAreRemovedByTheNext(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	owner := func() (*exec.Cmd, string) {
		t.Helper()
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), ownerEnv+"=1")
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
		line, err := bufio.NewReader(out).ReadString('\n')
		if path := strings.TrimSpace(line); err == nil && !strings.HasPrefix(path, "ERROR") {
			return c, path
		}
		t.Fatalf("the other run: %q, %v", line, err)
		return nil, ""
	}
	killed, its := owner()
	if err := os.WriteFile(filepath.Join(its, "left"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, alive := owner()
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()

	mine, err := New("kind")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(its); !os.IsNotExist(err) {
		t.Errorf("the folder of a run that was killed is still there: %v", err)
	}
	if _, err := os.Stat(alive); err != nil {
		t.Errorf("the folder of a run that lives is gone: %v", err)
	}
	if mine.Path == alive {
		t.Error("two runs share a folder")
	}
	second, err := New("kind") // of the same process
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(mine.Path); err != nil {
		t.Errorf("it took its own other folder: %v", err)
	}
	for _, d := range []*Dir{mine, second} {
		if err := d.Remove(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(d.Path); !os.IsNotExist(err) {
			t.Errorf("%s is still there", d.Path)
		}
	}
}

func TestAFolderThatCannotBeMadeIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", file)
	if d, err := New("kind"); err == nil {
		t.Errorf("made %s", d.Path)
	}
}

func TestAFolderThatOthersCouldHavePreparedIsRefused(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	if err := os.Mkdir(Root("open"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(Root("open"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), Root("linked")); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"open", "linked"} {
		if d, err := New(kind); err == nil || !strings.Contains(err.Error(), "not a folder of ours alone") {
			t.Errorf("%s: %v, %v", kind, d, err)
		}
	}
}
