// Package scratch makes folders for runs that may be killed at any time: each is
// locked while its run lives, and whoever makes the next one removes those whose
// run has ended. It knows nothing of what is in them.
package scratch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Dir is the folder of a run.
type Dir struct {
	Path string
	lock *os.File
}

// Root is where the folders of a kind of run are: each user has their own.
func Root(kind string) string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("%s-%d", kind, os.Geteuid()))
}

// New makes a folder for a run of this kind, after it has removed those of runs
// that have ended. It is locked until Remove, or until the process ends,
// whatever ends it. What of an old folder cannot be removed is left for the next
// run: it is files alone.
func New(kind string) (*Dir, error) {
	root := Root(kind)
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	// In a shared folder somebody else may have made it first.
	st, err := os.Lstat(root)
	if err != nil {
		return nil, err
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); !ok || !st.IsDir() || int(sys.Uid) != os.Geteuid() || st.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("%s is not a folder of ours alone: remove it, or set TMPDIR", root)
	}
	// One at a time: a folder that is made and not yet locked has no owner.
	turn, err := lock(root, syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer turn.Close()
	old, err := filepath.Glob(filepath.Join(root, "run-*"))
	if err != nil {
		return nil, err
	}
	for _, dir := range old {
		if held, err := lock(dir, syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			_ = os.RemoveAll(dir)
			held.Close()
		}
	}
	path, err := os.MkdirTemp(root, "run-")
	if err != nil {
		return nil, err
	}
	held, err := lock(path, syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	return &Dir{Path: path, lock: held}, nil
}

// Remove removes the folder with all that is in it.
func (d *Dir) Remove() error {
	err := os.RemoveAll(d.Path)
	return errors.Join(err, d.lock.Close())
}

func lock(dir string, how int) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return f, nil
}
