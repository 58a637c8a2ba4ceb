package suspend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/comeback"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/slurm"
)

// unregistered is the code of nodes whose slurmd did not register within
// slurm.conf's ResumeTimeout.
const unregistered = "ResumeTimeout"

// bootsWithin is how long a machine takes at most, from its launch until it is a
// node: one to five minutes are usual, by image and type.
const bootsWithin = 5 * time.Minute

// sayFailed says which nodes did not come up, with what they ran on, and what to
// do about it: a machine that is slow needs another cure than one that never comes.
func (s *suspension) sayFailed(live []cloud.Instance) {
	had := map[*config.NodeGroup]time.Duration{}
	var groups []*config.NodeGroup
	for _, n := range s.Report.Nodes {
		what := "no instance"
		if n.InstanceID != "" {
			what = strings.TrimSpace(n.InstanceID + " " + n.InstanceType + " " + n.AZ)
		}
		if at := slices.IndexFunc(live, func(i cloud.Instance) bool { return i.ID == n.InstanceID }); at >= 0 {
			age := s.Env.Now().Sub(identity.LaunchedAt(&live[at]))
			what += fmt.Sprintf(", launched %.0f s ago", age.Seconds())
			g, _ := s.Config.GroupOf(n.Name)
			if !slices.Contains(groups, g) {
				groups = append(groups, g)
			}
			had[g] = max(had[g], age)
		}
		env.Warnf(s.Env, "resume-fail", "%s did not register in time: %s", n.Name, what)
	}
	for _, g := range groups {
		took := fmt.Sprintf("machines of node group %s had %.0f s from their launch", g.Name, had[g].Seconds())
		if had[g] < bootsWithin {
			env.Suggestf(s.Env, "resume-fail", "Raise ResumeTimeout in slurm.conf: %s, and need 1 to 5 minutes", took)
		} else {
			env.Suggestf(s.Env, "resume-fail", "Look at slurmd's log on such a machine (user data, munge key, SlurmctldHost, ports in its security group): %s", took)
		}
	}
}

// askRequeued asks slurmctld which jobs have lost the nodes, before anything else is
// said of these. The journal knows whom they were powered up for, but slurmctld gives
// nodes that boot to others too, without a call of ours.
func (s *suspension) askRequeued(ctx context.Context) []string {
	jobs, err := s.Slurm.RequeuedWith(ctx, s.nodes)
	if err != nil {
		env.Debugf(s.Env, "jobs", "which jobs have lost the nodes is not known, going by the journal: %v", err)
	}
	var ids []string
	for _, j := range jobs {
		ids = append(ids, j.ID)
	}
	return ids
}

// comeBack tells the jobs that lost the nodes why, and delays or holds them.
// slurmctld has requeued them already; one that has begun elsewhere meanwhile is
// left alone.
func (s *suspension) comeBack(ctx context.Context, launches []journal.Launch) {
	if s.Slurm.Off() {
		return
	}
	jobs := s.requeued
	for _, id := range comeback.Waiting(s.Call, s.nodes, launches) {
		if !slices.Contains(jobs, id) {
			jobs = append(jobs, id)
		}
	}
	for _, id := range jobs {
		err := s.comesBack(ctx, id)
		if errors.Is(err, slurm.ErrUnreachable) {
			env.Errorf(s.Env, "job", "jobs come back as Slurm has it: %v", err)
			return
		}
		if err != nil {
			env.Warnf(s.Env, "job", "job %s comes back as Slurm has it: %v", id, err)
		}
	}
}

func (s *suspension) comesBack(ctx context.Context, id string) error {
	records, err := s.Slurm.Records(ctx, id)
	if errors.Is(err, slurm.ErrNoJob) {
		return nil
	}
	if err != nil {
		return err
	}
	i := slices.IndexFunc(records, func(r slurm.Record) bool { return r.ID == id })
	if i < 0 || records[i].Restarts == 0 || slurm.Gone(records[i]) {
		return nil
	}
	job := records[i]
	if job.State != "PENDING" { // it has begun elsewhere meanwhile, and this was one time
		_, _, err := s.Journal.Failed(job.ID, job.Restarts, unregistered)
		return err
	}
	if err := s.Slurm.Comment(ctx, job, "nodes did not register within ResumeTimeout"); err != nil {
		env.Warnf(s.Env, "job", "job %s: comment not written: %v", job.Ref(), err)
	}
	return comeback.Later(ctx, s.Call, job, job.Restarts, unregistered)
}
