// Package enact carries out a scenario: it reads what the scenario names, makes the
// cluster that it describes, and runs it.
package enact

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/simulator/cluster"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/scenario"
	"aws-slurm-burst/simulator/scenario/jobs"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
)

// Simulator runs scenarios.
type Simulator struct {
	// Open opens the files that scenarios name.
	Open func(path string) (io.ReadCloser, error)
}

// Run runs a scenario. It tells the sink what happens, in order of time from
// record.Begin on, and ends soon after ctx is done, with ctx's cause. What is
// wrong with the workload is a *trace.Error, with the executor's configuration a
// *config.Invalid.
func (r Simulator) Run(ctx context.Context, s *scenario.Scenario, sink record.Sink, progress func(scenario.Progress)) (scenario.Outcome, error) {
	e := cluster.NewEngine(s.Seed)
	opened, err := jobs.Open(&s.Workload, e, r.Open)
	if err != nil {
		return scenario.Outcome{}, err
	}
	defer opened.Close()
	o, where, err := r.site(s)
	if err != nil {
		return scenario.Outcome{}, err
	}
	o.Sink, o.Until = sink, s.Until
	o.Progress = func(p cluster.Progress) {
		progress(scenario.Progress{Simulated: p.Simulated, Submitted: p.Submitted, Ended: p.Ended})
	}
	out, err := cluster.Run(ctx, e, sent(opened.Source(), where), o)
	if err != nil {
		return scenario.Outcome{}, err
	}
	done := scenario.Outcome{
		TraceHash: out.TraceHash, Simulated: out.Simulated,
		Procs: s.Cluster.Premises.Nodes * s.Cluster.Premises.CoresPerNode, Repairs: opened.Repairs(),
	}
	if out.Refused > 0 {
		done.Repairs = append(done.Repairs, scenario.Repair{Kind: "refused", Says: fmt.Sprintf("jobs that sbatch would not take (the first: %v)", out.FirstRefusal), Count: out.Refused})
	}
	return done, nil
}

// site makes the options of a scenario's cluster, and says to which partitions
// jobs are sent that name none.
func (r Simulator) site(s *scenario.Scenario) (o cluster.Options, partitions string, err error) {
	var cfg *config.Config
	c := s.Cluster.Cloud
	if c != nil {
		if cfg, err = r.config(c.Config); err != nil {
			return o, "", err
		}
	}
	p := cluster.Premises{Nodes: s.Cluster.Premises.Nodes, Cores: s.Cluster.Premises.CoresPerNode, MemoryMB: s.Cluster.Premises.MemoryMB}
	cores := 0
	if c != nil {
		cores = c.CoresPerNode
	}
	types := catalog.Default()
	if s.Cluster.SlurmConf != "" {
		o.Slurm, err = r.slurmConf(s)
		partitions = partitionsOf(&o.Slurm)
	} else {
		o.Slurm, partitions, err = cluster.Assemble(s.Name, p, cfg, types, cores)
	}
	if err != nil {
		return o, "", err
	}
	if o.Policy, err = sched.ParsePolicy(string(s.Cluster.Scheduler)); err != nil {
		return o, "", err
	}
	if s.Workload.OverRun == scenario.Extend {
		o.Slurm.OverTimeLimit = conf.Infinite
	}
	if c == nil {
		return o, partitions, nil
	}
	o.Cloud, err = r.cloud(s, cfg, types, &o.Slurm)
	return o, partitions, err
}

func (r Simulator) read(path string) ([]byte, error) {
	f, err := r.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func (r Simulator) config(path string) (*config.Config, error) {
	data, err := r.read(path)
	if err != nil {
		return nil, err
	}
	return config.Parse(data, path)
}

// slurmConf reads the scenario's slurm.conf, with its own settings over it.
func (r Simulator) slurmConf(s *scenario.Scenario) (conf.Settings, error) {
	data, err := r.read(s.Cluster.SlurmConf)
	if err != nil {
		return conf.Settings{}, err
	}
	var over []conf.Line
	for _, l := range s.Cluster.Settings {
		over = append(over, conf.Line(l))
	}
	f := conf.Read(data, s.Cluster.SlurmConf, r.read, over...)
	for _, found := range f.Findings {
		if found.Level >= finding.Error {
			return f.Settings, &scenario.Invalid{Findings: []finding.Finding{found}}
		}
	}
	return f.Settings, nil
}

// partitionsOf lists all partitions, as a job names them that may run in any.
func partitionsOf(s *conf.Settings) string {
	var names []string
	for _, p := range s.Partitions {
		names = append(names, p.Name)
	}
	return strings.Join(names, ",")
}

// sent sends jobs to all partitions that name none of this cluster: a log's are
// those of another machine.
func sent(jobs workload.Source, partitions string) workload.Source {
	known := map[string]bool{}
	for _, p := range strings.Split(partitions, ",") {
		known[p] = true
	}
	return func(yield func(workload.Job, error) bool) {
		for j, err := range jobs {
			if !known[j.Partition] {
				j.Partition = partitions
			}
			if !yield(j, err) {
				return
			}
		}
	}
}

// reconcileEvery is how often a site runs reconcile.
const reconcileEvery = 6 * time.Hour
