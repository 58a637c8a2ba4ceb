package steps

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/cucumber/godog"

	"aws-slurm-burst/localstack/faultproxy"
)

func registerWhen(sc *godog.ScenarioContext) {
	program := func(name string) func(context.Context, string) error {
		return func(ctx context.Context, nodes string) error { return in(ctx).program(ctx, name, nodes) }
	}
	sc.Step(`^Slurm resumes "([^"]+)"$`, program("aws-slurm-burst-resume"))
	sc.Step(`^Slurm suspends "([^"]+)"$`, program("aws-slurm-burst-suspend"))
	sc.Step(`^Slurm gives up waiting for "([^"]+)"$`, program("aws-slurm-burst-resume-fail"))
	sc.Step(`^Slurm resumes "([^"]+)" with "([^"]+)"$`, func(ctx context.Context, nodes, plan string) error {
		return in(ctx).program(ctx, "aws-slurm-burst-resume", nodes, "--execution-plan="+plan)
	})
	sc.Step(`^"([^"]+)" (?:is|are) resumed twice at the same time$`, func(ctx context.Context, nodes string) error {
		w := in(ctx)
		cmds := make([]process, 2)
		for n := range cmds {
			cmds[n].Cmd = exec.CommandContext(ctx, filepath.Join(w.bin, "aws-slurm-burst-resume"), nodes, "-o", "json")
		}
		return w.run(ctx, "aws-slurm-burst-resume "+nodes, readJSON, cmds...)
	})
	sc.Step(`^Slurm resumes "([^"]+)" with "([^"]+)", and the program is killed as EC2 answers "([^"]+)"$`, killedAt)
	sc.Step(`^Slurm suspends "([^"]+)" while it resumes them with "([^"]+)"$`, suspendedMeanwhile)
	sc.Step(`^the operator runs "([^"]+)"$`, func(ctx context.Context, text string) error {
		return in(ctx).shell(ctx, text)
	})
	sc.Step(`^the operator runs:$`, func(ctx context.Context, text *godog.DocString) error {
		return in(ctx).shell(ctx, text.Content)
	})
	// As a Given: what is running has to run, without a word.
	sc.Step(`^"([^"]+)" (?:is|are) running$`, func(ctx context.Context, nodes string) error {
		w := in(ctx)
		if err := w.program(ctx, "aws-slurm-burst-resume", nodes); err != nil {
			return err
		}
		if r := w.runs[len(w.runs)-1]; r.exit != 0 || len(r.stderr) > 0 {
			return fmt.Errorf("%s was not to fail here: exit code %d\n%s", r.command, r.exit, r.text())
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
	cmd := exec.CommandContext(ctx, filepath.Join(w.bin, "aws-slurm-burst-resume"), nodes, "--execution-plan="+plan, "-o", "json")
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
	w.onAnswer.Store(&onAnswer)
	defer w.onAnswer.Store(nil)
	if err := w.run(context.WithoutCancel(ctx), "aws-slurm-burst-resume "+nodes+" --execution-plan="+plan, readJSON, process{Cmd: cmd}); err != nil {
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
	w.beforeCall.Store(&beforeCall)
	defer w.beforeCall.Store(nil)
	suspend := exec.CommandContext(ctx, filepath.Join(w.bin, "aws-slurm-burst-suspend"), nodes, "-o", "json")
	resume := exec.CommandContext(ctx, filepath.Join(w.bin, "aws-slurm-burst-resume"), nodes, "--execution-plan="+plan, "-o", "json")
	return w.run(ctx, "aws-slurm-burst-suspend beside aws-slurm-burst-resume "+nodes+" --execution-plan="+plan, readJSON,
		process{Cmd: suspend, when: launching, done: suspended}, process{Cmd: resume})
}
