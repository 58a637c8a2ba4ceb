package host

import (
	"context"
	"errors"
	"testing"
	"time"

	"aws-slurm-burst/executor/plansource"
)

// Who was told to stop gives a question up at once, whichever way it went.
func TestAQuestionEndsWithTheProgram(t *testing.T) {
	p, path := fifo(t)
	daemon(t, path, func(string, string) {})
	lonely, silent := fifo(t)
	url := respond(t, 0, "wait")
	hangs := script(t, "sleep 60")
	for name, ask := range map[string]func(context.Context, plansource.Advisor) error{
		"HTTP": func(ctx context.Context, a plansource.Advisor) error {
			_, err := a.Web.Post(ctx, plansource.Post{URL: url, Limit: 9})
			return err
		},
		"a command": func(ctx context.Context, a plansource.Advisor) error {
			_, err := a.Programs.Run(ctx, hangs, nil, 9)
			return err
		},
		"a pipe": func(ctx context.Context, a plansource.Advisor) error {
			pipe, err := a.Pipes.Find(path)
			if err == nil {
				_, err = pipe.Ask(ctx, forReply, 9)
			}
			return err
		},
		"a pipe that nobody reads": func(ctx context.Context, a plansource.Advisor) error {
			pipe, err := a.Pipes.Find(silent)
			if err == nil {
				_, err = pipe.Read(ctx, 9)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pipes := p
			if name == "a pipe that nobody reads" {
				pipes = lonely
			}
			stop, told := context.WithCancel(t.Context())
			a := Advisor(stop, Web{SlurmUser: -1}, pipes, Programs{})
			time.AfterFunc(200*time.Millisecond, told)
			start := time.Now()
			err := ask(soon(t, 30*time.Second), a)
			if !errors.Is(err, plansource.ErrNotAsked) || !errors.Is(err, ErrInterrupted) || time.Since(start) > 5*time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			// What ends in another way says so.
			if err := ask(soon(t, 100*time.Millisecond), Advisor(t.Context(), Web{SlurmUser: -1}, pipes, Programs{})); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("its own deadline: %v", err)
			}
		})
	}
}
