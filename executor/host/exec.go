package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// outputLimit bounds what a program may print: "scontrol show job" of a busy
// cluster is megabytes.
const outputLimit = 64 << 20

// Scontrol runs Slurm's scontrol.
type Scontrol struct {
	Path string
	// Conf is SLURM_CONF for it, "" for its default.
	Conf string
}

// Scontrol runs the program with exactly these arguments. Its environment has
// nothing but what scontrol needs: ours may be a user's. When ctx ends, the
// whole process group does.
func (s Scontrol) Scontrol(ctx context.Context, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, s.Path, args...)
	c.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", "LC_ALL=C"}
	if s.Conf != "" {
		c.Env = append(c.Env, "SLURM_CONF="+s.Conf)
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = time.Second // a grandchild may keep the pipes
	out, errs := &limited{left: outputLimit}, &limited{left: 1 << 16}
	c.Stdout, c.Stderr = out, errs
	err := c.Run()
	var exit *exec.ExitError
	switch {
	case err == nil && out.cut:
		return nil, fmt.Errorf("%s printed more than %d bytes", s.Path, outputLimit)
	case err == nil:
		return out.Bytes(), nil
	case ctx.Err() != nil:
		return out.Bytes(), context.Cause(ctx)
	case errors.As(err, &exit):
		return out.Bytes(), fmt.Errorf("%s (%w)", strings.TrimSpace(errs.String()), exit)
	}
	return out.Bytes(), fmt.Errorf("%w (is slurm.scontrol right, is Slurm installed?)", err)
}

// limited keeps the first bytes that are written to it. The buffer is not
// embedded: its ReadFrom would take what comes from a program past the limit.
type limited struct {
	kept bytes.Buffer
	left int
	cut  bool
}

func (l *limited) Bytes() []byte  { return l.kept.Bytes() }
func (l *limited) String() string { return l.kept.String() }

func (l *limited) Write(p []byte) (int, error) {
	keep := min(len(p), l.left)
	l.left -= keep
	l.cut = l.cut || keep < len(p)
	_, _ = l.kept.Write(p[:keep])
	return len(p), nil
}
