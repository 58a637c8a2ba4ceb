package site

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Embedded is a running `aws-slurm-burst ec2`.
type Embedded struct {
	URL  string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// StartEmbedded starts the embedded EC2 as users do, on a port of its own, and
// returns once it has said where it is; args are more of its arguments. What
// else it says goes to log. On Linux it ends with this process, however that ends.
func StartEmbedded(ctx context.Context, bin string, log io.Writer, args ...string) (*Embedded, error) {
	args = append([]string{"ec2", "--listen", "127.0.0.1:0"}, args...)
	e := &Embedded{done: make(chan struct{}), cmd: exec.CommandContext(ctx, filepath.Join(bin, "aws-slurm-burst"), args...)}
	e.cmd.Cancel = func() error { return e.cmd.Process.Signal(syscall.SIGTERM) }
	e.cmd.WaitDelay = 5 * time.Second
	e.cmd.Stderr = log
	// A pipe of our own: Wait closes StdoutPipe's while it may still be read.
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	e.cmd.Stdout = w
	e.cmd.SysProcAttr = tied()
	err = e.start()
	w.Close()
	if err != nil {
		return nil, fmt.Errorf("the embedded EC2: %w", err)
	}
	url, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		e.Stop()
		return nil, fmt.Errorf("the embedded EC2 ended without its URL: %v", e.cmd.ProcessState)
	}
	e.URL = strings.TrimSpace(url)
	return e, nil
}

// start keeps the thread that forks until the child has ended: to the kernel a
// parent is a thread.
func (e *Embedded) start() error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := e.cmd.Start()
		started <- err
		if err == nil {
			_ = e.cmd.Wait()
		}
		close(e.done)
	}()
	return <-started
}

// Stop ends it.
func (e *Embedded) Stop() {
	_ = e.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	<-e.done
}
