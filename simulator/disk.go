package simulator

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"aws-slurm-burst/executor/env"
)

// Disk keeps small files in memory, as a machine's disk keeps them: what a
// process wrote is there after it crashed. It serves the executor's journal and
// caches, who do not change what they have read.
type Disk struct {
	folders map[string]*folder
	// Full refuses every write.
	Full bool
}

// folder is the files of a folder, by whole name. names is sorted: a journal is
// listed as often as it is written.
type folder struct {
	files map[string][]byte
	names []string
}

// NewDisk returns an empty disk.
func NewDisk() *Disk { return &Disk{folders: map[string]*folder{}} }

// folder returns the folder of a file, or of none where nothing was written to it.
func (d *Disk) folder(name string) *folder {
	if at := d.folders[name[:max(0, strings.LastIndexByte(name, '/'))]]; at != nil {
		return at
	}
	return &folder{}
}

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
	data, ok := f.disk.folder(name).files[name]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return data, nil
}

// Write replaces a file as a whole.
func (f *Files) Write(name string, data []byte) error {
	Enter(f.env, "Write")
	if f.disk.Full {
		return &fs.PathError{Op: "write", Path: name, Err: fmt.Errorf("no space left on device")}
	}
	in := f.disk.folder(name)
	if in.files == nil {
		in.files = map[string][]byte{}
		f.disk.folders[name[:max(0, strings.LastIndexByte(name, '/'))]] = in
	}
	if at, there := slices.BinarySearch(in.names, name); !there {
		in.names = slices.Insert(in.names, at, name)
	}
	in.files[name] = slices.Clone(data)
	Enter(f.env, "Written")
	return nil
}

// Remove removes a file, or answers fs.ErrNotExist.
func (f *Files) Remove(name string) error {
	Enter(f.env, "Remove")
	in := f.disk.folder(name)
	at, there := slices.BinarySearch(in.names, name)
	if !there {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	in.names = slices.Delete(in.names, at, at+1)
	delete(in.files, name)
	return nil
}

// List returns the names in a folder, sorted.
func (f *Files) List(folder string) ([]string, error) {
	Enter(f.env, "List")
	return f.disk.Names(folder), nil
}

// Names returns the names in a folder, sorted.
func (d *Disk) Names(folder string) []string {
	if in := d.folders[folder]; in != nil {
		return slices.Clone(in.names)
	}
	return nil
}
