package files

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// unnamed makes a file in a folder that has no name there, nil where the file
// system or this machine has no such files: then that is no error.
func unnamed(dir string) *os.File {
	if _, err := os.Stat(descriptors); err != nil {
		return nil // it could never be named
	}
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), dir)
}

// descriptors is where a process finds its open files.
const descriptors = "/proc/self/fd"

// name gives such a file a name, which nothing else may have.
func name(f *os.File, path string) error {
	err := unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("%s/%d", descriptors, f.Fd()), unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW)
	if err != nil {
		return &os.LinkError{Op: "link", Old: f.Name(), New: path, Err: err}
	}
	return nil
}
