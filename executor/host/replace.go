package host

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrChanged is the error of Replace about a file that somebody has written
// since it was read.
var ErrChanged = errors.New("it has changed since it was read")

// Replace gives a file another text, as a whole or not at all, where it still
// holds the old one. The file keeps its mode and its owner; of a link, the file
// that it leads to is replaced.
func Replace(path string, old, text []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	f, st, err := openRegular(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	data, err := readAtMost(f, int64(len(old)))
	if errors.Is(err, errTooLarge) || err == nil && !bytes.Equal(data, old) {
		return fmt.Errorf("%s: %w", path, ErrChanged)
	}
	if err != nil {
		return err
	}
	return writeAside(path, text, true, func(aside *os.File) error {
		mine, err := aside.Stat()
		if err != nil {
			return err
		}
		was, ok := st.Sys().(*syscall.Stat_t)
		is, ok2 := mine.Sys().(*syscall.Stat_t)
		if ok && ok2 && (was.Uid != is.Uid || was.Gid != is.Gid) {
			if err := aside.Chown(int(was.Uid), int(was.Gid)); err != nil {
				return fmt.Errorf("%s cannot keep its owner: %w", path, err)
			}
		}
		if err := aside.Chmod(st.Mode()); err != nil {
			return err
		}
		now, err := os.Lstat(path)
		if err != nil {
			return err
		}
		if !os.SameFile(st, now) || now.Size() != st.Size() || !now.ModTime().Equal(st.ModTime()) {
			return fmt.Errorf("%s: %w", path, ErrChanged)
		}
		return nil
	})
}
