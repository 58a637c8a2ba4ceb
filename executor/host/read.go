package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

var (
	errNotRegular = errors.New("not a regular file")
	errTooLarge   = errors.New("too large")
)

// openRegular opens a regular file to read. A pipe in its place never makes us
// wait, and what is returned about the file is of the very one that was opened.
func openRegular(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is %w", path, errNotRegular)
	}
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, st, nil
}

// readAtMost reads a whole file, however large it says it is: files under
// /proc have size 0, and a file may grow.
func readAtMost(f *os.File, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is %w: more than %d bytes", f.Name(), errTooLarge, limit)
	}
	return data, err
}

// ReadFile reads a regular file (or what looks like one: slurmctld's resume
// file is an anonymous file under /proc) of at most limit bytes.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, _, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readAtMost(f, limit)
}

// ownerOf returns the uid of a file's owner, -1 where the system has none.
func ownerOf(st fs.FileInfo) int {
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		return int(sys.Uid)
	}
	return -1
}

// owned reports whether a file belongs to root or to us.
func owned(st fs.FileInfo) bool {
	uid := ownerOf(st)
	return uid == 0 || uid >= 0 && uid == os.Geteuid()
}
