package slurmtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// CommandWithin bounds one command; sbatch and scontrol of a slurmctld that is
// down give up after 20 s at most.
const CommandWithin = 30 * time.Second

// Controller is a slurmctld with its configuration.
type Controller struct {
	Dir, Conf string // a folder of its own, and its slurm.conf

	daemon *Daemon
}

// Start starts slurmctld and waits until it answers.
func (c *Controller) Start() error {
	out := filepath.Join(c.Dir, "slurmctld.out")
	var err error
	if c.daemon, err = StartDaemon(out, nil, "slurmctld", "-D", "-f", c.Conf); err != nil {
		return err
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		// ping's exit code says what it found
		if _, err = c.Run("scontrol", "ping"); err == nil {
			return nil
		}
		if c.daemon.Ended() || time.Now().After(end) {
			return fmt.Errorf("slurmctld does not come up: %w\n%s", err, Tail(out, 20))
		}
	}
}

// Stop ends it with a signal, and with SIGKILL where that does not do.
func (c *Controller) Stop(sig syscall.Signal, within time.Duration) {
	if c.daemon != nil {
		c.daemon.Stop(sig, within)
	}
}

// Run runs a command that speaks to it, and returns what it printed; the error
// holds what went to stderr.
func (c *Controller) Run(program string, args ...string) (string, error) {
	out, errs, err := c.Both(program, args...)
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, strings.TrimSpace(errs))
	}
	return out, err
}

// Both is Run for who wants to read stderr; the error is that of running it, or
// of its exit code.
func (c *Controller) Both(program string, args ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), CommandWithin, errors.New("no answer within "+CommandWithin.String()))
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = c.Dir
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root", "SLURM_CONF=" + c.Conf}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err = cmd.Run(); err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out.String(), errs.String(), err
}

// Record is one of `scontrol show -o`: its fields by name.
type Record map[string]string

// Records reads the output of `scontrol show -o`. A value with blanks ends where
// the next NAME= begins.
func Records(out string) []Record {
	var all []Record
	for line := range strings.Lines(out) {
		r, last := Record{}, ""
		for word := range strings.FieldsSeq(line) {
			name, value, ok := strings.Cut(word, "=")
			switch {
			case ok && name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/:_") == "" && r[name] == "":
				r[name], last = value, name
			case last != "":
				r[last] += " " + word
			}
		}
		if len(r) > 0 {
			all = append(all, r)
		}
	}
	return all
}

// Tail returns the last lines of a file.
func Tail(file string, n int) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error() + "\n"
	}
	return LastLines(string(data), n)
}

// LastLines returns the last lines of a text.
func LastLines(text string, n int) string {
	lines := slices.Collect(strings.Lines(text))
	return strings.Join(lines[max(0, len(lines)-n):], "")
}

// Register makes nodes known and idle: a slurmd of each starts, registers, and is
// ended. Nobody misses it where SlurmdTimeout is long; no job can begin there.
// slurm.conf says SlurmdParameters=config_overrides, so that what this machine has
// does not matter, and keeps each node's SlurmdSpoolDir=.../%n below Dir.
func (c *Controller) Register(nodes []string) error {
	const together = 16 // slurmds of a few megabytes each
	for some := range slices.Chunk(nodes, together) {
		if err := c.register(some); err != nil {
			return err
		}
	}
	return nil
}

func (c *Controller) register(nodes []string) error {
	for _, n := range nodes {
		if err := os.MkdirAll(filepath.Join(c.Dir, n), 0o755); err != nil {
			return err
		}
		d, err := StartDaemon(filepath.Join(c.Dir, n+".out"), nil, "slurmd", "-D", "-f", c.Conf, "-N", n)
		if err != nil {
			return err
		}
		defer d.Stop(syscall.SIGKILL, 5*time.Second)
	}
	list := strings.Join(nodes, ",")
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		out, err := c.Run("sinfo", "--noheader", "--Node", "--nodes="+list, "--format=%N %T")
		if err != nil {
			return err
		}
		if idle := strings.Count(out, " idle\n"); idle == len(nodes) {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("nodes do not register:\n%s%s", out, Tail(filepath.Join(c.Dir, nodes[0]+".out"), 10))
		}
	}
}
