package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cucumber/godog"

	"aws-slurm-burst/examples"
	"aws-slurm-burst/features/site"
)

func registerGiven(sc registrar) {
	givenSite(sc)
	givenJobs(sc)
	givenFaults(sc)
	givenAccidents(sc)
	givenASBA(sc)
	givenShipped(sc)
	givenStrangers(sc)
	givenReferences(sc)
}

// givenSite: what the site says, its plans and its configuration.
func givenSite(sc registrar) {
	sc.Step(`^the execution plan "([^"]+)"$`, func(ctx context.Context, name string) error {
		return in(ctx).Plan(name)
	})
	sc.Step(`^the execution plan "([^"]+)" as the plan of job (\d+)$`, planOfJob)
	sc.Step(`^an execution plan "([^"]+)" that says:$`, func(ctx context.Context, name string, text *godog.DocString) error {
		return in(ctx).Write(name, []byte(text.Content))
	})
	sc.Step(`^a job script "([^"]+)" that says:$`, func(ctx context.Context, name string, text *godog.DocString) error {
		return in(ctx).Write(name, []byte(text.Content+"\n"))
	})
	sc.Step(`^the plan in the variables of "([^"]+)"$`, func(ctx context.Context, name string) error {
		vars, err := in(ctx).Variables(name)
		in(ctx).Env = append(in(ctx).Env, vars...)
		return err
	})
	sc.Step(`^the variable (\w+=.*)$`, func(ctx context.Context, variable string) {
		in(ctx).Env = append(in(ctx).Env, variable)
	})
	sc.Step(`^the folder of the seed's command lines$`, func(ctx context.Context) error {
		seed, err := fs.Sub(examples.Files, "seed")
		if err != nil {
			return err
		}
		return in(ctx).Copy(seed, "config.yaml", "test-config.yaml", "aws-credentials",
			"plan.json", "test-plan.json", "invalid.json", "partial.json", "examples/asba-execution-plan.json")
	})
	sc.Step(`^the site's ([\w.]+) is (.+)$`, func(ctx context.Context, key, value string) error {
		return in(ctx).Set(key, value)
	})
	sc.Step(`^node group (\w+)'s ([\w.]+) (?:is|are) (.+)$`, func(ctx context.Context, group, key, value string) error {
		return in(ctx).SetGroup(group, key, value)
	})
	sc.Step(`^a configuration that says:$`, func(ctx context.Context, text *godog.DocString) error {
		return in(ctx).Write("config.yaml", []byte(text.Content+"\n"))
	})
	sc.Step(`^a launch may take (\d+) seconds$`, func(ctx context.Context, n int) error {
		w := in(ctx)
		return errors.Join(w.Set("slurm.resume_timeout", strconv.Itoa(n+1)), w.Set("slurm.boot_allowance", "1"))
	})
	sc.Step(`^"([^"]+)" may be written by anyone$`, func(ctx context.Context, name string) error {
		return os.Chmod(filepath.Join(in(ctx).Dir, name), 0o666)
	})
	sc.Step(`^"([^"]+)" belongs to somebody else$`, func(ctx context.Context, name string) error {
		const nobody = 65534
		return os.Chown(filepath.Join(in(ctx).Dir, name), nobody, nobody)
	})
}

// givenJobs: what Slurm's resume file says.
func givenJobs(sc registrar) {
	sc.Step(`^job (\d+) wants "([^"]+)"$`, wantNodes)
	sc.Step(`^each of "([^"]+)" is wanted by a job of its own$`, func(ctx context.Context, list string) error {
		names, err := site.Expand(list)
		for i, n := range names {
			err = errors.Join(err, wantNodes(ctx, 4711+i, n))
		}
		return err
	})
}

