package host

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestReplaceKeepsModeOwnerAndLink(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "plan.json"), filepath.Join(dir, "link.json")
	if err := os.WriteFile(file, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("plan.json", link); err != nil {
		t.Fatal(err)
	}
	uid := os.Getuid()
	if uid == 0 {
		uid = 65534
		if err := os.Chown(file, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	if err := Replace(link, []byte("old"), []byte("new")); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Lstat(link); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is none any more: %v, %v", st, err)
	}
	st, err := os.Stat(file)
	if err != nil || st.Mode().Perm() != 0o640 || ownerOf(st) != uid {
		t.Errorf("mode %v, owner %d, %v; want 0640 of %d", st.Mode(), ownerOf(st), err, uid)
	}
	if data, _ := os.ReadFile(file); string(data) != "new" {
		t.Errorf("it holds %q", data)
	}
}

func TestReplaceLeavesAloneWhatHasChanged(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "plan.json")
	for _, now := range []string{"other", "ol", "old and more"} {
		if err := os.WriteFile(file, []byte(now), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Replace(file, []byte("old"), []byte("new")); !errors.Is(err, ErrChanged) {
			t.Errorf("%q: %v", now, err)
		}
		if data, _ := os.ReadFile(file); string(data) != now {
			t.Errorf("%q was overwritten: %q", now, data)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("something is left behind: %v, %v", entries, err)
	}
	if err := Replace(filepath.Join(dir, "none"), nil, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
