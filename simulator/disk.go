package simulator

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"aws-slurm-burst/executor/env"
)

// Disk keeps small files in memory, as a machine's disk keeps them: what a
// process wrote is there after it crashed. It serves the executor's journal and
// caches.
type Disk struct {
	files map[string]map[string][]byte // by folder, then by whole name
	// Full refuses every write.
	Full bool
}

// NewDisk returns an empty disk.
func NewDisk() *Disk { return &Disk{files: map[string]map[string][]byte{}} }

// For returns the disk as one process sees it: its calls enter the engine, so
// that a dead process changes nothing and a crash can fall on either side of a
// write.
func (d *Disk) For(e env.Env) *Files { return &Files{d, e} }

// Files is a Disk in the hands of one process.
type Files struct {
	disk *Disk
	env  env.Env
}

// Read returns a file, or fs.ErrNotExist.
func (f *Files) Read(name string) ([]byte, error) {
	Enter(f.env, "Read")
	data, ok := f.disk.files[path.Dir(name)][name]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return slices.Clone(data), nil
}

// Write replaces a file as a whole.
func (f *Files) Write(name string, data []byte) error {
	Enter(f.env, "Write")
	if f.disk.Full {
		return &fs.PathError{Op: "write", Path: name, Err: fmt.Errorf("no space left on device")}
	}
	folder := path.Dir(name)
	if f.disk.files[folder] == nil {
		f.disk.files[folder] = map[string][]byte{}
	}
	f.disk.files[folder][name] = slices.Clone(data)
	Enter(f.env, "Written")
	return nil
}

// Remove removes a file, or answers fs.ErrNotExist.
func (f *Files) Remove(name string) error {
	Enter(f.env, "Remove")
	folder := f.disk.files[path.Dir(name)]
	if _, ok := folder[name]; !ok {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(folder, name)
	return nil
}

// List returns the names in a folder, sorted.
func (f *Files) List(folder string) ([]string, error) {
	Enter(f.env, "List")
	return f.disk.Names(folder), nil
}

// Names returns the names in a folder, sorted.
func (d *Disk) Names(folder string) []string { return slices.Sorted(maps.Keys(d.files[folder])) }
