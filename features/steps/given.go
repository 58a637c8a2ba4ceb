package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cucumber/godog"

	"aws-slurm-burst/examples"
	"aws-slurm-burst/features/site"
)

func registerGiven(sc *godog.ScenarioContext) {
	sc.Step(`^the execution plan "([^"]+)"$`, func(ctx context.Context, name string) error {
		return in(ctx).Plan(name)
	})
	sc.Step(`^the execution plan "([^"]+)" as the plan of job (\d+)$`, planOfJob)
	sc.Step(`^an execution plan "([^"]+)" that says:$`, func(ctx context.Context, name string, text *godog.DocString) error {
		return in(ctx).Write(name, []byte(text.Content))
	})
	sc.Step(`^the plan in the variables of "([^"]+)"$`, func(ctx context.Context, name string) error {
		vars, err := in(ctx).Variables(name)
		in(ctx).Env = append(in(ctx).Env, vars...)
		return err
	})
	sc.Step(`^job (\d+) wants "([^"]+)"$`, wantNodes)
	sc.Step(`^the folder of the seed's command lines$`, func(ctx context.Context) error {
		seed, err := fs.Sub(examples.Files, "seed")
		if err != nil {
			return err
		}
		return in(ctx).Copy(seed, "config.yaml", "test-config.yaml", "aws-credentials",
			"plan.json", "test-plan.json", "invalid.json", "partial.json", "examples/asba-execution-plan.json")
	})
	sc.Step(`^the site's plans\.(\w+) is "?(\w+)"?$`, sitePlans)

	sc.Step(`^EC2 has no capacity$`, rule("error: InsufficientInstanceCapacity"))
	sc.Step(`^EC2 has no capacity in ([a-z0-9-]+)$`, func(ctx context.Context, az string) {
		in(ctx).Fault("{az: " + az + ", error: InsufficientInstanceCapacity}")
	})
	sc.Step(`^EC2 has no spot capacity$`, rule("{market: spot, error: InsufficientInstanceCapacity}"))
	sc.Step(`^EC2 has capacity for (\d+) instances$`, func(ctx context.Context, n int) {
		in(ctx).Fault(fmt.Sprintf("capacity: %d", n))
	})
	sc.Step(`^EC2 throttles the next (\d+) launches$`, func(ctx context.Context, n int) {
		in(ctx).Fault(fmt.Sprintf("{throttle: true, times: %d}", n))
	})
	sc.Step(`^the answer to the next (\w+) is lost$`, func(ctx context.Context, action string) {
		in(ctx).Fault("{action: " + action + ", lost-answer: true, times: 1}")
	})
	sc.Step(`^EC2 answers every launch with "([^"]+)"$`, func(ctx context.Context, code string) {
		in(ctx).Fault("error: " + code)
	})
	sc.Step(`^EC2 answers the next (\w+) with "([^"]+)"$`, func(ctx context.Context, action, code string) {
		in(ctx).Fault("{action: " + action + ", error: " + code + ", times: 1}")
	})
	sc.Step(`^EC2 answers launches in (\S+) with "([^"]+)"$`, func(ctx context.Context, az, code string) {
		in(ctx).Fault("{az: " + az + ", error: " + code + "}")
	})
	sc.Step(`^EC2 cannot be reached$`, func(ctx context.Context) {
		in(ctx).Unreachable()
	})
	sc.Step(`^EC2 answers spot launches with "([^"]+)"$`, func(ctx context.Context, code string) {
		in(ctx).Fault("{market: spot, error: " + code + "}")
	})
	sc.Step(`^the programs' state is lost$`, func(ctx context.Context) error { return os.RemoveAll(in(ctx).State) })
	sc.Step(`^"([^"]+)" may be written by anyone$`, func(ctx context.Context, name string) error {
		return os.Chmod(filepath.Join(in(ctx).Dir, name), 0o666)
	})
	sc.Step(`^the faults of "([^"]+)"$`, exampleFaults)
	sc.Step(`^EC2 is well again$`, func(ctx context.Context) {
		in(ctx).Heal()
	})
}

func rule(text string) func(context.Context) {
	return func(ctx context.Context) { in(ctx).Fault(text) }
}

// planOfJob puts a plan into the site's folder of plans.
func planOfJob(ctx context.Context, name string, job int) error {
	w := in(ctx)
	if err := w.Plan(name); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(w.Dir, name))
	if err != nil {
		return err
	}
	return w.Write(fmt.Sprintf("plans/%d.json", job), data)
}

// resumeFile is Slurm's resume file, in the form that Slurm 23.02 and later give
// it.
type resumeFile struct {
	All  string      `json:"all_nodes_resume"`
	Jobs []resumeJob `json:"jobs"`
}

type resumeJob struct {
	ID     int    `json:"job_id"`
	Alloc  string `json:"nodes_alloc"`
	Resume string `json:"nodes_resume"`
}

// wantNodes adds a job to the resume file. It may name nodes that a call does
// not: the command line is the authority.
func wantNodes(ctx context.Context, job int, nodes string) error {
	w := in(ctx)
	var f resumeFile
	data, err := os.ReadFile(filepath.Join(w.Dir, "resume.json"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.Env = append(w.Env, "SLURM_RESUME_FILE="+filepath.Join(w.Dir, "resume.json"))
	case err != nil:
		return err
	default:
		if err := json.Unmarshal(data, &f); err != nil {
			return err
		}
		f.All += ","
	}
	f.All += nodes
	f.Jobs = append(f.Jobs, resumeJob{job, nodes, nodes})
	if data, err = json.Marshal(f); err != nil {
		return err
	}
	names, err := site.Expand(nodes)
	if err != nil {
		return err
	}
	w.Gang(names)
	return w.Write("resume.json", data)
}

// sitePlans changes a key of the configuration's section plans, the last one of
// the example.
func sitePlans(ctx context.Context, key, value string) error {
	w := in(ctx)
	data, err := os.ReadFile(filepath.Join(w.Dir, "config.yaml"))
	if err != nil {
		return err
	}
	at := strings.LastIndex(string(data), "\nplans:\n")
	if at < 0 || strings.Contains(string(data[at:]), "  "+key+":") {
		return fmt.Errorf("config.yaml has no section plans to add %s to", key)
	}
	return w.Write("config.yaml", fmt.Appendf(data, "  %s: %s\n", key, value))
}

func exampleFaults(ctx context.Context, name string) error {
	w := in(ctx)
	data, err := w.FaultRules(name)
	if err != nil {
		return err
	}
	_, rules, ok := strings.Cut(string(data), "\nfaults:\n")
	if !ok {
		return fmt.Errorf("%s has no list of faults", name)
	}
	w.Rules(rules)
	return nil
}
