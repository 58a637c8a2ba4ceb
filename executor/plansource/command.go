package plansource

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"aws-slurm-burst/asba/protocol"
)

// Programs runs programs for this package.
type Programs interface {
	// Run runs a program, by its path or by a name that is looked up in PATH,
	// with exactly these arguments, an environment of its own and nothing on
	// stdin, and returns what it wrote to stdout, all of it. All of its
	// processes end with it, and with ctx. Errors: ErrNotFound; ErrTooLarge for
	// more than limit bytes; ErrCut where the end of its output is not known;
	// a *Failed for another exit status than 0; what ended with ctx has its
	// cause.
	Run(ctx context.Context, name string, args []string, limit int64) ([]byte, error)
}

// Failed is a program that ended with an error.
type Failed struct {
	How  string // such as "exit status 2"
	Said string // the last line on stderr, "" for nothing
}

// Error says both.
func (f *Failed) Error() string {
	if f.Said == "" {
		return f.How
	}
	return f.How + ": " + f.Said
}

// command asks by running the advisor.
func (k asking) command(ctx context.Context, programs Programs, q Question) Answer {
	args := []string{"analyze", "--format=execution-plan"}
	if k.way.ConfigPath != "" {
		args = append(args, "--config="+k.way.ConfigPath)
	}
	if q.Job != "" {
		args = append(args, "--job-id="+q.Job)
	} else {
		args = append(args, "--nodes="+strconv.Itoa(q.Nodes))
		if q.Partition != "" {
			args = append(args, "--partition="+q.Partition)
		}
	}
	out, err := programs.Run(ctx, k.way.Command, args, protocol.MaxAnswer)
	var failed *Failed
	switch {
	case errors.Is(err, ErrNotFound) && strings.Contains(k.way.Command, "/"):
		return k.missing(err, "ASBA not reachable: there is no program %s", k.way)
	case errors.Is(err, ErrNotFound):
		return k.missing(err, "ASBA not reachable: %s is not in PATH", k.way)
	case errors.As(err, &failed):
		return k.missing(err, "ASBA has no plan: %s failed with %v", k.way, failed)
	case err != nil:
		return k.failed(err)
	}
	return k.unframed(out, true)
}
