package host

import (
	"context"
	"fmt"

	"aws-slurm-burst/executor/plansource"
)

// Advisor returns the ways to ask, with questions that end once stop is done, for
// a program that was told to stop: unlike a launch, a question that is given up
// leaves nothing behind.
func Advisor(stop context.Context, w Web, p Pipes, r Programs) plansource.Advisor {
	return plansource.Advisor{Web: stoppableWeb{w, stop}, Pipes: stoppablePipes{p, stop}, Programs: stoppablePrograms{r, stop}}
}

// until calls f with a context that ends with stop, too.
func until[R any](ctx, stop context.Context, f func(context.Context) (R, error)) (R, error) {
	asking, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(stop, func() { cancel(ErrInterrupted) })()
	r, err := f(asking)
	if err != nil && ctx.Err() == nil && stop.Err() != nil {
		err = fmt.Errorf("%w: %w", plansource.ErrNotAsked, ErrInterrupted)
	}
	return r, err
}

type stoppableWeb struct {
	Web
	stop context.Context
}

func (s stoppableWeb) Post(ctx context.Context, p plansource.Post) (plansource.Response, error) {
	return until(ctx, s.stop, func(ctx context.Context) (plansource.Response, error) { return s.Web.Post(ctx, p) })
}

type stoppablePrograms struct {
	Programs
	stop context.Context
}

func (s stoppablePrograms) Run(ctx context.Context, name string, args []string, limit int64) ([]byte, error) {
	return until(ctx, s.stop, func(ctx context.Context) ([]byte, error) { return s.Programs.Run(ctx, name, args, limit) })
}

type stoppablePipes struct {
	Pipes
	stop context.Context
}

func (s stoppablePipes) Find(path string) (plansource.Pipe, error) {
	p, err := s.Pipes.Find(path)
	if err != nil {
		return nil, err
	}
	return stoppablePipe{p, s.stop}, nil
}

type stoppablePipe struct {
	plansource.Pipe
	stop context.Context
}

func (s stoppablePipe) Ask(ctx context.Context, question func(reply string) ([]byte, error), limit int64) ([]byte, error) {
	return until(ctx, s.stop, func(ctx context.Context) ([]byte, error) { return s.Pipe.Ask(ctx, question, limit) })
}

func (s stoppablePipe) Read(ctx context.Context, limit int64) ([]byte, error) {
	return until(ctx, s.stop, func(ctx context.Context) ([]byte, error) { return s.Pipe.Read(ctx, limit) })
}
