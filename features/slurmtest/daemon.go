package slurmtest

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Daemon is a process of ours, in a session of its own.
type Daemon struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once it has ended
}

// StartDaemon starts a program with this environment and nothing of ours but a
// file for what it prints.
func StartDaemon(out string, env []string, program string, args ...string) (*Daemon, error) {
	f, err := os.OpenFile(out, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	d := &Daemon{cmd: exec.Command(program, args...), done: make(chan struct{})}
	d.cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, env...)
	d.cmd.Dir = "/"
	d.cmd.Stdout, d.cmd.Stderr = f, f
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	go func() {
		_ = d.cmd.Wait()
		close(d.done)
	}()
	return d, nil
}

// Ended reports whether it has ended by now.
func (d *Daemon) Ended() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// Stop ends it with a signal, and with SIGKILL where that does not do.
func (d *Daemon) Stop(sig syscall.Signal, within time.Duration) {
	_ = d.cmd.Process.Signal(sig) // it may have ended
	select {
	case <-d.done:
	case <-time.After(within):
		_ = d.cmd.Process.Kill()
		<-d.done
	}
}
