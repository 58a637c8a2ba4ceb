package steps

import (
	"context"
	"fmt"
	"sync"

	"github.com/cucumber/godog"

	"aws-slurm-burst/features/site"
	"aws-slurm-burst/localstack/faultproxy"
)

func registerWhen(sc *godog.ScenarioContext) {
	program := func(name string) func(context.Context, string) error {
		return func(ctx context.Context, nodes string) error { return in(ctx).Program(ctx, name, nodes) }
	}
	sc.Step(`^Slurm resumes "([^"]+)"$`, program("aws-slurm-burst-resume"))
	sc.Step(`^Slurm suspends "([^"]+)"$`, program("aws-slurm-burst-suspend"))
	sc.Step(`^Slurm gives up waiting for "([^"]+)"$`, program("aws-slurm-burst-resume-fail"))
	sc.Step(`^Slurm resumes "([^"]+)" with "([^"]+)"$`, func(ctx context.Context, nodes, plan string) error {
		return in(ctx).Program(ctx, "aws-slurm-burst-resume", nodes, "--execution-plan="+plan)
	})
	sc.Step(`^"([^"]+)" (?:is|are) resumed twice at the same time$`, func(ctx context.Context, nodes string) error {
		w := in(ctx)
		cmds := make([]site.Process, 2)
		for n := range cmds {
			cmds[n].Cmd = w.Command(ctx, "aws-slurm-burst-resume", nodes)
		}
		return w.Run(ctx, "aws-slurm-burst-resume "+nodes, site.ReadJSON, cmds...)
	})
	sc.Step(`^Slurm resumes "([^"]+)" with "([^"]+)", and the program is killed as EC2 answers "([^"]+)"$`, killedAt)
	sc.Step(`^Slurm suspends "([^"]+)" while it resumes them with "([^"]+)"$`, suspendedMeanwhile)
	sc.Step(`^the operator runs "([^"]+)"$`, func(ctx context.Context, text string) error {
		return in(ctx).Shell(ctx, text)
	})
	sc.Step(`^the operator runs:$`, func(ctx context.Context, text *godog.DocString) error {
		return in(ctx).Shell(ctx, text.Content)
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

// killedAt kills a resume at the first answer to an action: EC2 has done what it
// was asked, and nobody is left to hear of it.
func killedAt(ctx context.Context, nodes, plan, action string) error {
	w := in(ctx)
	ctx, kill := context.WithCancel(ctx)
	defer kill()
	cmd := w.Command(ctx, "aws-slurm-burst-resume", nodes, "--execution-plan="+plan)
	killed := make(chan struct{})
	cmd.Cancel = func() error {
		defer close(killed)
		return cmd.Process.Kill()
	}
	onAnswer := func(c faultproxy.Call) {
		if c.Action == action {
			kill()
			<-killed // until then the answer is held back
		}
	}
	w.BeforeAnswers(onAnswer)
	defer w.BeforeAnswers(nil)
	if err := w.Run(context.WithoutCancel(ctx), "aws-slurm-burst-resume "+nodes+" --execution-plan="+plan, site.ReadJSON, site.Process{Cmd: cmd}); err != nil {
		return err
	}
	if ctx.Err() == nil {
		return fmt.Errorf("it was never killed: there was no %s", action)
	}
	return nil
}

// suspendedMeanwhile runs a whole suspend between a resume's decision to launch
// and the launch: nothing is there yet that the suspend could end.
func suspendedMeanwhile(ctx context.Context, nodes, plan string) error {
	w := in(ctx)
	launching, suspended := make(chan struct{}), make(chan struct{})
	begin := sync.OnceFunc(func() { close(launching) })
	beforeCall := func(action string) {
		if action == "RunInstances" {
			begin()
			<-suspended
		}
	}
	w.BeforeCalls(beforeCall)
	defer w.BeforeCalls(nil)
	suspend := w.Command(ctx, "aws-slurm-burst-suspend", nodes)
	resume := w.Command(ctx, "aws-slurm-burst-resume", nodes, "--execution-plan="+plan)
	return w.Run(ctx, "aws-slurm-burst-suspend beside aws-slurm-burst-resume "+nodes+" --execution-plan="+plan, site.ReadJSON,
		site.Process{Cmd: suspend, When: launching, Done: suspended}, site.Process{Cmd: resume})
}
