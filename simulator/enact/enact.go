// Package enact carries out a scenario: it reads what the scenario names, makes the
// cluster that it describes, and runs it.
package enact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/simulator/cluster"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/scenario"
	"aws-slurm-burst/simulator/scenario/jobs"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/ctld"
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
		progress(scenario.Progress{Simulated: p.Simulated, Submitted: p.Submitted, Ended: p.Ended, Read: opened.Share()})
	}
	out, err := cluster.Run(ctx, e, sent(opened.Source(), where), o)
	if errors.Is(err, ctld.ErrConf) {
		return scenario.Outcome{}, s.Unfit("/cluster/slurm", err)
	}
	if err != nil {
		return scenario.Outcome{}, err
	}
	done := scenario.Outcome{
		TraceHash: out.TraceHash, Simulated: out.Simulated,
		Procs: standing(&o.Slurm), Repairs: opened.Repairs(),
	}
	if out.Refused > 0 {
		done.Repairs = append(done.Repairs, scenario.Repair{Kind: "refused", Says: fmt.Sprintf("jobs that sbatch would not take (the first: %v)", out.FirstRefusal), Count: out.Refused})
	}
	return done, nil
}

// standing are the processors of the nodes that are not in the cloud.
func standing(s *conf.Settings) int {
	procs := 0
	for _, n := range s.Nodes {
		if names, err := hostlist.Expand(n.Names); err == nil && !n.Cloud { // slurmctld has expanded them before
			procs += n.CPUs * len(names)
		}
	}
	return procs
}

// site makes the options of a scenario's cluster, and says to which partitions
// jobs are sent that name none.
func (r Simulator) site(s *scenario.Scenario) (o cluster.Options, partitions string, err error) {
	cfg, err := r.config(s)
	if err != nil {
		return o, "", err
	}
	f, err := r.slurmConf(s, cfg)
	if err != nil {
		return o, "", err
	}
	o.Slurm = f.Settings
	partitions = partitionsOf(&o.Slurm)
	if o.Policy, err = sched.ParsePolicy(string(s.Cluster.Scheduler)); err != nil {
		return o, "", err
	}
	if s.Workload.OverRun == scenario.Extend {
		o.Slurm.OverTimeLimit = conf.Infinite
		for i := range o.Slurm.Partitions {
			o.Slurm.Partitions[i].OverTimeLimit = nil
		}
	}
	if f := s.Cluster.Failures; f.MTBF > 0 {
		o.Failures = &cluster.Failures{MTBF: f.MTBF, Repair: f.Repair}
	}
	if cfg == nil {
		return o, partitions, nil
	}
	o.Cloud, err = r.cloud(s, cfg, catalog.Default(), &o.Slurm)
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

// config is the executor's configuration; nil where there is no cloud.
func (r Simulator) config(s *scenario.Scenario) (*config.Config, error) {
	if s.Cluster.Cloud == nil {
		return nil, nil
	}
	path := s.Cluster.Cloud.Config
	data, err := r.read(path)
	if err != nil {
		return nil, err
	}
	return config.Parse(data, path)
}

// slurmConf reads the scenario's slurm.conf, or the one that its premises and
// node groups make, with its settings over it.
func (r Simulator) slurmConf(s *scenario.Scenario, cfg *config.Config) (*conf.File, error) {
	var over []conf.Line
	for _, l := range s.Cluster.Settings {
		over = append(over, conf.Line(l))
	}
	name := s.Cluster.SlurmConf
	var data []byte
	var err error
	if name != "" {
		data, err = r.read(name)
	} else {
		name = "the cluster"
		p := s.Cluster.Premises
		cores := 0
		if s.Cluster.Cloud != nil {
			cores = s.Cluster.Cloud.CoresPerNode
		}
		var text string
		text, err = cluster.SlurmConf(cluster.Premises{Nodes: p.Nodes, Cores: p.CoresPerNode, MemoryMB: p.MemoryMB}, cfg, catalog.Default(), cores)
		if err != nil {
			return nil, s.Unfit("/cluster/cloud/config", err)
		}
		data = []byte(text)
	}
	if err != nil {
		return nil, err
	}
	f := conf.Read(data, name, r.read, over...)
	if wrong := slices.DeleteFunc(slices.Clone(f.Findings), func(f finding.Finding) bool { return f.Level < finding.Error }); len(wrong) > 0 {
		return nil, &scenario.Invalid{Findings: wrong}
	}
	if s.Cluster.Alone {
		if err := alone(&f.Settings); err != nil {
			return nil, s.Unfit("/cluster/slurm/conf", err)
		}
	}
	if s.Cluster.Cloud == nil && slices.ContainsFunc(f.Settings.Nodes, func(n conf.Node) bool { return n.Cloud }) {
		return nil, s.Unfit("/cluster/slurm/conf", errNoCloud)
	}
	return f, nil
}

var errNoCloud = errors.New("the slurm.conf has cloud nodes, and the scenario has no cloud: name the executor's configuration (cluster.cloud.config, or --cloud)")

// partitionsOf lists all partitions, as a job names them that may run in any.
func partitionsOf(s *conf.Settings) string {
	var names []string
	for _, p := range s.Partitions {
		names = append(names, p.Name)
	}
	return strings.Join(names, ",")
}

// sent sends jobs to those of their partitions that this cluster has, and jobs
// that name none of it to all: a log's are those of another machine.
func sent(jobs workload.Source, partitions string) workload.Source {
	known := map[string]bool{}
	for p := range strings.SplitSeq(partitions, ",") {
		known[p] = true
	}
	return func(yield func(workload.Job, error) bool) {
		for j, err := range jobs {
			if !known[j.Partition] {
				own := slices.DeleteFunc(strings.Split(j.Partition, ","), func(p string) bool { return !known[p] })
				if j.Partition = strings.Join(own, ","); j.Partition == "" {
					j.Partition = partitions
				}
			}
			if !yield(j, err) {
				return
			}
		}
	}
}
