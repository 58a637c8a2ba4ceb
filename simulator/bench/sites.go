package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/enact"
	"aws-slurm-burst/simulator/processors"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report"
	"aws-slurm-burst/simulator/scenario"
	"aws-slurm-burst/simulator/workload/swf"
)

const (
	kthLog     = "KTH-SP2-1996-2.swf.gz"
	thunderLog = "LLNL-Thunder-2007-1.1-cln.swf.gz"
)

// easy compares EASY over KTH, from the log's text to the last job's end, with
// AccaSim's, which counts its processors, too. Both have it unpacked.
func (b *bench) easy() {
	path, ok := b.trace(kthLog)
	if !ok || b.python == "" {
		return
	}
	packed, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		panic(err)
	}
	log, err := io.ReadAll(unpacked)
	if err != nil {
		panic(err)
	}
	jobs := 0
	ours, theirs := b.pairs(func() float64 {
		jobs = 0
		start := cpu()
		e := simulator.New(simulator.Options{Start: record.Begin})
		src := swf.NewReader(bytes.NewReader(log), swf.Options{}).Jobs()
		if err := processors.Run(e, src, processors.Options{Processors: 100, Policy: processors.EASY}, func(processors.Result) { jobs++ }); err != nil {
			panic(err)
		}
		return float64(cpu() - start)
	}, func() float64 { return b.py("accasim", path, "100") * 1e9 })
	b.add("EASY on KTH, processors, to AccaSim 1.1.3", fmt.Sprintf("%.0f jobs/s, %.0f x (%.0f jobs/s)", float64(jobs)/ours*1e9, theirs/ours, float64(jobs)/theirs*1e9), "at least 300 x", theirs >= 300*ours)
}

// config is a site whose nodes are all in the cloud.
const config = `
cluster: bench
aws: {region: us-east-1}
slurm:
  partitions:
    - partition_name: aws
      node_groups:
        - {node_group_name: cpu, nodes: "aws-cpu-[001-100]", instance_types: [c6i.xlarge, c5.xlarge], subnets: {default_for_az: true}, image: {owner: amazon, name: "al2023-ami-2023*"}}
`

// open opens the config above, and files.
func open(path string) (io.ReadCloser, error) {
	if path == "config.yaml" {
		return io.NopCloser(bytes.NewReader([]byte(config))), nil
	}
	return os.Open(path)
}

// run runs a scenario with its figures, as the command does, and returns the
// processor seconds and the jobs that ended.
func run(s *scenario.Scenario) (seconds float64, jobs int) {
	defer debug.SetGCPercent(debug.SetGCPercent(1600)) // as the command has it
	start := cpu()
	c := report.New(report.Options{Begin: record.Begin, Cloud: s.Cluster.Cloud != nil, OnJob: func(report.Job) {}})
	out, err := enact.Simulator{Open: open}.Run(context.Background(), s, c.Take, func(scenario.Progress) {})
	if err != nil {
		panic(err)
	}
	r := c.Report(record.Begin.Add(out.Simulated), out.Procs)
	return (cpu() - start).Seconds(), r.Jobs
}

func (b *bench) sites() {
	if path, ok := b.trace(thunderLog); ok {
		s := scenario.New()
		s.Workload.Trace, s.Workload.Lenient = path, true
		s.Cluster.Scheduler, s.Cluster.Premises = scenario.EASY, scenario.Premises{Nodes: 1002, CoresPerNode: 4}
		rate := b.median(func() float64 { seconds, jobs := run(s); return float64(jobs) / seconds })
		b.add("EASY on Thunder, nodes with power states", fmt.Sprintf("%.0f jobs/s", rate), "at least 90,000 jobs/s", rate >= 90_000)
	}
	if path, ok := b.trace(kthLog); ok {
		s := scenario.New()
		s.Workload.Trace = path
		s.Cluster.Scheduler, s.Cluster.Cloud = scenario.EASY, scenario.NewCloud()
		s.Cluster.Cloud.Config, s.Cluster.Cloud.CoresPerNode = "config.yaml", 1
		seconds := b.median(func() float64 { seconds, _ := run(s); return seconds })
		b.add("KTH in the cloud, 333 days, with the executor", fmt.Sprintf("%.1f s", seconds), "at most 3 s", seconds <= 3)
	}
	b.flat()
}

// flat compares the cost of a job in workloads of very different lengths.
func (b *bench) flat() {
	var per []float64
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		s := scenario.New()
		s.Workload.Generator = &scenario.Generator{Model: scenario.Poisson, Jobs: n, MaxProcs: 64, Interarrival: time.Minute, Run: 10 * time.Minute}
		s.Workload.LimitFactor = 2
		s.Cluster.Scheduler, s.Cluster.Premises = scenario.EASY, scenario.Premises{Nodes: 200, CoresPerNode: 1}
		seconds, _ := run(s)
		per = append(per, seconds/float64(n)*1e6)
	}
	most, least := max(per[0], per[1], per[2]), min(per[0], per[1], per[2])
	b.add("cost of a job, 10^4, 10^5 and 10^6 jobs, EASY, nodes", strconv.FormatFloat(per[0], 'f', 1, 64)+", "+strconv.FormatFloat(per[1], 'f', 1, 64)+", "+strconv.FormatFloat(per[2], 'f', 1, 64)+" us", "within 1.5 x", most <= 1.5*least)
}
