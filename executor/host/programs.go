package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode"

	"aws-slurm-burst/executor/plansource"
)

// Programs runs the advisor.
type Programs struct {
	// Path is the caller's PATH, which slurmctld does not give to its programs.
	Path string
	// SlurmConf and Region are told to the program as SLURM_CONF and
	// AWS_REGION; "" is not told.
	SlurmConf, Region string
}

var _ plansource.Programs = Programs{}

// usualPath is where programs are where nobody says.
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// lingers is how long what a program left behind may keep its output open.
const lingers = 100 * time.Millisecond

// Run runs a program in a process group of its own, which ends with it.
func (p Programs) Run(ctx context.Context, name string, args []string, limit int64) ([]byte, error) {
	path, err := p.find(name)
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, path, args...)
	c.Env = []string{"PATH=" + p.path(), "LANG=C", "LC_ALL=C"}
	if p.SlurmConf != "" {
		c.Env = append(c.Env, "SLURM_CONF="+p.SlurmConf)
	}
	if p.Region != "" {
		c.Env = append(c.Env, "AWS_REGION="+p.Region)
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = lingers
	out, errs := &limited{left: int(limit)}, &tail{most: 512}
	c.Stdout, c.Stderr = out, errs
	err = c.Run()
	if c.Process != nil { // what it left behind
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &exit):
		return nil, &plansource.Failed{How: exit.Error(), Said: errs.line()}
	case errors.Is(err, exec.ErrWaitDelay):
		return nil, fmt.Errorf("%w: %s left a process behind that keeps its output open", plansource.ErrCut, path)
	case err != nil:
		return nil, err
	case out.cut:
		return nil, plansource.ErrTooLarge
	}
	return out.Bytes(), nil
}

// path is where programs are looked for: in the caller's PATH but for what
// depends on the current folder, else where they usually are.
func (p Programs) path() string {
	var dirs []string
	for _, dir := range filepath.SplitList(p.Path) {
		if filepath.IsAbs(dir) {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) == 0 {
		return usualPath
	}
	return strings.Join(dirs, string(filepath.ListSeparator))
}

// find finds a program by its path, or in PATH.
func (p Programs) find(name string) (string, error) {
	if strings.Contains(name, "/") {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%w: %s", plansource.ErrNotFound, name)
		}
		return filepath.Abs(name)
	}
	dirs := filepath.SplitList(p.path())
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() && st.Mode().Perm()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: %s in %s", plansource.ErrNotFound, name, strings.Join(dirs, ":"))
}

// tail keeps the last bytes that are written to it.
type tail struct {
	text []byte
	most int
}

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if len(t.text) > t.most {
		t.text = append(t.text[:0], t.text[len(t.text)-t.most:]...)
	}
	return len(p), nil
}

// line is the last line, fit for a line of ours.
func (t *tail) line() string {
	text := strings.TrimSpace(string(t.text))
	text = text[strings.LastIndexByte(text, '\n')+1:]
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}
