package host

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aws-slurm-burst/executor/plansource"
)

// fifo makes a pipe, and a Pipes that keeps its reply pipes aside.
func fifo(t *testing.T) (Pipes, string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "asba.pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return NewPipes(filepath.Join(dir, "asks"), -1), path
}

func find(t *testing.T, p Pipes, path string) plansource.Pipe {
	t.Helper()
	pipe, err := p.Find(path)
	if err != nil {
		t.Fatal(err)
	}
	return pipe
}

// daemon reads lines from a pipe and answers each with what reply makes of it.
func daemon(t *testing.T, path string, reply func(line, to string)) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0) // so that it never sees an end
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			line := lines.Text()
			if line == "stop" {
				return
			}
			wg.Go(func() { reply(line, strings.TrimPrefix(line, "for ")) })
		}
	})
	t.Cleanup(func() {
		_, _ = f.WriteString("stop\n")
		wg.Wait()
		f.Close()
	})
}

func forReply(reply string) ([]byte, error) { return []byte("for " + reply + "\n"), nil }

func say(to string, parts ...string) {
	f, err := os.OpenFile(to, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	for _, p := range parts {
		if _, err := f.WriteString(p); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestAPipeIsAskedAndAnswersOnAPipeOfItsOwn(t *testing.T) {
	p, path := fifo(t)
	modes := make(chan os.FileMode, 2)
	daemon(t, path, func(_, to string) {
		for _, f := range []string{to, filepath.Dir(to)} {
			st, err := os.Stat(f)
			if err != nil {
				t.Error(err)
				return
			}
			modes <- st.Mode()
		}
		say(to, "an ", "answer\n")
	})
	line, err := find(t, p, path).Ask(soon(t, 5*time.Second), forReply, 100)
	if err != nil || string(line) != "an answer\n" {
		t.Errorf("%q %v", line, err)
	}
	if pipe, dir := <-modes, <-modes; pipe != os.ModeNamedPipe|0o600 || dir != os.ModeDir|0o700 {
		t.Errorf("modes %v and %v", pipe, dir)
	}
	left, err := os.ReadDir(p.dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestManyClientsGetTheirOwnAnswers(t *testing.T) {
	p, path := fifo(t)
	daemon(t, path, func(_, to string) { say(to, to+"\n") })
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			var mine string
			line, err := find(t, p, path).Ask(soon(t, 10*time.Second), func(reply string) ([]byte, error) {
				mine = reply
				return forReply(reply)
			}, 500)
			if err != nil || string(line) != mine+"\n" {
				t.Errorf("%q for %q: %v", line, mine, err)
			}
		})
	}
	wg.Wait()
}

func TestAPipeNeverMakesUsWaitPastTheDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		reply func(line, to string)
		want  error
		text  string
	}{
		"no answer":        {func(string, string) {}, context.DeadlineExceeded, ""},
		"opened and shut":  {func(_, to string) { say(to) }, context.DeadlineExceeded, ""},
		"a slow drip":      {func(_, to string) { say(to, slices.Repeat([]string{"x"}, 100)...) }, context.DeadlineExceeded, ""},
		"cut":              {func(_, to string) { say(to, "half") }, nil, "half"},
		"too large":        {func(_, to string) { say(to, strings.Repeat("x", 101)+"\n") }, plansource.ErrTooLarge, ""},
		"late by a moment": {func(_, to string) { time.Sleep(900 * time.Millisecond); say(to, "x\n") }, context.DeadlineExceeded, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, path := fifo(t)
			daemon(t, path, c.reply)
			start := time.Now()
			line, err := find(t, p, path).Ask(soon(t, waitFor(c.want)), forReply, 100)
			if !errors.Is(err, c.want) || c.want == nil && (err != nil || string(line) != c.text) {
				t.Errorf("%q %v, want %v", line, err, c.want)
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("after %v", d)
			}
		})
	}
}

// waitFor is short where it is to end, and long where a busy machine might need
// it.
func waitFor(want error) time.Duration {
	if errors.Is(want, context.DeadlineExceeded) {
		return 300 * time.Millisecond
	}
	return 10 * time.Second
}

// A daemon that hangs lets its pipe fill up: then even asking would wait.
func TestAFullPipeEndsWithTheDeadline(t *testing.T) {
	p, path := fifo(t)
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_ = f.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	for {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			break
		}
	}
	start := time.Now()
	_, err = find(t, p, path).Ask(soon(t, 300*time.Millisecond), forReply, 100)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

