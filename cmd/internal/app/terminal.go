package app

import (
	"io"

	"github.com/mattn/go-isatty"
	"golang.org/x/sys/unix"
)

// Terminal reports whether a stream is a terminal.
func Terminal(stream any) bool {
	f, ok := stream.(interface{ Fd() uintptr })
	return ok && isatty.IsTerminal(f.Fd())
}

// Colors reports whether colours are wanted on w: only on a terminal, and not
// where NO_COLOR is set or TERM says that there are none.
func Colors(w io.Writer, getenv func(string) string) bool {
	return Terminal(w) && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

// Columns is how wide a terminal is, 0 where that is not known.
func Columns(w io.Writer) int {
	f, ok := w.(interface{ Fd() uintptr })
	if !ok {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
