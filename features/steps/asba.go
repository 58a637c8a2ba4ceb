package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/cucumber/godog"

	"aws-slurm-burst/features/advisor"
)

// asba is the advisor of a scenario, and whether it is there at all.
type asba struct {
	*advisor.Advisor
	*shipped // nil where the stand-in is the advisor
	folder   string
	absent   bool
	at       string // where, of the way that it was started on
}

type asbaKey struct{}

// withASBA registers the end of a scenario's advisor; it is made when the first
// sentence speaks of it.
func withASBA(sc *godog.ScenarioContext) {
	sc.Before(func(ctx context.Context, _ *godog.Scenario) (context.Context, error) {
		return context.WithValue(ctx, asbaKey{}, &asba{}), nil
	})
	sc.After(func(ctx context.Context, _ *godog.Scenario, _ error) (context.Context, error) {
		if a, ok := ctx.Value(asbaKey{}).(*asba); ok && a.Advisor != nil {
			a.Close()
			if a.shipped != nil {
				a.leave()
			}
		}
		return ctx, nil
	})
}

func asbaOf(ctx context.Context) (*asba, error) {
	a := ctx.Value(asbaKey{}).(*asba)
	if a.Advisor == nil {
		a.folder = filepath.Join(in(ctx).Dir, "advisor")
		var err error
		if a.Advisor, err = advisor.New(a.folder); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// The ways to ask, in the words of the sentences.
const (
	overPipe  = "over its pipe"
	overHTTP  = "over HTTP"
	byCommand = "by its command"
	anyWay    = "(" + overPipe + "|" + overHTTP + "|" + byCommand + ")"
)

// givenASBA: what the advisor says, and how the site asks it.
func givenASBA(sc registrar) {
	sc.Step(`^ASBA has the plan "([^"]+)"$`, func(ctx context.Context, name string) error { return give(ctx, name, "") })
	sc.Step(`^ASBA has the plan "([^"]+)" for job (\d+)$`, func(ctx context.Context, name, job string) error { return give(ctx, name, job) })
	sc.Step(`^ASBA has a plan that says:$`, func(ctx context.Context, text *godog.DocString) error {
		return giveText(ctx, "", text.Content)
	})
	wrong := strings.Join([]string{advisor.Hangs, advisor.Late, advisor.Cut, advisor.Rubbish, advisor.Other, advisor.Large, advisor.Drips, advisor.Fails, advisor.Redirects}, "|")
	sc.Step(`^ASBA (`+wrong+`)$`, func(ctx context.Context, how string) error { return goWrong(ctx, how, "") })
	sc.Step(`^ASBA (`+wrong+`) when it is asked for job (\d+)$`, goWrong)
	sc.Step(`^ASBA is not there$`, func(ctx context.Context) error {
		a, err := asbaOf(ctx)
		if err == nil {
			a.absent = true
		}
		return err
	})
	sc.Step(`^ASBA speaks TLS, and wants a token that the site has$`, func(ctx context.Context) error {
		a, err := asbaOf(ctx)
		if err != nil {
			return err
		}
		w := in(ctx)
		if a.shipped != nil {
			a.flags = append(a.flags, "--tls-cert=asba-ca.pem", "--tls-key=asba.key", "--token-file=asba.token")
		}
		return errors.Join(a.Secure(filepath.Join(w.Dir, "asba-ca.pem"), filepath.Join(w.Dir, "asba.key"), filepath.Join(w.Dir, "asba.token")),
			w.Set("asba.ca_file", "asba-ca.pem"), w.Set("asba.token_file", "asba.token"))
	})
	sc.Step(`^somebody writes ASBA's plan into the pipe$`, func(ctx context.Context) error {
		a, err := asbaOf(ctx)
		if err != nil {
			return err
		}
		a.absent = true
		return a.Leave(filepath.Join(in(ctx).Dir, pipeName))
	})
	sc.Step(`^the site asks ASBA `+anyWay+`$`, func(ctx context.Context, way string) error {
		if err := start(ctx, way); err != nil {
			return err
		}
		a, err := asbaOf(ctx)
		if err != nil {
			return err
		}
		key := map[string]string{overPipe: "asba.pipe", overHTTP: "asba.url", byCommand: "asba.command"}[way]
		return in(ctx).Set(key, strconv.Quote(a.at))
	})
	sc.Step(`^the programs are called with an empty environment$`, func(ctx context.Context) error { return in(ctx).Bare() })
}

// whenASBA: a call that asks for the plan of all of its nodes.
func whenASBA(sc registrar) {
	sc.Step(`^Slurm resumes "([^"]+)", asking ASBA `+anyWay+`$`, func(ctx context.Context, nodes, way string) error {
		if err := start(ctx, way); err != nil {
			return err
		}
		a, err := asbaOf(ctx)
		if err != nil {
			return err
		}
		if way == byCommand { // and by no other's: what is beside the programs is not meant
			in(ctx).Env = append(in(ctx).Env, "PATH="+in(ctx).Dir)
		}
		flag := map[string]string{overPipe: "--asba-pipe=" + a.at, overHTTP: "--asba-url=" + a.at, byCommand: "--auto-asba"}[way]
		return in(ctx).Program(ctx, "aws-slurm-burst-resume", nodes, flag)
	})
}

// thenASBA: what the advisor was asked, and how long that took.
func thenASBA(sc registrar) {
	sc.Step(`^ASBA was asked (\d+) times?$`, func(ctx context.Context, want int) error {
		a, err := asbaOf(ctx)
		if err == nil && len(a.Asked()) != want {
			err = fmt.Errorf("it was asked %d times: %+v", len(a.Asked()), a.Asked())
		}
		return err
	})
	sc.Step(`^ASBA was asked for job (\d+), for (\d+) nodes? in partition (\S+)$`, func(ctx context.Context, job string, nodes int, partition string) error {
		a, err := asbaOf(ctx)
		if err != nil {
			return err
		}
		for _, q := range a.Asked() {
			if q == (advisor.Question{Job: job, Nodes: nodes, Partition: partition}) {
				return nil
			}
		}
		return fmt.Errorf("it was asked: %+v", a.Asked())
	})
	sc.Step(`^it took less than (\d+) seconds$`, func(ctx context.Context, most float64) error {
		r, err := in(ctx).LastRun()
		if err == nil && r.Took.Seconds() >= most {
			err = fmt.Errorf("it took %s", r.Took)
		}
		return err
	})
}

// give tells the advisor a plan that Site.Plan finds.
func give(ctx context.Context, name, job string) error {
	data, err := planText(ctx, name)
	if err != nil {
		return err
	}
	return giveText(ctx, job, string(data))
}

func giveText(ctx context.Context, job, text string) error {
	a, err := asbaOf(ctx)
	if err != nil {
		return err
	}
	a.Give(job, text)
	w := in(ctx)
	if w.Advice == nil {
		w.Advice = map[string]string{}
	}
	w.Advice[job] = text
	return nil
}

func goWrong(ctx context.Context, how, job string) error {
	a, err := asbaOf(ctx)
	if err != nil {
		return err
	}
	a.GoWrong(job, how)
	w := in(ctx)
	if w.Advice == nil {
		w.Advice = map[string]string{}
	}
	w.Advice[job] = "{}" // nothing to judge by, also where all others have a plan
	return nil
}

// The names of the advisor's pipe and program in the site's folder.
const (
	pipeName    = "asba.pipe"
	programName = "asba"
)

// start starts the advisor, which is told before what it has to do, or leaves
// what is there of one that has gone.
func start(ctx context.Context, way string) error {
	w := in(ctx)
	a, err := asbaOf(ctx)
	if err != nil {
		return err
	}
	if a.shipped != nil && !a.absent {
		return a.run(w, way)
	}
	switch way {
	case overPipe:
		a.at = pipeName
		path := filepath.Join(w.Dir, pipeName)
		if !a.absent {
			return a.Listen(path)
		}
		if err := syscall.Mkfifo(path, 0o600); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	case overHTTP:
		a.at = "http://127.0.0.1:1" // nobody's
		if !a.absent {
			if a.at, err = a.Serve(); err != nil {
				return err
			}
		}
		w.Alias(a.at, "http://ASBA")
	case byCommand:
		a.at = "./" + programName
		if !a.absent {
			return a.Program(filepath.Join(w.Dir, programName))
		}
	}
	return nil
}