func TestAPipeThatNobodyReadsIsReadInstead(t *testing.T) {
	p, path := fifo(t)
	pipe := find(t, p, path)
	if _, err := pipe.Ask(soon(t, time.Second), forReply, 100); !errors.Is(err, plansource.ErrNoReader) {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := pipe.Read(soon(t, 200*time.Millisecond), 100); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second {
		t.Errorf("nobody writes: %v", err)
	}
	for name, c := range map[string]struct {
		parts []string
		want  error
	}{
		"a plan": {[]string{"{", "}\n"}, nil}, "too large": {[]string{strings.Repeat("x", 101)}, plansource.ErrTooLarge},
	} {
		go func() {
			f, err := os.OpenFile(path, os.O_WRONLY, 0) // as cat does
			if err != nil {
				return
			}
			defer f.Close()
			for _, s := range c.parts {
				_, _ = f.WriteString(s)
				time.Sleep(20 * time.Millisecond)
			}
		}()
		text, err := pipe.Read(soon(t, 5*time.Second), 100)
		if !errors.Is(err, c.want) || c.want == nil && string(text) != strings.Join(c.parts, "") {
			t.Errorf("%s: %q %v", name, text, err)
		}
	}
}

func TestWhoseAPipeIs(t *testing.T) {
	p, path := fifo(t)
	dir := filepath.Dir(path)
	for _, c := range []struct {
		mode, folder os.FileMode
		want         plansource.PipeInfo
	}{
		{0o600, 0o755, plansource.PipeInfo{OwnedByRootOrSelf: true}},
		{0o620, 0o755, plansource.PipeInfo{OwnedByRootOrSelf: true, GroupWritable: true}},
		{0o622, 0o755, plansource.PipeInfo{OwnedByRootOrSelf: true, GroupWritable: true, WorldWritable: true}},
		{0o600, 0o777, plansource.PipeInfo{OwnedByRootOrSelf: true, Replaceable: true}},
		{0o600, 0o770, plansource.PipeInfo{OwnedByRootOrSelf: true, Replaceable: true}},
		{0o600, 0o777 | os.ModeSticky, plansource.PipeInfo{OwnedByRootOrSelf: true}},
	} {
		if err := errors.Join(os.Chmod(path, c.mode), os.Chmod(dir, c.folder)); err != nil {
			t.Fatal(err)
		}
		if got := find(t, p, path).Info(); got != c.want {
			t.Errorf("mode %o in %v: %+v", c.mode, c.folder, got)
		}
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(path, 12345, -1); err != nil {
			t.Fatal(err)
		}
		if find(t, p, path).Info().OwnedByRootOrSelf {
			t.Error("a stranger's pipe is ours")
		}
		p.slurmUser = 12345
		if !find(t, p, path).Info().OwnedByRootOrSelf {
			t.Error("the Slurm user's pipe is not")
		}
	}
}

// What counts is the pipe that was looked at, and where it is.
func TestAnotherPipeInItsPlaceIsNotOpened(t *testing.T) {
	p, path := fifo(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	pipe := find(t, p, link)
	aside := path + ".aside" // it lives on, so that the other has another number
	if err := errors.Join(os.Rename(path, aside), syscall.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := pipe.Read(soon(t, time.Second), 9); !errors.Is(err, plansource.ErrUnreadable) {
		t.Error(err)
	}
	for name, want := range map[string]error{"nothing": plansource.ErrNotFound, ".": plansource.ErrNotPipe} {
		if _, err := p.Find(filepath.Join(filepath.Dir(path), name)); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReplyPipesOfTheDeadAreSwept(t *testing.T) {
	p, _ := fifo(t)
	old := time.Now().Add(-time.Hour)
	dead, living, fresh := filepath.Join(p.dir, "reply-dead"), filepath.Join(p.dir, "reply-living"), filepath.Join(p.dir, "reply-fresh")
	for _, dir := range []string{dead, living, fresh} {
		if err := errors.Join(os.MkdirAll(dir, 0o700), syscall.Mkfifo(filepath.Join(dir, "reply"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if dir != fresh {
			if err := os.Chtimes(dir, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	held, err := lockFolder(living)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	_, remove, err := p.replyPipe()
	if err != nil {
		t.Fatal(err)
	}
	remove()
	for dir, want := range map[string]bool{dead: false, living: true, fresh: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
