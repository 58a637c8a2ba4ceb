package executor_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/slurm"
	"aws-slurm-burst/simulator/ec2/port"
	slurmmodel "aws-slurm-burst/simulator/slurm"
)

// BenchmarkCycle is what a job costs a simulation that bursts: a resume of its
// three nodes and their suspend, in virtual time, with months behind it.
func BenchmarkCycle(b *testing.B) {
	w := newWorld(&testing.T{})
	nodes := []string{"aws-hpc-001", "aws-hpc-002", "aws-hpc-003"}
	w.withSlurm(nodes)
	w.slurm.KeepCalls(false)
	cfg, err := config.Parse([]byte(w.config), "config.yaml")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	w.engine.Spawn("site", func(ctx context.Context, e env.Env) {
		x := &executor.Executor{Env: e, Config: cfg, Types: catalog.Default(), Store: w.disk.For(e), Plans: planFiles{w},
			Endpoint: "http://ec2.test", Cloud: port.New(w.ec2, e, latency)}
		for job := 1; b.Loop(); job++ {
			for _, n := range nodes {
				w.slurm.SetNode(slurmmodel.Node{Name: n, Addr: n, Hostname: n, State: "ALLOCATED", Flags: []string{"CLOUD", "POWERING_UP"}, CPUs: 1, RealMemory: 100, Partition: "aws"})
			}
			w.slurm.SetJob(slurmmodel.Job{ID: 1, Name: "j", User: "u", UID: 1000, Partition: "aws", State: "CONFIGURING", Batch: true, Requeue: true, Nodes: nodes, NumNodes: 3, NumCPUs: 3})
			x.Slurm = slurm.New(w.slurm, e, "")
			file := `{"jobs":[{"job_id":1,"nodes_resume":"aws-hpc-[001-003]","nodes_alloc":"aws-hpc-[001-003]"}],"all_nodes_resume":"aws-hpc-[001-003]"}`
			if r := x.Resume(ctx, executor.ResumeRequest{Nodes: nodes, ResumeFile: []byte(file), Getenv: func(string) string { return "" }}); r.ExitCode != 0 {
				panic(fmt.Sprintf("%+v", r))
			}
			_ = e.Sleep(ctx, 10*time.Minute)
			w.slurm.SetJob(slurmmodel.Job{ID: 1, State: "COMPLETED"})
			x.Slurm = slurm.New(w.slurm, e, "")
			if r := x.Suspend(ctx, nodes); r.ExitCode != 0 {
				panic(fmt.Sprintf("%+v", r))
			}
			_ = e.Sleep(ctx, time.Hour)
		}
	})
	if err := w.engine.Run(); err != nil {
		b.Fatal(err)
	}
}
