package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aws-slurm-burst/executor/plansource"
)

// Dir keeps small files: the journal and the caches. It makes its folders with
// mode 0700 and its files with 0600, since user data can hold secrets.
type Dir string

// light are the folders whose newest files a power failure may take: caches,
// answers of the advisor, and copies of calls, which nothing relies on. Bringing a file to the disk can
// take longer than all else a call does.
var light = []string{"cache/", "calls/", "asked/"}

// path checks a name, which is FILE or FOLDER/FILE.
func (d Dir) path(name string) (string, error) {
	if !fs.ValidPath(name) || strings.Count(name, "/") > 1 {
		return "", fmt.Errorf("%q is no name for a file in %s", name, string(d))
	}
	return filepath.Join(string(d), filepath.FromSlash(name)), nil
}

// Read returns a file, or fs.ErrNotExist.
func (d Dir) Read(name string) ([]byte, error) {
	path, err := d.path(name)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// Write replaces a file as a whole or not at all.
func (d Dir) Write(name string, data []byte) error {
	path, err := d.path(name)
	if err != nil {
		return err
	}
	sync := !slices.ContainsFunc(light, func(folder string) bool { return strings.HasPrefix(name, folder) })
	err = writeAtomic(path, data, 0o600, sync)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		err = writeAtomic(path, data, 0o600, sync)
	}
	return err
}

// Remove removes a file, or answers fs.ErrNotExist.
func (d Dir) Remove(name string) error {
	path, err := d.path(name)
	if err != nil {
		return err
	}
	return os.Remove(path)
}

// List returns the names FOLDER/FILE in a folder, sorted; none where the
// folder does not exist. Files that are being written are not listed.
func (d Dir) List(folder string) ([]string, error) {
	path, err := d.path(folder)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, folder+"/"+e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// WriteAtomic writes a file aside, brings it to the disk and renames it.
func WriteAtomic(path string, data []byte, mode fs.FileMode) error {
	return writeAtomic(path, data, mode, true)
}

func writeAtomic(path string, data []byte, mode fs.FileMode, sync bool) error {
	return writeAside(path, data, sync, func(f *os.File) error { return f.Chmod(mode) })
}

// writeAside writes a file aside, has it made ready, and renames it.
func writeAside(path string, data []byte, sync bool, ready func(*os.File) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = ready(f); err != nil {
		return err
	}
	// An intent that a power failure loses would be an instance that nobody
	// claims until the next look at EC2's tags.
	if sync {
		if err = f.Sync(); err != nil {
			return err
		}
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// PlanFiles reads plan files.
type PlanFiles struct {
	// SlurmUser is the uid that slurmctld runs as, -1 where it is not known.
	SlurmUser int
}

var _ plansource.Files = PlanFiles{}

// ReadPlan reads a regular file of at most limit bytes. A pipe in its place
// never makes us wait, and what is said of its owner is said of the very file
// that was read.
func (p PlanFiles) ReadPlan(_ context.Context, path string, limit int64) ([]byte, plansource.FileInfo, error) {
	var info plansource.FileInfo
	f, st, err := openRegular(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, info, fmt.Errorf("%w: %s", plansource.ErrNotFound, path)
	case errors.Is(err, errNotRegular):
		return nil, info, fmt.Errorf("%w: %s", plansource.ErrNotRegular, path)
	case err != nil:
		return nil, info, fmt.Errorf("%w: %w", plansource.ErrUnreadable, err)
	}
	defer func() { _ = f.Close() }()
	info.UID = ownerOf(st)
	info.OwnedByRootOrSelf = owned(st) || p.SlurmUser >= 0 && info.UID == p.SlurmUser
	info.WorldWritable = st.Mode().Perm()&0o002 != 0
	data, err := readAtMost(f, limit)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, info, fmt.Errorf("%w: %s", plansource.ErrTooLarge, path)
	case err != nil:
		return nil, info, fmt.Errorf("%w: %w", plansource.ErrUnreadable, err)
	}
	return data, info, nil
}
