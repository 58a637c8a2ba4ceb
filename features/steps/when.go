package steps

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cucumber/godog"

	"aws-slurm-burst/features/site"
	"aws-slurm-burst/localstack/faultproxy"
)

func registerWhen(sc registrar) {
	whenASBA(sc)
	whenShipped(sc)
	for _, c := range []struct {
		sentence string // with one group for each argument
		program  string
		flags    []string // before the arguments but the first
	}{
		{`Slurm resumes "([^"]+)"`, "aws-slurm-burst-resume", nil},
		{`Slurm resumes "([^"]+)" with "([^"]+)"`, "aws-slurm-burst-resume", []string{"--execution-plan="}},
		{`Slurm suspends "([^"]+)"`, "aws-slurm-burst-suspend", nil},
		{`Slurm gives up waiting for "([^"]+)"`, "aws-slurm-burst-resume-fail", nil},
		{`the operator (reconcile)s`, "aws-slurm-burst", nil},
	} {
		args := func(given []string) []string {
			out := given[:1:1]
			for n, flag := range c.flags {
				out = append(out, flag+given[n+1])
			}
			return out
		}
		run := func(ctx context.Context, given ...string) error {
			return in(ctx).Program(ctx, c.program, args(given)...)
		}
		stop := func(ctx context.Context, how, action string, given ...string) error {
			return stoppedAt(ctx, how, action, c.program, args(given)...)
		}
		const stopped = `, and the program is (killed|told to stop) as EC2 answers "([^"]+)"$`
		if len(c.flags) == 0 {
			sc.Step("^"+c.sentence+"$", func(ctx context.Context, a string) error { return run(ctx, a) })
			sc.Step("^"+c.sentence+stopped, func(ctx context.Context, a, how, action string) error { return stop(ctx, how, action, a) })
		} else {
			sc.Step("^"+c.sentence+"$", func(ctx context.Context, a, b string) error { return run(ctx, a, b) })
			sc.Step("^"+c.sentence+stopped, func(ctx context.Context, a, b, how, action string) error { return stop(ctx, how, action, a, b) })
		}
	}
	sc.Step(`^the operator asks what reconcile would do$`, func(ctx context.Context) error {
		return in(ctx).Program(ctx, "aws-slurm-burst", "reconcile", "--dry-run")
	})
	sc.Step(`^the operator asks what a resume of "([^"]+)" would do$`, func(ctx context.Context, nodes string) error {
		return in(ctx).Program(ctx, "aws-slurm-burst-resume", nodes, "--dry-run=server")
	})
	sc.Step(`^"([^"]+)" and "([^"]+)" are resumed at the same time$`, func(ctx context.Context, a, b string) error {
		return sideBySide(ctx, a, b)
	})
	sc.Step(`^"([^"]+)" (?:is|are) resumed twice at the same time$`, func(ctx context.Context, nodes string) error {
		return sideBySide(ctx, nodes, nodes)
	})
	sc.Step(`^Slurm suspends "([^"]+)" while it resumes "([^"]+)" with "([^"]+)"$`, suspendedMeanwhile)
	sc.Step(`^the operator runs "([^"]+)"$`, func(ctx context.Context, text string) error {
		return in(ctx).Shell(ctx, text)
	})
	sc.Step(`^the operator runs:$`, func(ctx context.Context, text *godog.DocString) error {
		return in(ctx).Shell(ctx, text.Content)
	})
	sc.Step(`^the author runs "([^"]+)"$`, func(ctx context.Context, text string) error {
		return in(ctx).Ask(ctx, text)
	})
	// As a Given: what is running has to run, without a word.
	sc.Step(`^"([^"]+)" (?:is|are) running$`, func(ctx context.Context, nodes string) error {
		w := in(ctx)
		if err := w.Program(ctx, "aws-slurm-burst-resume", nodes); err != nil {
			return err
		}
		if r := w.Runs[len(w.Runs)-1]; r.Exit != 0 || len(r.Stderr) > 0 {
			return fmt.Errorf("%s was not to fail here: exit code %d\n%s", r.Command, r.Exit, r.Text())
		}
		return nil
	})
}

// sideBySide runs a resume for each list of nodes, all at once.
func sideBySide(ctx context.Context, lists ...string) error {
	w := in(ctx)
	var cmds []site.Process
	for _, nodes := range lists {
		cmds = append(cmds, site.Process{Cmd: w.Command(ctx, "aws-slurm-burst-resume", nodes)})
	}
	return w.Run(ctx, "aws-slurm-burst-resume "+strings.Join(lists, ","), site.ReadJSON, cmds...)
}

// stoppedAt stops a program at the first answer to an action: EC2 has done what
// it was asked, and whoever asked was killed before he could hear of it, or told
// to stop.
func stoppedAt(ctx context.Context, how, action, program string, args ...string) error {
	w := in(ctx)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cmd := w.Command(ctx, program, args...)
	cmd.WaitDelay = 20 * time.Second
	signalled := make(chan struct{})
	cmd.Cancel = func() error {
		defer close(signalled)
		if how == "killed" {
			return cmd.Process.Kill()
		}
		return cmd.Process.Signal(syscall.SIGTERM)
	}
	w.BeforeAnswers(func(c faultproxy.Call) {
		if c.Action == action {
			stop()
			<-signalled // until then the answer is held back
		}
	})
	defer w.BeforeAnswers(nil)
	if err := w.Run(context.WithoutCancel(ctx), strings.Join(append([]string{program}, args...), " "), site.ReadJSON, site.Process{Cmd: cmd}); err != nil {
		return err
	}
	if ctx.Err() == nil {
		return fmt.Errorf("it was never stopped: there was no %s", action)
	}
	return nil
}

// suspendedMeanwhile runs a whole suspend between a resume's decision to launch
// and the launch: nothing is there yet that the suspend could end.
func suspendedMeanwhile(ctx context.Context, down, up, plan string) error {
	w := in(ctx)
	launching, suspended := make(chan struct{}), make(chan struct{})
	begin := sync.OnceFunc(func() { close(launching) })
	w.BeforeCalls(func(action string) {
		if action == "RunInstances" {
			begin()
			<-suspended
		}
	})
	defer w.BeforeCalls(nil)
	suspend := w.Command(ctx, "aws-slurm-burst-suspend", down)
	resume := w.Command(ctx, "aws-slurm-burst-resume", up, "--execution-plan="+plan)
	return w.Run(ctx, "aws-slurm-burst-suspend beside aws-slurm-burst-resume "+up+" --execution-plan="+plan, site.ReadJSON,
		site.Process{Cmd: suspend, When: launching, Done: suspended}, site.Process{Cmd: resume})
}
