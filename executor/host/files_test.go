package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/plansource"
)

var _ journal.Store = Dir("")

func TestADirKeepsFiles(t *testing.T) {
	root := filepath.Join(t.TempDir(), "state")
	d := Dir(root)
	if _, err := d.Read("launches/a.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := d.Remove("launches/a.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if names, err := d.List("launches"); names != nil || err != nil {
		t.Error(names, err)
	}
	for _, name := range []string{"launches/b.json", "launches/a.json", "cache/x", "top"} {
		for _, text := range []string{"first " + name, "second"} {
			if err := d.Write(name, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if data, err := d.Read(name); string(data) != "second" || err != nil {
			t.Errorf("%s: %q %v", name, data, err)
		}
	}
	// What a process left that died while it wrote.
	if err := os.WriteFile(filepath.Join(root, "launches", ".c.json.123"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	names, err := d.List("launches")
	if diff := cmp.Diff([]string{"launches/a.json", "launches/b.json"}, names); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if err := d.Remove("launches/a.json"); err != nil {
		t.Error(err)
	}
	if names, _ := d.List("launches"); len(names) != 1 {
		t.Error(names)
	}
	for path, want := range map[string]fs.FileMode{root: fs.ModeDir | 0o700, root + "/launches": fs.ModeDir | 0o700, root + "/launches/b.json": 0o600} {
		if st, err := os.Stat(path); err != nil || st.Mode() != want {
			t.Errorf("%s: %v %v", path, st.Mode(), err)
		}
	}
	for _, name := range []string{"", "/etc/passwd", "../x", "a/../b", "a/b/c", "a//b"} {
		if err := d.Write(name, nil); err == nil || !strings.Contains(err.Error(), "is no name") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestReadersSeeAWholeFile(t *testing.T) {
	d := Dir(t.TempDir())
	texts := []string{strings.Repeat("a", 1<<16), strings.Repeat("b", 1<<15)}
	if err := d.Write("calls/x", []byte(texts[0])); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, text := range texts {
		wg.Go(func() {
			for range 50 {
				if err := d.Write("calls/x", []byte(text)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 200 {
		data, err := d.Read("calls/x")
		if err != nil || string(data) != texts[0] && string(data) != texts[1] {
			t.Fatalf("%d bytes, %v", len(data), err)
		}
	}
	wg.Wait()
}

func TestAWriteThatFailsLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "plan.json")
	if err := os.MkdirAll(filepath.Join(target, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteAtomic(target, []byte("x"), 0o644); err == nil {
		t.Error("replaced a folder")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	ok := filepath.Join(dir, "ok")
	if err := WriteAtomic(ok, []byte("x"), 0o640); err != nil {
		t.Error(err)
	}
	if st, _ := os.Stat(ok); st.Mode() != 0o640 {
		t.Error(st.Mode())
	}
}

func TestReadPlan(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	good := write("good", "0123456789", 0o600)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(good, link); err != nil {
		t.Fatal(err)
	}
	stranger := write("stranger", "x", 0o644)
	self, owner := os.Geteuid(), os.Geteuid()
	strangers := os.Chown(stranger, 12345, -1) == nil // only root can
	if strangers {
		owner = 12345
	}
	strangerLink := filepath.Join(dir, "stranger-link")
	if err := os.Symlink(stranger, strangerLink); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		user       int
		text       string
		info       plansource.FileInfo
		err        error
	}{
		{name: "good", path: good, text: "0123456789", info: plansource.FileInfo{OwnedByRootOrSelf: true, UID: self}},
		{name: "a link to it", path: link, text: "0123456789", info: plansource.FileInfo{OwnedByRootOrSelf: true, UID: self}},
		{name: "anyone's", path: write("open", "x", 0o666), text: "x", info: plansource.FileInfo{OwnedByRootOrSelf: true, UID: self, WorldWritable: true}},
		{name: "a link to a stranger's", path: strangerLink, text: "x", info: plansource.FileInfo{OwnedByRootOrSelf: !strangers, UID: owner}},
		{name: "a stranger's", path: stranger, text: "x", info: plansource.FileInfo{OwnedByRootOrSelf: !strangers, UID: owner}},
		{name: "the Slurm user's", path: stranger, user: 12345, text: "x", info: plansource.FileInfo{OwnedByRootOrSelf: true, UID: owner}},
		{name: "too large", path: write("large", "0123456789a", 0o600), err: plansource.ErrTooLarge},
		{name: "missing", path: filepath.Join(dir, "missing"), err: plansource.ErrNotFound},
		{name: "a pipe", path: fifo, err: plansource.ErrNotRegular},
		{name: "a folder", path: dir, err: plansource.ErrNotRegular},
		{name: "below a file", path: good + "/x", err: plansource.ErrUnreadable},
		{name: "endless", path: "/dev/zero", err: plansource.ErrNotRegular},
	} {
		if c.user == 0 {
			c.user = -1
		}
		data, info, err := PlanFiles{SlurmUser: c.user}.ReadPlan(t.Context(), c.path, 10)
		if !errors.Is(err, c.err) || c.err == nil && (err != nil || string(data) != c.text || info != c.info) {
			t.Errorf("%s: %q %+v %v", c.name, data, info, err)
		}
	}
}
