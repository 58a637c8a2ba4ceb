// Package app is what the programs share: the way from arguments, environment
// and files to an Executor, and from its report to the terminal. The programs
// themselves only name their flags.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"aws-slurm-burst/executor/host"
)

// Version is set by the linker (make build).
var Version = "development"

// IO is a program's surroundings.
type IO struct {
	Args           []string // without the program's name
	Getenv         func(string) string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Stop is done once the program was told to stop. The context of the run
	// itself ends only grace later, so that calls under way get their answers.
	Stop context.Context
}

// grace is how long calls under way may take once we were told to stop:
// slurmctld waits ten seconds before it leaves its programs behind.
const grace = 8 * time.Second

// Main runs a program and ends the process with its exit code. It mends closed
// standard streams first, so that no file of ours ever becomes one of them.
func Main(run func(context.Context, IO) int) {
	host.ReopenStdio()
	host.IgnoreSIGPIPE()
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // by nohup, say: then the terminal may go
		signals = append(signals, syscall.SIGHUP)
	}
	told, forget := signal.NotifyContext(context.Background(), signals...)
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(told, func() { time.AfterFunc(grace, cancel) })
	code := run(ctx, IO{Args: os.Args[1:], Getenv: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Stop: told})
	forget()
	os.Exit(code)
}

// ExitError is an error with an exit code of its own.
type ExitError struct {
	Code int
	Err  error
}

// Error returns the text of the cause.
func (e *ExitError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ExitError) Unwrap() error { return e.Err }

// Exitf builds an ExitError.
func Exitf(code int, format string, args ...any) error {
	return &ExitError{code, fmt.Errorf(format, args...)}
}

// Fail prints an error as one line and returns its exit code: its own, else 2,
// because what has none is a mistake on the command line.
func Fail(stderr io.Writer, err error) int {
	// A closed stderr cannot be told about itself.
	for line := range strings.Lines(err.Error()) { // several where a file has several mistakes
		_, _ = fmt.Fprintf(stderr, "ERROR: %s\n", strings.TrimSuffix(line, "\n"))
	}
	var e *ExitError
	if errors.As(err, &e) {
		return e.Code
	}
	return 2
}
