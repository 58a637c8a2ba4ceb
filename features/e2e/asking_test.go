package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/features/advisor"
	"aws-slurm-burst/features/site"
	"aws-slurm-burst/features/slurmtest"
	"aws-slurm-burst/fixtures"
)

// spread is a plan for jobs of one node, unlike what the configuration has.
const spread = `{"should_burst": true,
  "instance_specification": {"instance_types": ["c6in.32xlarge"], "purchasing_option": "spot"},
  "mpi_configuration": {"is_mpi_job": false, "requires_gang_scheduling": false},
  "cost_constraints": {"max_cost_per_hour": 100}, "network_configuration": {"placement_group_type": "none"}}`

func standIn(t *testing.T) (a *advisor.Advisor, dir string) {
	t.Helper()
	slurmtest.Need(t)
	dir = t.TempDir()
	a, err := advisor.New(filepath.Join(dir, "advisor"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a, dir
}

func TestASBAIsAskedForEachJobOverHTTP(t *testing.T) {
	a, _ := standIn(t)
	url, err := a.Serve()
	if err != nil {
		t.Fatal(err)
	}
	askedForEachJob(t, a, fmt.Sprintf("{url: %q}", url), nil)
}

func TestASBAIsAskedForEachJobOverItsPipe(t *testing.T) {
	a, dir := standIn(t)
	pipe := filepath.Join(dir, "asba.pipe")
	if err := a.Listen(pipe); err != nil {
		t.Fatal(err)
	}
	askedForEachJob(t, a, fmt.Sprintf("{pipe: %q}", pipe), nil)
}

func TestASBAIsAskedForEachJobByItsCommand(t *testing.T) {
	a, dir := standIn(t)
	program := filepath.Join(dir, "asba")
	askedForEachJob(t, a, fmt.Sprintf("{command: %q}", program), func() error { return a.Program(program) })
}

// A gang and an array, each with the plan that ASBA has for it: slurmctld calls
// with a hostlist and little else, and the configuration is all that there is.
// told is called once the advisor knows what to say.
func askedForEachJob(t *testing.T, a *advisor.Advisor, section string, told func() error) {
	c := cluster(t, Options{Nodes: 5, ASBA: section, SuspendTime: 5 * time.Second})
	data, err := fixtures.Plan(gang)
	if err != nil {
		t.Fatal(err)
	}
	script := "while [ ! -e " + c.dir + "/go ]; do sleep 0.2; done"
	one := c.submit(t, script, "--hold", "--nodes=2")
	array := c.submit(t, script+" # in parts", "--hold", "--nodes=1", "--array=1-3")
	a.Give(one, string(data))
	a.Give("", spread)
	if told != nil {
		if err := told(); err != nil {
			t.Fatal(err)
		}
	}
	c.must(t, "scontrol", "release", one)
	c.must(t, "scontrol", "release", array)
	jobs := []string{one, array + "_1", array + "_2", array + "_3"}
	for _, id := range jobs {
		c.untilJob(t, id, 90*time.Second, "RUNNING")
	}
	live, err := c.live()
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]int{}
	for _, i := range live {
		types[i.Type+" "+i.Lifecycle]++
	}
	if len(live) != 5 || types["c5n.18xlarge spot"] != 2 || types["c6in.32xlarge spot"] != 3 {
		c.fail(t, "instances: %v", types)
	}
	questions := a.Asked()
	if len(questions) < 2 {
		c.fail(t, "asked: %+v", questions)
	}
	for _, q := range questions {
		want := advisor.Question{Job: one, Nodes: 2, Partition: "aws", Script: "#!/bin/sh\n" + script + "\n"}
		if strings.HasPrefix(q.Job, array+"_") {
			want = advisor.Question{Job: q.Job, Nodes: 1, Partition: "aws", Script: "#!/bin/sh\n" + script + " # in parts\n"}
		}
		if !strings.HasPrefix(section, "{url") {
			want.Script = "" // it never goes over a pipe
		}
		if told == nil && q != want { // of a program no more is known than that it was called
			c.fail(t, "asked %+v, want %+v", q, want)
		}
	}
	if strings.Contains(c.log(), "falling back") {
		c.fail(t, "a plan was not had")
	}
	if err := os.WriteFile(filepath.Join(c.dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, id := range jobs {
		c.untilJob(t, id, 30*time.Second, "COMPLETED")
	}
	c.settled(t, 60*time.Second)
}

// The job does not wait for an advisor that hangs, and Slurm notices nothing.
func TestAHangingAdvisorCostsAJobItsPlanAlone(t *testing.T) {
	a, _ := standIn(t)
	url, err := a.Serve()
	if err != nil {
		t.Fatal(err)
	}
	a.Give("", spread)
	a.GoWrong("", advisor.Hangs)
	c := cluster(t, Options{Nodes: 2, ASBA: fmt.Sprintf("{url: %q, timeout: 3s}", url), SuspendTime: 5 * time.Second})
	id := c.submit(t, "srun hostname", "--nodes=2")
	c.untilJob(t, id, 90*time.Second, "COMPLETED")
	c.settled(t, 60*time.Second)
	if want := "job " + id + ": ASBA did not answer within 3s at " + url + ", falling back to standalone mode"; !strings.Contains(c.log(), want) {
		c.fail(t, "the log does not say: %s", want)
	}
}

func TestTheShippedAdvisorIsAskedForEachJob(t *testing.T) {
	slurmtest.Need(t)
	shippedIsAsked(t, fmt.Sprintf("{command: %q}", filepath.Join(room.bin, "asba")))
}

func TestTheShippedDaemonIsAskedForEachJob(t *testing.T) {
	slurmtest.Need(t)
	pipe := filepath.Join(t.TempDir(), "asba.pipe")
	shippedIsAsked(t, fmt.Sprintf("{pipe: %q}", pipe), "daemon", "--pipe="+pipe)
}

// The port is the shipped default: the loopback is the run's own.
func TestTheShippedServerIsAskedForEachJob(t *testing.T) {
	slurmtest.Need(t)
	shippedIsAsked(t, `{url: "http://127.0.0.1:8080"}`, "serve")
}

// The advisor that is shipped, by its command or as a service that args start: it
// reads Slurm's record and the stored script of the job, and nothing but the
// configuration names it.
func shippedIsAsked(t *testing.T, section string, args ...string) {
	c := cluster(t, Options{Nodes: 4, ASBA: section})
	if len(args) > 0 {
		cmd := exec.Command(filepath.Join(room.bin, "asba"), args...)
		cmd.Env = []string{"SLURM_CONF=" + c.conf}
		s, err := site.StartService(cmd)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		}()
	}
	id := c.submit(t, "module load openmpi 2>/dev/null\nsrun --mpi=none hostname", "--nodes=4", "--time=30")
	c.ranOnce(t, id)
	if log := c.log(); strings.Contains(log, "falling back") || !strings.Contains(log, `"mode":"asba"`) {
		c.fail(t, "the advisor's plan was not used")
	}
	types := map[string]bool{}
	for _, call := range c.proxy.Calls() {
		if call.Action == "RunInstances" && call.Params.Get("DryRun") != "true" {
			types[call.Params.Get("InstanceType")] = true
			if call.Params.Get("MinCount") != "4" {
				c.fail(t, "MPI over four nodes is launched as %s or more", call.Params.Get("MinCount"))
			}
		}
	}
	if types["c5n.18xlarge"] || types["c6in.32xlarge"] || len(types) != 1 {
		c.fail(t, "launched are %v: of the configuration's own types, or several", types)
	}
}
