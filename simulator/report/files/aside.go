package files

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// aside is a file that is written beside its place. It has no name until it is
// whole, where the file system knows such files: then it is gone with the process,
// whatever ends that.
type aside struct {
	*os.File
	path    string // "" for none yet
	beside  string // what path begins with
	unnamed bool
}

func newAside(place string) (*aside, error) {
	a := &aside{beside: filepath.Join(filepath.Dir(place), "."+filepath.Base(place)+"-")}
	if a.File = unnamed(filepath.Dir(place)); a.File != nil {
		a.unnamed = true
		return a, nil
	}
	var err error
	if a.File, err = os.CreateTemp(filepath.Dir(place), filepath.Base(a.beside)+"*"); err != nil {
		return nil, err
	}
	a.path = a.Name()
	return a, nil
}

// whole closes the file when all of it is on the disk, under a name.
func (a *aside) whole() error {
	err := errors.Join(a.Chmod(0o644), a.Sync())
	for a.unnamed && a.path == "" && err == nil {
		path := fmt.Sprintf("%s%d", a.beside, rand.Uint64())
		if err = name(a.File, path); err == nil {
			a.path = path
		} else if errors.Is(err, os.ErrExist) {
			err = nil
		}
	}
	return errors.Join(err, a.Close())
}

// abort leaves nothing of it.
func (a *aside) abort() {
	_ = a.Close() // may be closed already
	if a.path != "" {
		_ = os.Remove(a.path)
	}
}
