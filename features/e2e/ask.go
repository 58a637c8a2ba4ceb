package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/features/site"
	"aws-slurm-burst/features/slurmtest"
	"aws-slurm-burst/fixtures"
)

// Record is one of `scontrol show -o`.
type Record = slurmtest.Record

// Slurm runs a command that speaks to the cluster's slurmctld, and returns what
// it printed.
func (c *Cluster) Slurm(program string, args ...string) (string, error) {
	return c.ctld.Run(program, args...)
}

// Nodes are the nodes as slurmctld has them, by name.
func (c *Cluster) Nodes() (map[string]Record, error) {
	out, err := c.Slurm("scontrol", "show", "node", "-o")
	if err != nil {
		return nil, err
	}
	nodes := map[string]Record{}
	for _, r := range slurmtest.Records(out) {
		nodes[r["NodeName"]] = r
	}
	return nodes, nil
}

// Job returns a job, of an array the task: "12" or "12_3".
func (c *Cluster) Job(id string) (Record, error) {
	out, err := c.Slurm("scontrol", "show", "job", "-o", id)
	if err != nil {
		return nil, err
	}
	all := slurmtest.Records(out)
	if len(all) != 1 {
		return nil, fmt.Errorf("%d records of job %s", len(all), id)
	}
	return all[0], nil
}

// submit hands a script to sbatch and returns the job's id.
func (c *Cluster) submit(t testing.TB, script string, args ...string) string {
	t.Helper()
	args = append([]string{"--parsable", "--output=" + filepath.Join(c.dir, "job-%j.out")}, args...)
	file := filepath.Join(c.dir, "job.sh")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := c.Slurm("sbatch", append(args, file)...)
	if err != nil {
		c.fail(t, "%v", err)
	}
	return strings.TrimSpace(out)
}

// submitWithPlan submits a job held, writes its plan where the site's wrapper
// does, and releases it.
func (c *Cluster) submitWithPlan(t testing.TB, plan, script string, args ...string) string {
	t.Helper()
	id := c.submit(t, script, append([]string{"--hold"}, args...)...)
	c.plan(t, id, plan)
	c.must(t, "scontrol", "release", id)
	return id
}

// plan puts a plan of the fixtures where plans.dir has that of a job.
func (c *Cluster) plan(t testing.TB, job, name string) {
	t.Helper()
	data, err := fixtures.Plan(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "plans", job+".json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func (c *Cluster) must(t testing.TB, program string, args ...string) string {
	t.Helper()
	out, err := c.Slurm(program, args...)
	if err != nil {
		c.fail(t, "%v", err)
	}
	return out
}

// live returns the instances of the cluster that cost money, by EC2's word.
func (c *Cluster) live() ([]site.Instance, error) {
	ctx, cancel := context.WithTimeout(context.Background(), slurmtest.CommandWithin)
	defer cancel()
	return c.room.ec2.LiveOf(ctx, c.Name)
}

// until waits for a condition; saw is what there is instead of it.
func (c *Cluster) until(t testing.TB, within time.Duration, what string, holds func() (ok bool, saw string)) {
	t.Helper()
	var saw string
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		var ok bool
		if ok, saw = holds(); ok {
			return
		}
	}
	c.fail(t, "not within %s: %s; %s", within, what, saw)
}

// untilJob waits until a job is in one of the states.
func (c *Cluster) untilJob(t testing.TB, id string, within time.Duration, states ...string) Record {
	t.Helper()
	var r Record
	c.until(t, within, "job "+id+" "+strings.Join(states, " or "), func() (bool, string) {
		var err error
		if r, err = c.Job(id); err != nil {
			return false, err.Error()
		}
		return slices.Contains(states, r["JobState"]), "it is " + r["JobState"] + ", " + r["Reason"]
	})
	return r
}

// idle is the state of a node that is powered down and free.
const idle = "IDLE+CLOUD+POWERED_DOWN"

// settled waits for what every scenario ends with: no instance lives, every
// node is powered down and free, no slurmd runs, and there never were two
// instances of one node.
func (c *Cluster) settled(t testing.TB, within time.Duration) {
	t.Helper()
	c.until(t, within, "no instance, every node idle~, no slurmd", func() (bool, string) {
		live, err := c.live()
		if err != nil {
			return false, err.Error()
		}
		nodes, err := c.Nodes()
		if err != nil {
			return false, err.Error()
		}
		var saw []string
		for _, i := range live {
			saw = append(saw, i.ID+" "+i.State)
		}
		for _, n := range slices.Sorted(maps.Keys(nodes)) {
			if s := nodes[n]["State"]; s != idle {
				saw = append(saw, n+" "+s)
			}
		}
		if n := c.machines.running(); n > 0 {
			saw = append(saw, fmt.Sprintf("%d processes of slurmd", n))
		}
		if len(nodes) != c.opt.Nodes {
			saw = append(saw, fmt.Sprintf("%d nodes", len(nodes)))
		}
		return len(saw) == 0, "there are " + strings.Join(saw, ", ")
	})
	if d := c.machines.twice(); len(d) > 0 {
		c.fail(t, "two live instances of one node: %s", strings.Join(d, "; "))
	}
}

// log is the programs' own log.
func (c *Cluster) log() string {
	data, err := os.ReadFile(filepath.Join(c.dir, "state", "aws-slurm-burst", "aws-slurm-burst.log"))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// fail ends a test with everything that helps to see why.
func (c *Cluster) fail(t testing.TB, format string, args ...any) {
	t.Helper()
	t.Errorf(format, args...)
	var b strings.Builder
	for _, q := range [][]string{
		{"squeue", "--array", "-o", "%i %T %R %N"}, {"sinfo", "-N", "-o", "%N %T %E"}, {"scontrol", "show", "node", "-o"}, {"scontrol", "show", "job", "-o"},
	} {
		out, err := c.Slurm(q[0], q[1:]...)
		if err != nil {
			out += err.Error() + "\n"
		}
		fmt.Fprintf(&b, "-- %s\n%s", strings.Join(q, " "), out)
	}
	fmt.Fprintf(&b, "-- calls to EC2\n")
	for _, call := range c.proxy.Calls() {
		fmt.Fprintf(&b, "%s %s %d %s applied=%t %s %s\n", call.Time, call.Action, call.Status, call.Code, call.Applied, call.Params.Get("InstanceType"), call.Params.Get("MinCount"))
	}
	fmt.Fprintf(&b, "-- aws-slurm-burst.log\n%s", slurmtest.LastLines(c.log(), 60))
	fmt.Fprintf(&b, "-- slurmctld.log\n%s", slurmtest.Tail(filepath.Join(c.dir, "log", "slurmctld.log"), 80))
	fmt.Fprintf(&b, "all of it: %s\n", c.dir)
	t.Fatal(b.String())
}