// givenFaults: how EC2 answers, in the words of the rules.
func givenFaults(sc registrar) {
	fault := func(sentence, rule string) {
		sc.Step(sentence, func(ctx context.Context) { in(ctx).Fault(rule) })
	}
	fault(`^EC2 has no capacity$`, "error: InsufficientInstanceCapacity")
	fault(`^EC2 has no spot capacity$`, "{market: spot, error: InsufficientInstanceCapacity}")
	fault1(sc, `^EC2 has no capacity for (\S+) instances$`, "{type: %s, error: InsufficientInstanceCapacity}")
	fault1(sc, `^EC2 has no capacity in (\S+)$`, "{az: %s, error: InsufficientInstanceCapacity}")
	fault1(sc, `^EC2 has capacity for (\d+) instances?$`, "capacity: %s")
	fault2(sc, `^EC2 has capacity for (\d+) instances in (\S+)$`, "{capacity: %s, az: %s}")
	fault2(sc, `^EC2 has capacity for (\d+) (\S+) instances$`, "{capacity: %s, type: %s}")
	fault1(sc, `^EC2 throttles the next (\d+) launches$`, "{throttle: true, times: %s}")
	fault2(sc, `^EC2 throttles the next (\d+) (\w+) calls$`, "{throttle: true, times: %s, action: %s}")
	fault1(sc, `^EC2 throttles every (\w+)$`, "{throttle: true, action: %s}")
	fault1(sc, `^the answer to the next (\w+) is lost$`, "{lost-answer: true, times: 1, action: %s}")
	fault2(sc, `^the answers to the next (\d+) (\w+) calls are lost$`, "{lost-answer: true, times: %s, action: %s}")
	fault1(sc, `^EC2 answers every launch with "([^"]+)"$`, "error: %s")
	fault2(sc, `^EC2 answers the next (\w+) with "([^"]+)"$`, "{times: 1, action: %s, error: %s}")
	fault2(sc, `^EC2 answers every (Describe\w+|Create\w+|Terminate\w+) with "([^"]+)"$`, "{action: %s, error: %s}")
	fault2(sc, `^EC2 answers launches in (\S+) with "([^"]+)"$`, "{az: %s, error: %s}")
	fault1(sc, `^EC2 answers spot launches with "([^"]+)"$`, "{market: spot, error: %s}")
	fault2(sc, `^EC2 takes (\d+) seconds to answer the next (\w+)$`, "{times: 1, delay: %ss, action: %s}")
	fault1(sc, `^EC2 shows instances as they were (\d+) seconds ago$`, "stale: %ss")
	fault(`^EC2 has no placement groups$`, "{action: '*PlacementGroup*', status: 501}")
	sc.Step(`^the faults of "([^"]+)"$`, exampleFaults)
	sc.Step(`^EC2 cannot be reached$`, func(ctx context.Context) { in(ctx).Unreachable() })
	sc.Step(`^EC2 is well again$`, func(ctx context.Context) { in(ctx).Heal() })
}

// givenAccidents: what happens without anybody calling.
func givenAccidents(sc registrar) {
	sc.Step(`^the programs' state is lost$`, func(ctx context.Context) error { return os.RemoveAll(in(ctx).State) })
	sc.Step(`^(\d+) minutes pass$`, func(ctx context.Context, n int) error {
		return in(ctx).Pass(ctx, time.Duration(n)*time.Minute)
	})
	sc.Step(`^EC2 ends the instance of "([^"]+)"$`, func(ctx context.Context, node string) error {
		return in(ctx).End(ctx, node)
	})
	sc.Step(`^EC2 loses the instance of "([^"]+)" as it is asked to end those of "([^"]+)"$`, func(ctx context.Context, node, list string) error {
		w := in(ctx)
		if err := w.EndAt(ctx, "TerminateInstances", node); err != nil {
			return err
		}
		return badID(w, node, list, "InvalidInstanceID.NotFound")
	})
	sc.Step(`^the instance of "([^"]+)" is protected when those of "([^"]+)" are to be ended$`, func(ctx context.Context, node, list string) error {
		return badID(in(ctx), node, list, "OperationNotPermitted")
	})
	sc.Step(`^somebody launches a second instance of "([^"]+)"$`, func(ctx context.Context, node string) error {
		return in(ctx).Stray(ctx, node)
	})
	sc.Step(`^somebody launches an instance of the cluster that names no node$`, func(ctx context.Context) error {
		return in(ctx).Stray(ctx, "")
	})
	sc.Step(`^an instance of the next launch dies of "([^"]+)" before it runs$`, func(ctx context.Context, code string) {
		in(ctx).DieOnLaunch(ctx, code)
	})
}

// badID refuses to end a list of instances for the sake of one of them, and that
// one again when they are ended one by one.
func badID(w *site.Site, node, list, code string) error {
	names, err := site.Expand(list)
	at := slices.Index(names, node)
	if err == nil && at < 0 {
		err = fmt.Errorf("%s is not one of %s", node, list)
	}
	refuse := "{action: TerminateInstances, times: 1, error: " + code
	w.Fault(refuse + "}")
	w.Fault(refuse + ", after: " + strconv.Itoa(at) + "}")
	return err
}

func fault1(sc registrar, sentence, rule string) {
	sc.Step(sentence, func(ctx context.Context, a string) { in(ctx).Fault(fmt.Sprintf(rule, a)) })
}

func fault2(sc registrar, sentence, rule string) {
	sc.Step(sentence, func(ctx context.Context, a, b string) { in(ctx).Fault(fmt.Sprintf(rule, a, b)) })
}

// planOfJob puts a plan into the site's folder of plans.
func planOfJob(ctx context.Context, name string, job int) error {
	data, err := planText(ctx, name)
	if err != nil {
		return err
	}
	return in(ctx).Write(fmt.Sprintf("plans/%d.json", job), data)
}

// planText is a plan that Site.Plan finds.
func planText(ctx context.Context, name string) ([]byte, error) {
	w := in(ctx)
	if err := w.Plan(name); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(w.Dir, name))
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
	w.Job(strconv.Itoa(job), names)
	return w.Write("resume.json", data)
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
