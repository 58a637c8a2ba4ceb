package host

import (
	"os"
	"os/signal"
	"syscall"
)

// ReopenStdio opens /dev/null on each standard descriptor that is closed, so
// that no file opened later becomes one of them: slurmctld up to 22.05 starts
// its programs with all three closed. Call it first.
func ReopenStdio() {
	for fd := range 3 {
		var st syscall.Stat_t
		if syscall.Fstat(fd, &st) != syscall.EBADF {
			continue
		}
		// The lowest free descriptor is fd itself, since those below are open.
		if got, err := syscall.Open(os.DevNull, syscall.O_RDWR, 0); err == nil && got != fd {
			_ = syscall.Dup3(got, fd, 0)
			_ = syscall.Close(got)
		}
	}
}

// IgnoreSIGPIPE lets a write to a closed pipe fail instead of ending us. For
// descriptors 1 and 2 Go's runtime would end the process.
func IgnoreSIGPIPE() { signal.Ignore(syscall.SIGPIPE) }
