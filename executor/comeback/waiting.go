package comeback

import (
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/program"
	"aws-slurm-burst/executor/slurm"
)

// powerUp is longer than any power-up: calls from before it were for others.
const powerUp = 2 * time.Hour

// Waiting returns the ids of the jobs that nodes were last powered up for, each
// once. slurmctld does not know them any more: a job that it requeued has no nodes.
// launches are those of the nodes, and say it where the call had no resume file.
func Waiting(c *program.Call, nodes []string, launches []journal.Launch) []string {
	var jobs []string
	add := func(id string) {
		if id != "" && !slices.Contains(jobs, id) {
			jobs = append(jobs, id)
		}
	}
	left := slices.Clone(nodes)
	for call := range c.Journal.Latest() {
		if len(left) == 0 || c.Env.Now().Sub(call.At) > powerUp {
			break
		}
		all, err := hostlist.Expand(call.Nodes)
		if err != nil {
			continue
		}
		of := func(names []string) func(string) bool {
			return func(n string) bool { return slices.Contains(names, n) }
		}
		if !slices.ContainsFunc(left, of(all)) {
			continue
		}
		if len(call.ResumeFile) == 0 {
			for _, l := range launches {
				if served, err := hostlist.Expand(l.Nodes); err == nil && l.Call == call.Nonce && slices.ContainsFunc(left, of(served)) {
					for id := range strings.SplitSeq(l.Job, ",") {
						add(id)
					}
				}
			}
		} else if f, err := slurm.ReadResumeFile(call.ResumeFile); err != nil {
			env.Debugf(c.Env, "jobs", "whose nodes %s were is not known: %v", call.Nodes, err)
		} else {
			for _, j := range f.Jobs {
				if slices.ContainsFunc(j.Resume, func(n string) bool { return slices.Contains(left, n) && slices.Contains(all, n) }) {
					add(j.ID)
				}
			}
		}
		left = slices.DeleteFunc(left, of(all))
	}
	return jobs
}
