package host

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aws-slurm-burst/executor/env"
)

// stdioChild is a program whose standard streams may be closed: it opens a file
// and speaks, and what it says must not be in the file.
func stdioChild() {
	for fd := range 3 { // whatever Go's own start did about it
		_ = syscall.Close(fd)
	}
	ReopenStdio()
	f, err := os.Create(os.Getenv("HOST_TEST_FILE"))
	if err != nil {
		os.Exit(3)
	}
	_, _ = fmt.Println("on stdout")
	env.Warnf(NewEnv(os.TempDir(), NewLog(os.Stderr)), "w", "on stderr")
	if n, err := os.Stdin.Read(make([]byte, 1)); n != 0 || err == nil {
		os.Exit(4)
	}
	_, _ = fmt.Fprintf(f, "fd over 2: %v\n", f.Fd() > 2)
	os.Exit(0)
}

func TestClosedStandardStreamsBecomeNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record")
	if out, err := child(t, "stdio", "HOST_TEST_FILE="+path).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	data, err := os.ReadFile(path)
	if err != nil || string(data) != "fd over 2: true\n" {
		t.Errorf("%q %v", data, err)
	}
}

func TestOpenStandardStreamsStayAsTheyAre(t *testing.T) {
	before, err := os.Readlink("/proc/self/fd/1")
	if err != nil {
		t.Skip("no /proc here")
	}
	ReopenStdio()
	if after, _ := os.Readlink("/proc/self/fd/1"); after != before {
		t.Errorf("stdout was %s, is %s", before, after)
	}
}

// pipeChild writes to streams whose reader has gone, and goes on.
func pipeChild() {
	IgnoreSIGPIPE()
	e := NewEnv(os.TempDir(), NewLog(os.Stderr))
	for range 3 {
		_, _ = fmt.Println("nobody reads this")
		env.Errorf(e, "e", "nor this")
	}
	_ = os.WriteFile(os.Getenv("HOST_TEST_FILE"), []byte("done"), 0o600)
	os.Exit(0)
}

func TestABrokenPipeEndsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := child(t, "pipe", "HOST_TEST_FILE="+path)
	c.Stdout, c.Stderr = w, w
	_ = r.Close()
	if err := c.Run(); err != nil {
		t.Error(err)
	}
	_ = w.Close()
	if data, _ := os.ReadFile(path); string(data) != "done" {
		t.Errorf("%q", data)
	}
}

// script writes a program for a test.
func script(t *testing.T, text string) string {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell here")
	}
	path := filepath.Join(t.TempDir(), "scontrol")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+strings.TrimSpace(text)+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}
