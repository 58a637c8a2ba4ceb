package host

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aws-slurm-burst/executor/env"
)

// TestMain lets the test binary be the other process of a test.
func TestMain(m *testing.M) {
	switch os.Getenv("HOST_TEST_CHILD") {
	case "lock":
		e := NewEnv(os.Getenv("HOST_TEST_DIR"), NewLog(io.Discard))
		if _, err := e.Lock(context.Background(), "node-1"); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("locked")
		time.Sleep(time.Minute)
	case "stdio":
		stdioChild()
	case "pipe":
		pipeChild()
	default:
		os.Exit(m.Run())
	}
}

// child is the test binary in another role.
func child(t *testing.T, role string, more ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(append(os.Environ(), "HOST_TEST_CHILD="+role), more...)
	return c
}

func TestLocksExcludeGoroutines(t *testing.T) {
	e, _ := newTestEnv(t)
	// Atomic, because an advisory lock orders processes, not Go's memory.
	var inside, total atomic.Int32
	e.Fan(t.Context(), 0, 8, func(ctx context.Context, i int) {
		unlock, err := e.Lock(ctx, "node-1")
		if err != nil {
			t.Error(err)
			return
		}
		defer unlock()
		if inside.Add(1) != 1 {
			t.Error("two hold it")
		}
		_ = e.Sleep(ctx, time.Millisecond)
		total.Add(1)
		inside.Add(-1)
		unlock()
	})
	if total.Load() != 8 {
		t.Errorf("%d of 8 got it", total.Load())
	}
}

func TestLocksEndWithTheirContextAndNames(t *testing.T) {
	e, _ := newTestEnv(t)
	unlock, err := e.Lock(t.Context(), "node-1")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := e.WithDeadline(t.Context(), e.Now().Add(20*time.Millisecond))
	defer cancel()
	if _, err := e.Lock(ctx, "node-1"); err != context.DeadlineExceeded {
		t.Error(err)
	}
	if _, err := e.Lock(ctx, "free"); err != context.DeadlineExceeded {
		t.Error("took a lock in a context that had ended:", err)
	}
	if other, err := e.Lock(t.Context(), "node-2"); err != nil {
		t.Error("locks of two names exclude each other:", err)
	} else {
		other()
	}
	unlock()
	unlock()
	again, err := e.Lock(t.Context(), "node-1")
	if err != nil {
		t.Fatal(err)
	}
	again()
	for _, name := range []string{"", ".", "..", "a/b", "a b", "a\x00", strings.Repeat("x", 201)} {
		if _, err := e.Lock(t.Context(), name); err == nil || !strings.Contains(err.Error(), "lock name") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestTheLockOfADeadProcessIsFree(t *testing.T) {
	dir := t.TempDir()
	c := child(t, "lock", "HOST_TEST_DIR="+dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatal(line, err)
	}
	e := NewEnv(dir, NewLog(io.Discard))
	ctx, cancel := e.WithDeadline(t.Context(), e.Now().Add(50*time.Millisecond))
	defer cancel()
	if _, err := e.Lock(ctx, "node-1"); err != context.DeadlineExceeded {
		t.Error("two processes hold it:", err)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	if _, err := e.Lock(t.Context(), "node-1"); err != nil {
		t.Error(err)
	}
}

func TestLocksInAFolderThatCannotBe(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var e env.Env = NewEnv(file+"/locks", NewLog(io.Discard))
	if _, err := e.Lock(t.Context(), "l"); err == nil || !strings.Contains(err.Error(), "journal.dir") {
		t.Error(err)
	}
}
