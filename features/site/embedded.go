package site

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Embedded is a running `aws-slurm-burst ec2`.
type Embedded struct {
	URL string
	s   *Service
}

// StartEmbedded starts the embedded EC2 as users do, on a port of its own, and
// returns once it has said where it is; args are more of its arguments. What
// else it says goes to log. On Linux it ends with this process, however that ends.
func StartEmbedded(ctx context.Context, bin string, log io.Writer, args ...string) (*Embedded, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "aws-slurm-burst"), append([]string{"ec2", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stderr = log
	s, err := StartService(cmd)
	if err != nil {
		return nil, fmt.Errorf("the embedded EC2: %w", err)
	}
	return &Embedded{URL: s.First, s: s}, nil
}

// Stop ends it.
func (e *Embedded) Stop() { _ = e.s.Stop() } // it may have ended by itself
